"""Chat channels end with their channels: a row that is left would be one that nobody can take away."""

from __future__ import annotations

import structlog

from operations.events import GuildReady, GuildStructureChanged, Subscription
from operations.guild_source import GuildSource
from storage import chat_channels
from storage.database import Database, DatabaseUnavailable
from storage.facts import PlatformFacts

log = structlog.get_logger(__name__)


class ChatChannelUpkeep:
    """Forgets channels that a guild has no more, also those that were deleted while nobody listened."""

    def __init__(self, database: Database, facts: PlatformFacts, source: GuildSource) -> None:
        self._database = database
        self._facts = facts
        self._source = source

    async def watch(self, events: Subscription) -> None:
        """Until cancelled."""
        while True:
            event = await events.queue.get()
            if not isinstance(event, GuildReady | GuildStructureChanged):
                continue
            try:
                await self.forget_gone(event.guild_id)
            except DatabaseUnavailable:
                log.warning("chat channels wait for the database", guild_id=event.guild_id)

    async def forget_gone(self, guild_id: int) -> None:
        """Raises DatabaseUnavailable."""
        snapshot, guild = self._facts.snapshot, self._source.cached(guild_id)
        installation = snapshot.installations.get(guild_id)
        if installation is None or guild is None or guild.unavailable:
            return
        allowed = snapshot.chat_channels.get(installation.id, frozenset())
        gone = [channel_id for channel_id in allowed if guild.get_channel(channel_id) is None]
        if gone:
            async with self._database.unit_of_work() as session:
                await chat_channels.disallow(session, installation.id, gone)
