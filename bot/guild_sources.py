"""Where guilds come from: the gateway's cache, or REST when there is no gateway."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Literal, Self

import discord

from bot import discord_internals
from bot.client import GuildhallClient
from bot.rest_guilds import RestGuilds
from operations.guild_source import GuildStarting

WAIT_SECONDS = 2.0
"""How long a call waits for a guild that is arriving."""
RETRY_SECONDS = 2.0
_KNOWN_CHANNELS = 10_000
SEARCHED_MEMBERS = 100
CHUNK_SECONDS = 60.0
"""How long the gateway may take to tell of all members: it sends thousands a second."""
# https://discord.com/developers/docs/topics/opcodes-and-status-codes#json: Unknown Member, Unknown User
_NO_SUCH_MEMBER = frozenset({10007, 10013})


class _Source:
    """What both sources share: who the bot is, and members over REST."""

    def __init__(self, client: GuildhallClient) -> None:
        self._client = client

    @property
    def bot_user_id(self) -> int:
        """Raises RuntimeError before the login."""
        if self._client.user is None:
            raise RuntimeError("the client has not logged in")
        return self._client.user.id

    @property
    def application_owner_ids(self) -> frozenset[int]:
        """The application's owner, or its team's owner. Raises RuntimeError before the login."""
        application = self._client.application
        if application is None:
            raise RuntimeError("the client has not logged in")
        if application.team is None:
            return frozenset({application.owner.id})
        return frozenset({application.team.owner_id}) if application.team.owner_id else frozenset()

    async def fetch_member(self, guild: discord.Guild, user_id: int) -> discord.Member | None:
        """By REST; None when he is no member. Raises discord.HTTPException."""
        try:
            return await guild.fetch_member(user_id)
        except discord.NotFound as error:
            if error.code in _NO_SUCH_MEMBER:
                return None
            raise

    async def fetch_user(self, user_id: int) -> discord.User | None:
        """By REST; None when there is no such user. Raises discord.HTTPException."""
        try:
            return await self._client.fetch_user(user_id)
        except discord.NotFound as error:
            if error.code in _NO_SUCH_MEMBER:
                return None
            raise

    async def list_members(self, guild: discord.Guild, after: int, limit: int) -> list[discord.Member]:
        """By REST, in the order of ids. Raises discord.HTTPException (Forbidden without the privileged intent)."""
        return await discord_internals.list_members(self._client, guild, after, limit)

    async def fetch_webhook(self, webhook_id: int) -> discord.Webhook | None:
        """None when there is none that the bot may manage. Raises discord.HTTPException."""
        try:
            return await self._client.fetch_webhook(webhook_id)
        except (discord.NotFound, discord.Forbidden):
            return None

    async def fetch_invite(self, code: str) -> discord.Invite | None:
        """None when there is none of that code. Raises discord.HTTPException."""
        try:
            return await self._client.fetch_invite(code, with_counts=False)
        except discord.NotFound:
            return None


class GatewaySource(_Source):
    """Guilds from the cache that the gateway keeps current."""

    def __init__(self, client: GuildhallClient, *, wait_seconds: float = WAIT_SECONDS) -> None:
        super().__init__(client)
        self._readiness = client.readiness
        # The client makes a copy of its intents at each use.
        self._receives_members = client.intents.members
        self.wait_seconds = wait_seconds
        self._guild_of_channel: dict[int, int] = {}

    @property
    def name(self) -> Literal["gateway", "rest"]:
        return "gateway"

    def guild_ids(self) -> Iterable[int]:
        return self._readiness.guild_ids()

    def cached(self, guild_id: int) -> discord.Guild | None:
        return self._client.get_guild(guild_id) if self._readiness.is_ready(guild_id) else None

    async def guild(self, guild_id: int) -> discord.Guild | None:
        if guild := self.cached(guild_id):
            return guild
        if await self._readiness.wait(guild_id, self.wait_seconds):
            return self._client.get_guild(guild_id)
        if self._readiness.is_absent(guild_id):
            return None
        raise GuildStarting(RETRY_SECONDS)

    def guild_of_channel(self, channel_id: int) -> int | None:
        known = self._guild_of_channel.get(channel_id)
        if known is not None and (guild := self._client.get_guild(known)) and guild.get_channel_or_thread(channel_id):
            return known
        self._guild_of_channel.pop(channel_id, None)
        # Looks through every guild: what it finds is remembered, and checked above.
        for guild in self._client.guilds:
            if guild.get_channel_or_thread(channel_id) is not None:
                if len(self._guild_of_channel) >= _KNOWN_CHANNELS:
                    del self._guild_of_channel[next(iter(self._guild_of_channel))]
                self._guild_of_channel[channel_id] = guild.id
                return guild.id
        return None

    def age_seconds(self, guild_id: int) -> float:
        """Seconds since the shard received anything; infinite before its first session."""
        shard_id = self._readiness.shard_of(guild_id)
        return float("inf") if shard_id is None else self._client.seconds_since_frame(shard_id)

    def members_are_current(self, guild_id: int) -> bool:
        return self._receives_members and self._readiness.is_ready(guild_id)

    async def complete_members(self, guild: discord.Guild) -> None:
        """Raises TimeoutError when the gateway does not answer."""
        async with asyncio.timeout(CHUNK_SECONDS):
            await guild.chunk()

    async def search_members(self, guild: discord.Guild, name: str) -> list[discord.Member]:
        """Over the gateway. Raises TimeoutError when it does not answer."""
        return await guild.query_members(name, limit=SEARCHED_MEMBERS)


class RestSource(_Source):
    """Guilds fetched on use. ``async with``: entering fetches which guilds there are."""

    def __init__(self, client: GuildhallClient, guilds: RestGuilds | None = None) -> None:
        super().__init__(client)
        self._guilds = guilds or RestGuilds(client)

    @property
    def name(self) -> Literal["gateway", "rest"]:
        return "rest"

    async def __aenter__(self) -> Self:
        """Raises discord.HTTPException."""
        await self._guilds.refresh()
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self._guilds.aclose()

    def guild_ids(self) -> Iterable[int]:
        """As of the latest look; asking starts another one when it is older than 30 s."""
        return self._guilds.ids()

    def cached(self, guild_id: int) -> discord.Guild | None:
        return self._guilds.fresh(guild_id)

    async def guild(self, guild_id: int) -> discord.Guild | None:
        """At most 30 s old; None when the bot is not in that guild. Raises discord.HTTPException."""
        return await self._guilds.get(guild_id)

    def guild_of_channel(self, channel_id: int) -> int | None:
        return self._guilds.guild_of_channel(channel_id)

    def age_seconds(self, guild_id: int) -> float:
        """Seconds since the fetch; infinite for a guild that has not been fetched."""
        return self._guilds.age_seconds(guild_id)

    def members_are_current(self, guild_id: int) -> bool:
        return False

    async def complete_members(self, guild: discord.Guild) -> None:
        """Never asked of this source, whose members are never current."""
        raise RuntimeError("members are not kept without a gateway")

    async def search_members(self, guild: discord.Guild, name: str) -> list[discord.Member]:
        """https://discord.com/developers/docs/resources/guild#search-guild-members"""
        return await self._guilds.search_members(guild, name, SEARCHED_MEMBERS)
