"""Which guilds are installed: at the first start, when the bot joins a guild, and when it is removed from one."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from operations.events import Event, GuildGone, GuildReady, Subscription
from operations.guild_source import GuildSource
from storage import installations, instance, workspaces
from storage.database import Database, DatabaseUnavailable
from storage.facts import PlatformFacts
from storage.installations import GuildTaken

log = structlog.get_logger(__name__)

STARTED = "started"


class Installing:
    """Keeps installations in step with the guilds that the bot is in.

    The first start makes a default workspace, owned by the application's owner, of the guilds that the bot is in.
    Later a guild stays inert until it is claimed, or listed in ALLOWED_GUILD_IDS.
    """

    def __init__(
        self,
        database: Database,
        facts: PlatformFacts,
        source: GuildSource,
        *,
        single_workspace: bool,
        allowed_guild_ids: frozenset[int],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._facts = facts
        self._source = source
        self._single_workspace = single_workspace
        self._allowed = allowed_guild_ids
        self._clock = clock

    async def start(self) -> None:
        """Once the guilds are known by id. Raises DatabaseUnavailable."""
        present = set(self._source.guild_ids())
        async with self._database.read() as session:
            started = await instance.get(session, STARTED) is not None
        if not started and self._single_workspace:
            for guild_id in sorted(present & self._allowed if self._allowed else present):
                await self._install(guild_id)
        for guild_id in sorted(present & self._allowed):
            await self._install(guild_id)
        if not started:
            async with self._database.unit_of_work() as session:
                await instance.put(session, STARTED, str(self._clock()))
        for guild_id in sorted(set(self._facts.snapshot.installations) - present):
            await self._remove(guild_id)

    async def watch(self, events: Subscription) -> None:
        """Until cancelled: installs listed guilds that the bot joins, removes those that it left."""
        while True:
            await self._on_event(await events.queue.get())

    async def _on_event(self, event: Event) -> None:
        try:
            match event:
                case GuildReady() if event.guild_id in self._allowed:
                    await self._install(event.guild_id)
                case GuildGone(left=True):
                    await self._remove(event.guild_id)
                case _:
                    pass
        except DatabaseUnavailable:
            log.warning("installation not updated: the database does not answer", guild_id=event.guild_id)

    async def _install(self, guild_id: int) -> None:
        if guild_id in self._facts.snapshot.installations:
            return
        now = self._clock()
        try:
            async with self._database.unit_of_work() as session:
                owner_id = min(self._source.application_owner_ids)
                workspace_id = await workspaces.ensure_default(session, owner_id, now)
                await installations.install(session, workspace_id, guild_id, now)
        except GuildTaken:
            return
        log.info("guild installed", guild_id=guild_id, workspace_id=workspace_id)

    async def _remove(self, guild_id: int) -> None:
        async with self._database.unit_of_work() as session:
            removed = await installations.remove(session, guild_id, self._clock())
        if removed is not None:
            log.info("guild removed: its installation has ended", guild_id=guild_id)
