"""Where guilds come from: the gateway's cache, or REST when there is no gateway."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, Protocol

import discord


class GuildStarting(Exception):
    """The guild has not arrived from the gateway yet, or its shard is not connected. ``retry_after_seconds`` says when
    to come back.
    """

    def __init__(self, retry_after_seconds: float = 2.0) -> None:
        super().__init__("guild is starting")
        self.retry_after_seconds = retry_after_seconds


class GuildSource(Protocol):
    """Guild objects with what is known of their age. Implementations: bot.guild_sources."""

    @property
    def name(self) -> Literal["gateway", "rest"]: ...

    @property
    def bot_user_id(self) -> int: ...

    @property
    def application_owner_ids(self) -> frozenset[int]:
        """The application's owner, or its team's owner."""
        ...

    def guild_ids(self) -> Iterable[int]:
        """The guilds that the bot is in, as far as known."""
        ...

    def cached(self, guild_id: int) -> discord.Guild | None:
        """The current object if it can be served at once; never waits."""
        ...

    async def guild(self, guild_id: int) -> discord.Guild | None:
        """The current object, or None when the bot is not in that guild.

        Waits up to 2 s for a guild that is arriving; then raises GuildStarting. Over REST the object is at most 30 s
        old.
        """
        ...

    def guild_of_channel(self, channel_id: int) -> int | None:
        """The guild of a channel or thread that is known by now."""
        ...

    def age_seconds(self, guild_id: int) -> float:
        """How old the guild object may be: seconds since the gateway's last sign of life, or since the fetch."""
        ...

    def members_are_current(self, guild_id: int) -> bool:
        """Whether the members intent keeps members up to date and the shard is connected."""
        ...

    async def fetch_member(self, guild: discord.Guild, user_id: int) -> discord.Member | None:
        """By REST; None when he is no member. Raises discord.HTTPException."""
        ...

    async def fetch_user(self, user_id: int) -> discord.User | None:
        """Anybody on Discord, by REST; None when there is no such user. Raises discord.HTTPException."""
        ...

    async def complete_members(self, guild: discord.Guild) -> None:
        """Fills the guild's cache with all members over the gateway. Only where ``members_are_current``."""
        ...

    async def list_members(self, guild: discord.Guild, after: int, limit: int) -> list[discord.Member]:
        """Members in the order of their ids, from the one after ``after`` on (at most 1,000), by REST. Raises
        discord.HTTPException.
        """
        ...

    async def search_members(self, guild: discord.Guild, name: str) -> list[discord.Member]:
        """Members whose username or nickname begins with ``name`` (at most 100), by REST. Raises
        discord.HTTPException.
        """
        ...

    async def fetch_webhook(self, webhook_id: int) -> discord.Webhook | None:
        """Of any guild, with its token where Discord gives it. None when there is none that the bot may manage. Raises
        discord.HTTPException.
        """
        ...

    async def fetch_invite(self, code: str) -> discord.Invite | None:
        """Of any guild. None when there is none of that code. Raises discord.HTTPException."""
        ...
