"""What moderators do by hand in Discord becomes cases, once: from its audit log, as it happens and after an absence.

https://discord.com/developers/docs/events/gateway-events#guild-audit-log-entry-create needs the intent
GUILD_MODERATION and the permission view_audit_log. What Guildhall did itself is a case already.
"""

from __future__ import annotations

import asyncio
import datetime
import time
from collections import deque
from collections.abc import Callable

import discord
import structlog

from bot.parser_hook import audit_log_entry
from operations import raw_routes
from operations.events import AuditLogEntryCreated, Event, GuildGone, GuildReady
from operations.failures import DISCORD_FAILED
from operations.guild_state import GuildState
from operations.ledger import phase
from policy.model import Installation
from storage import cases, installations
from storage.cases import CaseKind, NewCase
from storage.database import Database, DatabaseUnavailable
from storage.facts import PlatformFacts

log = structlog.get_logger(__name__)

# How far back an absence is made up for, and how many requests one look takes at most; more follow a pause later.
LONGEST_ABSENCE_SECONDS = 7 * 86_400.0
PAGES = 10
PAGE = 100
PAUSE_SECONDS = 5.0
# Discord's entries may arrive out of order by a little.
OVERLAP_SECONDS = 60.0
MAX_REASON = 512

_KINDS = {
    discord.AuditLogAction.kick.value: CaseKind.KICK,
    discord.AuditLogAction.ban.value: CaseKind.BAN,
    discord.AuditLogAction.unban.value: CaseKind.UNBAN,
}
_MEMBER_UPDATE = discord.AuditLogAction.member_update.value


class ModerationByHand:
    """Told of events by the hub; ``run`` writes. ``behind``: guilds whose log has to be looked at first."""

    def __init__(
        self,
        database: Database,
        facts: PlatformFacts,
        state: GuildState,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._facts = facts
        self._state = state
        self._clock = clock
        self._waiting: deque[AuditLogEntryCreated] = deque()
        self._behind: set[int] = set()
        self._current: set[int] = set()
        self._entry_came = asyncio.Event()
        self._fell_behind = asyncio.Event()

    def on_event(self, event: Event) -> None:
        """A listener for the event hub."""
        match event:
            case AuditLogEntryCreated() if _kind(event) is not None:
                self._waiting.append(event)
                self._entry_came.set()
            case GuildReady():
                self._falls_behind(event.guild_id)
            case GuildGone():
                self._behind.discard(event.guild_id)
                self._current.discard(event.guild_id)
            case _:
                pass

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._take_what_comes())
            tasks.create_task(self._make_up())

    def _falls_behind(self, guild_id: int) -> None:
        self._current.discard(guild_id)
        self._behind.add(guild_id)
        self._fell_behind.set()

    # ------------------------------------------------------------- as it happens
    async def _take_what_comes(self) -> None:
        while True:
            await self._entry_came.wait()
            self._entry_came.clear()
            while self._waiting:
                entry = self._waiting.popleft()
                try:
                    await self._take(entry)
                except DatabaseUnavailable:
                    log.warning("cases wait for the database", guild_id=entry.guild_id)
                    self._falls_behind(entry.guild_id)

    async def _take(self, entry: AuditLogEntryCreated) -> None:
        installation = self._facts.snapshot.installations.get(entry.guild_id)
        if installation is None:
            return
        async with self._database.unit_of_work() as session:
            case = self._case(installation, entry)
            if case is not None:
                await cases.add_once(session, case)
            if entry.guild_id in self._current:
                # Not before what came earlier is known: else an absence would be taken for made up.
                await cases.saw_entry(session, installation.id, entry.entry_id)

    def _case(self, installation: Installation, entry: AuditLogEntryCreated) -> NewCase | None:
        """None for what is no moderation of a member, or Guildhall's own."""
        kind = _kind(entry)
        if kind is None or entry.user_id == self._state.source.bot_user_id:
            return None
        return NewCase(
            installation_id=installation.id,
            kind=kind,
            created_at=discord.utils.snowflake_time(entry.entry_id).timestamp(),
            user_id=entry.target_id,
            moderator_id=entry.user_id,
            reason=entry.reason[:MAX_REASON],
            discord_entry_id=entry.entry_id,
            expires_at=_end(entry) if kind is CaseKind.TIMEOUT else None,
        )

    # --------------------------------------------------------- after an absence
    async def _make_up(self) -> None:
        while True:
            await self._fell_behind.wait()
            self._fell_behind.clear()
            for guild_id in sorted(self._behind):
                try:
                    done = await self._made_up(guild_id)
                except DatabaseUnavailable:
                    log.warning("cases wait for the database", guild_id=guild_id)
                    done = False
                except DISCORD_FAILED as error:
                    log.warning("Discord's audit log could not be read", guild_id=guild_id, error=type(error).__name__)
                    done = False
                if done:
                    self._behind.discard(guild_id)
            if self._behind:
                await asyncio.sleep(PAUSE_SECONDS)
                self._fell_behind.set()

    async def _made_up(self, guild_id: int) -> bool:
        """Whether nothing more has to be looked at. Raises DatabaseUnavailable, and what Discord's refusals raise."""
        installation = self._facts.snapshot.installations.get(guild_id)
        guild = self._state.source.cached(guild_id)
        if installation is None or guild is None or not guild.me.guild_permissions.view_audit_log:
            # It comes again when it is there; without the permission no entry is told of either.
            return True
        position = await self._position(installation)
        for _ in range(PAGES):
            with phase("read", "cases", guild_id=guild_id):
                page = await raw_routes.audit_log_after(guild, position, PAGE)
            if page:
                position = int(page[-1]["id"])
            async with self._database.unit_of_work() as session:
                for entry in page:
                    case = self._case(installation, audit_log_entry(guild_id, entry))
                    if case is not None:
                        await cases.add_once(session, case)
                await cases.saw_entry(session, installation.id, position)
            if len(page) < PAGE:
                self._current.add(guild_id)
                return True
        return False

    async def _position(self, installation: Installation) -> int:
        """The entry after which the log is looked at: nothing of before the installation, nor of long ago."""
        async with self._database.read() as session:
            seen = await cases.seen_entry(session, installation.id)
            began_at = await installations.installed_at(session, installation.id)
        oldest_at = max(began_at or 0.0, self._clock() - LONGEST_ABSENCE_SECONDS)
        if seen is not None:
            seen_at = discord.utils.snowflake_time(seen).timestamp() - OVERLAP_SECONDS
            oldest_at = max(oldest_at, seen_at)
        return discord.utils.time_snowflake(datetime.datetime.fromtimestamp(oldest_at, datetime.UTC))


def _kind(entry: AuditLogEntryCreated) -> CaseKind | None:
    if entry.target_id is None:
        return None
    if entry.action != _MEMBER_UPDATE or entry.timed_out_until is None:
        return _KINDS.get(entry.action)
    end = _end(entry)
    began_at = discord.utils.snowflake_time(entry.entry_id).timestamp()
    return CaseKind.TIMEOUT if end is not None and end > began_at else CaseKind.TIMEOUT_REMOVE


def _end(entry: AuditLogEntryCreated) -> float | None:
    """When the timeout of an entry ends; None where it has ended, or what Discord says is no time."""
    try:
        return datetime.datetime.fromisoformat(entry.timed_out_until or "").timestamp()
    except ValueError:
        return None
