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
    names = [workspace_id] if workspace_id is not None else await workspaces(session)
    checked, problems = 0, list[Problem]()
    for name in names:
        check = Check(keyring, name)
        after = check.begin(await read_head(session, name))
        async for row in chained(session, name, after):
            check.entry(row)
        check.end()
        checked += check.checked
        problems += check.problems
    unchained = select(func.count()).select_from(AuditEvent).where(col(AuditEvent.seq).is_(None))
    if workspace_id is not None:
        unchained = unchained.where(col(AuditEvent.workspace_id) == workspace_id)
    waiting = await session.scalar(unchained) or 0
    return VerifyReport(checked, waiting, len(names), tuple(problems[:MOST_PROBLEMS]))


async def workspaces(session: Session) -> list[str]:
    """Those that have an audit."""
    with_entries = await session.scalars(
        select(col(AuditEvent.workspace_id)).where(col(AuditEvent.seq).is_not(None)).distinct()
    )
    with_heads = await session.scalars(select(col(AuditHead.workspace_id)))
    return sorted({*with_entries.all(), *with_heads.all()})


async def chained(session: Session, workspace_id: str, after: int) -> AsyncGenerator[AuditEvent]:
    """The entries of a chain from there on, oldest first. Memory holds a thousand."""
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


class Check:
    """One pass over a workspace's chain: ``begin`` with its head, each ``entry`` in the order of ``seq``, ``end``."""

    def __init__(self, keyring: Keyring, workspace_id: str) -> None:
        self.checked = 0
        self.problems: list[Problem] = []
        self._keyring = keyring
        self._workspace_id = workspace_id
        self._head: Head | None = None
        self._seq = 0
        self._mac = ""

    def begin(self, found: tuple[Head, str] | None) -> int:
        """After which entry the kept part begins. ``found``: the head and its signature."""
        if found is None:
            self._tell(Fault.HEAD_MISSING, 0, 0)
            return 0
        self._head, signature = found
        if not self._keyring.verify(HEAD_PURPOSE, self._head.payload(), signature):
            self._tell(Fault.HEAD_ALTERED, self._head.seq, self._head.seq)
        self._seq, self._mac = self._head.checkpoint_seq, self._head.checkpoint_mac
        return self._seq

    def entry(self, row: AuditEvent) -> None:
        found = row.seq or 0
        follows = found == self._seq + 1
        if not follows:
            self._tell(Fault.DELETED, self._seq + 1, found - 1)
        self.checked += 1
        # After a gap the entry's own MAC can't be judged: what it continued is gone.
        intact = self._keyring.verify(ENTRY_PURPOSE, entry_payload(row, found, self._mac), row.mac or "")
        if self._head is not None and found > self._head.seq:
            self._tell(Fault.INSERTED, found, found)
        elif follows and not intact:
            self._tell(Fault.ALTERED, found, found)
        self._seq, self._mac = found, row.mac or ""

    def end(self) -> None:
        if self._head is None:
            return
        if self._seq < self._head.seq:
            self._tell(Fault.TRUNCATED, self._seq + 1, self._head.seq)
        elif self._seq == self._head.seq and self._mac != self._head.mac:
            self._tell(Fault.ALTERED, self._seq, self._seq)

    def _tell(self, fault: Fault, seq: int, last_seq: int) -> None:
        problem = Problem(self._workspace_id, fault, seq, last_seq)
        if problem not in self.problems and len(self.problems) < MOST_PROBLEMS:
            self.problems.append(problem)
