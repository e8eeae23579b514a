"""Guilds over REST, each fetched on use, kept for 30 seconds and fetched once however many ask."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import discord
import structlog

from bot import discord_internals

log = structlog.get_logger(__name__)

KEEP_SECONDS = 30.0
_MOST_GUILDS = 256
"""How many guild objects are kept; the oldest goes first."""


class RestGuilds:
    """The guilds of a client that has logged in without a gateway. ``aclose`` ends what is being fetched."""

    def __init__(
        self,
        client: discord.Client,
        *,
        keep_seconds: float = KEEP_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._keep_seconds = keep_seconds
        self._clock = clock
        self._kept: dict[int, tuple[float, discord.Guild | None]] = {}
        self._fetching: dict[int, asyncio.Task[discord.Guild | None]] = {}
        self._ids: frozenset[int] = frozenset()
        self._ids_at = float("-inf")
        self._listing: asyncio.Task[None] | None = None

    async def refresh(self) -> None:
        """Look which guilds the bot is in. Raises discord.HTTPException."""
        await asyncio.shield(self._list())

    def ids(self) -> frozenset[int]:
        """As of the latest look; when it is older than 30 s, another one is begun."""
        if self._clock() - self._ids_at >= self._keep_seconds:
            self._list()
        return self._ids

    def fresh(self, guild_id: int) -> discord.Guild | None:
        """The guild if it is at hand and at most 30 s old."""
        kept = self._kept.get(guild_id)
        return kept[1] if kept is not None and self._clock() - kept[0] < self._keep_seconds else None

    async def get(self, guild_id: int) -> discord.Guild | None:
        """At most 30 s old; None when the bot is not in that guild. Raises discord.HTTPException."""
        kept = self._kept.get(guild_id)
        if kept is not None and self._clock() - kept[0] < self._keep_seconds:
            return kept[1]
        task = self._fetching.get(guild_id)
        if task is None:
            task = self._fetching[guild_id] = asyncio.create_task(self._fetch(guild_id))
            task.add_done_callback(lambda done: self._fetched(guild_id, done))
        # One caller who gives up does not take the answer from the others.
        return await asyncio.shield(task)

    async def search_members(self, guild: discord.Guild, name: str, limit: int) -> list[discord.Member]:
        """Members whose username or nickname begins with ``name``. Raises discord.HTTPException."""
        return await discord_internals.search_members(self._client, guild, name, limit)

    def age_seconds(self, guild_id: int) -> float:
        kept = self._kept.get(guild_id)
        return float("inf") if kept is None else self._clock() - kept[0]

    def guild_of_channel(self, channel_id: int) -> int | None:
        for guild_id, (_, guild) in self._kept.items():
            if guild is not None and guild.get_channel_or_thread(channel_id) is not None:
                return guild_id
        return None

    async def aclose(self) -> None:
        tasks: list[asyncio.Task[None] | asyncio.Task[discord.Guild | None]] = list(self._fetching.values())
        if self._listing is not None:
            tasks.append(self._listing)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _fetch(self, guild_id: int) -> discord.Guild | None:
        begun_at = self._clock()
        try:
            payload = await discord_internals.fetch_guild_payload(self._client, guild_id)
        except (discord.NotFound, discord.Forbidden):
            guild = None
        else:
            guild = discord_internals.guild_from_payload(self._client, payload)
        self._kept.pop(guild_id, None)
        if len(self._kept) >= _MOST_GUILDS:
            del self._kept[next(iter(self._kept))]
        self._kept[guild_id] = (begun_at, guild)
        return guild

    def _fetched(self, guild_id: int, task: asyncio.Task[discord.Guild | None]) -> None:
        self._fetching.pop(guild_id, None)
        if not task.cancelled():
            task.exception()  # whoever waits gets it; when nobody does any more, it is not to be reported as lost

    def _list(self) -> asyncio.Task[None]:
        if self._listing is None:
            self._listing = asyncio.create_task(self._fetch_ids())
            self._listing.add_done_callback(self._listed)
        return self._listing

    async def _fetch_ids(self) -> None:
        begun_at = self._clock()
        self._ids = frozenset([guild.id async for guild in self._client.fetch_guilds(limit=None, with_counts=False)])
        self._ids_at = begun_at

    def _listed(self, task: asyncio.Task[None]) -> None:
        self._listing = None
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("the list of guilds could not be fetched", error=repr(error))
