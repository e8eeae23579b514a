"""Pauses in operation: whether something is held, and the pause that a caller's own burst brings upon it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

import structlog

from operations import call_ids
from policy import checks
from policy.bursts import BURSTS, PAUSE_SECONDS, counts_as, is_burst
from policy.model import (
    Caller,
    CallerKind,
    Installation,
    Pause,
    PauseCause,
    PauseScope,
    Refuse,
    Requirement,
    Step,
    Tier,
)
from policy.pauses import held_in_words, key_of, scope_of_caller
from storage import audit, pauses
from storage.audit import AuditEntry
from storage.database import Database, DatabaseUnavailable
from storage.facts import PlatformFacts

CALLER_PAUSE = "caller_pause"
"""What the audit calls a pause that nobody asked for."""
MOST_REMEMBERED = 10_000

log = structlog.get_logger(__name__)


def held(
    facts: PlatformFacts, guild_id: int, caller: Caller | None = None, *, now: float | None = None
) -> Refuse | None:
    """Whether writes are held in a guild, in words; None where they aren't. Whatever acts by itself asks this first.

    ``caller``: in whose name it would act; None asks for the guild and the whole process alone.
    """
    now = time.time() if now is None else now
    pause = facts.snapshot.pause_of(facts.snapshot.installations.get(guild_id), caller, now)
    if pause is None:
        return None
    reason, remedy = held_in_words(pause)
    left = None if pause.until is None else pause.until - now
    return Refuse(Step.INSTALLATION, checks.PAUSED, reason, remedy, retry_after_seconds=left)


class AutomaticPauses:
    """Counts, in memory, what callers are refused and what they destroy; a burst pauses that caller in that guild.

    Only what a caller asked for itself counts: nothing that others make of its plans, and no use of its credential
    that was refused as such.
    """

    def __init__(
        self,
        database: Database,
        *,
        on_commit: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._on_commit = on_commit
        self._clock = clock
        self._seen: dict[tuple[str, PauseCause], deque[float]] = {}

    async def count(
        self, caller: Caller, installation: Installation | None, requirement: Requirement | None, refusal: Refuse | None
    ) -> None:
        """A call that was refused, or with ``refusal`` None let through."""
        cause = counts_as(caller, requirement, refusal)
        if cause is None or installation is None:
            return
        now, key = self._clock(), (scope_of_caller(installation.id, caller), cause)
        if key not in self._seen and len(self._seen) >= MOST_REMEMBERED:
            self._forget(now)
        times = self._seen.setdefault(key, deque(maxlen=BURSTS[cause].count))
        times.append(now)
        if is_burst(cause, times, now):
            del self._seen[key]
            await self._pause(caller, installation, cause, now)

    async def _pause(self, caller: Caller, installation: Installation, cause: PauseCause, now: float) -> None:
        until = now + PAUSE_SECONDS
        try:
            async with self._database.unit_of_work() as session:
                await pauses.pause_caller(
                    session,
                    installation.id,
                    key_of(caller),
                    user_id=caller.user_id,
                    cause=cause,
                    until=until,
                    now=now,
                )
                await audit.append(session, _entry(caller, installation, cause, until, now))
        except DatabaseUnavailable:
            log.warning("a caller is not paused: the database does not answer", caller=caller.identity)
            return
        log.warning("a caller is paused by itself", caller=caller.identity, cause=cause.value)
        self._on_commit()

    def _forget(self, now: float) -> None:
        for key, times in list(self._seen.items()):
            if times[-1] <= now - BURSTS[key[1]].seconds:
                del self._seen[key]


def _entry(caller: Caller, installation: Installation, cause: PauseCause, until: float, now: float) -> AuditEntry:
    reason, _ = held_in_words(Pause(PauseScope.CALLER, until, cause))
    return AuditEntry(
        call_id=call_ids.new_call_id(),
        entry="outcome",
        at=now,
        workspace_id=installation.workspace_id,
        installation_id=installation.id,
        guild_id=installation.guild_id,
        caller_kind=CallerKind.SYSTEM,
        face=caller.face,
        client_id=caller.client_id,
        operation=CALLER_PAUSE,
        tier=Tier.WRITE.label,
        code=cause.value,
        reason=reason,
        status="done",
        target_ids=() if caller.user_id is None else (caller.user_id,),
    )
