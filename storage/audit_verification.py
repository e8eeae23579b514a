"""Whether the audit is as it was written."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import func, select
from sqlmodel import col

from storage.audit_chain import ENTRY_PURPOSE, HEAD_PURPOSE, Head, entry_payload, read_head
from storage.crypto import Keyring
from storage.session import Session
from storage.tables import AuditEvent, AuditHead

PAGE = 1_000
MOST_PROBLEMS = 100

WHAT_IS_DETECTED = (
    "Detected: entries that were altered, deleted, inserted or put in another order, entries cut off from the end, and "
    "an altered or missing head. "
    "Not detected: entries cut off from the end together with an older head put back (compare with the heads in the "
    "log); whatever somebody did who holds SECRET_KEYS, or as long as he did; what was changed in the moment between "
    "its commit and its chaining; entries before the checkpoint, which retention has deleted. Entries chained with a "
    "key that SECRET_KEYS no longer holds look altered."
)


class Fault(StrEnum):
    ALTERED = "altered"
    DELETED = "deleted"
    INSERTED = "inserted"
    TRUNCATED = "truncated"
    HEAD_MISSING = "head_missing"
    HEAD_ALTERED = "head_altered"


@dataclass(frozen=True, slots=True)
class Problem:
    """``seq``: the first place that is affected; ``last_seq`` the last one, where it is a stretch."""

    workspace_id: str
    fault: Fault
    seq: int
    last_seq: int

    def __str__(self) -> str:
        place = f"{self.seq}" if self.seq == self.last_seq else f"{self.seq} to {self.last_seq}"
        return f"workspace '{self.workspace_id}', entry {place}: {self.fault.value.replace('_', ' ')}"


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """``checked`` entries were in the chain, ``unchained`` ones are not yet; at most 100 ``problems`` are told."""

    checked: int
    unchained: int
    workspaces: int
    problems: tuple[Problem, ...]
    limits: str = WHAT_IS_DETECTED

    @property
    def intact(self) -> bool:
        return not self.problems


async def verify(session: Session, keyring: Keyring, workspace_id: str | None = None) -> VerifyReport:
    """Checks the chain of one workspace, or of all."""
    workspaces = [workspace_id] if workspace_id is not None else await _workspaces(session)
    checked, problems = 0, list[Problem]()
    for name in workspaces:
        check = _Check(keyring, name)
        await check.run(session)
        checked += check.checked
        problems += check.problems
    unchained = select(func.count()).select_from(AuditEvent).where(col(AuditEvent.seq).is_(None))
    if workspace_id is not None:
        unchained = unchained.where(col(AuditEvent.workspace_id) == workspace_id)
    waiting = await session.scalar(unchained) or 0
    return VerifyReport(checked, waiting, len(workspaces), tuple(problems[:MOST_PROBLEMS]))


async def _workspaces(session: Session) -> list[str]:
    with_entries = await session.scalars(
        select(col(AuditEvent.workspace_id)).where(col(AuditEvent.seq).is_not(None)).distinct()
    )
    with_heads = await session.scalars(select(col(AuditHead.workspace_id)))
    return sorted({*with_entries.all(), *with_heads.all()})


async def _chained(session: Session, workspace_id: str, after: int) -> AsyncGenerator[AuditEvent]:
    while True:
        rows = await session.scalars(
            select(AuditEvent)
            .where(col(AuditEvent.workspace_id) == workspace_id, col(AuditEvent.seq) > after)
            .order_by(col(AuditEvent.seq))
            .limit(PAGE)
        )
        found = rows.all()
        for row in found:
            yield row
        if len(found) < PAGE:
            return
        after = found[-1].seq or after
        session.expunge_all()


class _Check:
    """One pass over the chain of one workspace."""

    def __init__(self, keyring: Keyring, workspace_id: str) -> None:
        self.checked = 0
        self.problems: list[Problem] = []
        self._keyring = keyring
        self._workspace_id = workspace_id

    async def run(self, session: Session) -> None:
        head = await self._head(session)
        seq, mac = (head.checkpoint_seq, head.checkpoint_mac) if head else (0, "")
        async for row in _chained(session, self._workspace_id, seq):
            found = row.seq or 0
            if found != seq + 1:
                self._tell(Fault.DELETED, seq + 1, found - 1)
            self.checked += 1
            beyond = head is not None and found > head.seq
            # After a gap the entry's own MAC can't be judged: what it continued is gone.
            follows = found == seq + 1
            intact = self._keyring.verify(ENTRY_PURPOSE, entry_payload(row, found, mac), row.mac or "")
            if beyond:
                self._tell(Fault.INSERTED, found, found)
            elif follows and not intact:
                self._tell(Fault.ALTERED, found, found)
            seq, mac = found, row.mac or ""
        if head is None:
            return
        if seq < head.seq:
            self._tell(Fault.TRUNCATED, seq + 1, head.seq)
        elif seq == head.seq and mac != head.mac:
            self._tell(Fault.ALTERED, seq, seq)

    async def _head(self, session: Session) -> Head | None:
        found = await read_head(session, self._workspace_id)
        if found is None:
            self._tell(Fault.HEAD_MISSING, 0, 0)
            return None
        head, signature = found
        if not self._keyring.verify(HEAD_PURPOSE, head.payload(), signature):
            self._tell(Fault.HEAD_ALTERED, head.seq, head.seq)
        return head

    def _tell(self, fault: Fault, seq: int, last_seq: int) -> None:
        problem = Problem(self._workspace_id, fault, seq, last_seq)
        if problem not in self.problems and len(self.problems) < MOST_PROBLEMS:
            self.problems.append(problem)
