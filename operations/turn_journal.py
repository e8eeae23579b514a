"""The audit of the assistant's turns: one entry for each, since its reply is a write that no operation makes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import structlog

from operations.audit_entries import AuditEntries
from policy.model import Caller, Tier
from storage import audit
from storage.database import Database, DatabaseUnavailable
from storage.facts import PlatformFacts

TURN = "agent_turn"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRecord:
    """One turn. ``status``: done, stopped, failed or refused; ``message_ids``: what it posted; ``details``: counts and
    names of tools, no text of anybody.
    """

    turn_id: str
    guild_id: int
    channel_id: int
    status: str
    reason: str = ""
    message_ids: tuple[int, ...] = ()
    details: Mapping[str, Any]
    duration_seconds: float


class TurnJournal:
    """Writes what happened. A database that does not answer is told to the log: the turn is over by then."""

    def __init__(
        self,
        database: Database,
        facts: PlatformFacts,
        *,
        on_commit: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._facts = facts
        self._entries = AuditEntries(database.keyring, clock)
        self._on_commit = on_commit

    async def record(self, caller: Caller, turn: TurnRecord) -> None:
        installation = self._facts.snapshot.installations.get(turn.guild_id)
        entry = self._entries.entry(
            turn.turn_id, "outcome", TURN, None, caller, installation, turn.details, status=turn.status
        )
        entry = replace(
            entry,
            channel_id=turn.channel_id,
            tier=Tier.WRITE.label,
            reason=turn.reason,
            target_ids=turn.message_ids,
            duration_ms=round(turn.duration_seconds * 1000, 1),
        )
        try:
            async with self._database.unit_of_work() as session:
                await audit.append(session, entry)
        except DatabaseUnavailable:
            log.warning("a turn was not audited: the database does not answer", turn_id=turn.turn_id)
            return
        self._on_commit()
