"""The chain of the audit: each entry of a workspace gets the next ``seq`` and an HMAC over itself and the one before.

Entries are written unchained in the transaction of what they speak of; the active process chains them right after.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import bindparam, select, update
from sqlmodel import SQLModel, col

from storage.crypto import Keyring
from storage.database import Database
from storage.outages import DatabaseUnavailable
from storage.session import Session
from storage.tables import AuditEvent, AuditHead
from storage.upserts import insert_into

ENTRY_PURPOSE = "audit-entry"
HEAD_PURPOSE = "audit-head"
MAC_LENGTH = 64
BATCH = 500
RETRY_SECONDS = 1.0
# Entries written by other processes wake nobody here.
LOOK_SECONDS = 5.0
# A call's second commit comes while its first entry is being chained, and the next call right after it; both would wait
# for this commit, too. So many entries are chained by one.
REST_SECONDS = 0.02
UNCHAINED_COLUMNS = {"seq", "mac"}
CHAINED_COLUMNS = sorted(set(AuditEvent.model_fields) - UNCHAINED_COLUMNS)

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Head:
    """Where the chain of a workspace ends, and after which entry its kept part begins (0: from the start)."""

    workspace_id: str
    seq: int = 0
    mac: str = ""
    checkpoint_seq: int = 0
    checkpoint_mac: str = ""

    def payload(self) -> bytes:
        fields = [self.workspace_id, self.seq, self.mac, self.checkpoint_seq, self.checkpoint_mac]
        return json.dumps(fields, separators=(",", ":")).encode()


def entry_payload(row: AuditEvent, seq: int, previous_mac: str) -> bytes:
    """The canonical bytes of an entry at its place in the chain."""
    fields = {name: getattr(row, name) for name in CHAINED_COLUMNS}
    return json.dumps([seq, previous_mac, fields], sort_keys=True, separators=(",", ":")).encode()


async def read_head(session: Session, workspace_id: str, *, lock: bool = False) -> tuple[Head, str] | None:
    """The head and its signature, as stored."""
    wanted = (
        select(AuditHead).where(col(AuditHead.workspace_id) == workspace_id).execution_options(populate_existing=True)
    )
    row = await session.scalar(wanted.with_for_update() if lock else wanted)
    if row is None:
        return None
    return Head(row.workspace_id, row.seq, row.mac, row.checkpoint_seq, row.checkpoint_mac), row.signature


async def write_head(session: Session, keyring: Keyring, head: Head) -> None:
    """Stores the head, signed."""
    await session.execute(
        update(AuditHead)
        .where(col(AuditHead.workspace_id) == head.workspace_id)
        .values(
            seq=head.seq,
            mac=head.mac,
            checkpoint_seq=head.checkpoint_seq,
            checkpoint_mac=head.checkpoint_mac,
            signature=keyring.mac(HEAD_PURPOSE, head.payload(), length=MAC_LENGTH),
        )
        .execution_options(synchronize_session=False)
    )


async def locked_head(session: Session, keyring: Keyring, workspace_id: str) -> Head:
    """The head, made if there was none, locked for this transaction."""
    empty = Head(workspace_id)
    signature = keyring.mac(HEAD_PURPOSE, empty.payload(), length=MAC_LENGTH)
    values = {"seq": 0, "mac": "", "checkpoint_seq": 0, "checkpoint_mac": "", "signature": signature}
    statement = insert_into(session, AuditHead).values(workspace_id=workspace_id, **values)
    await session.execute(statement.on_conflict_do_nothing(index_elements=["workspace_id"]))
    found = await read_head(session, workspace_id, lock=True)
    return empty if found is None else found[0]


async def heads(session: Session) -> list[Head]:
    """Where every chain ends now: written down elsewhere (a log), this is what shows a truncation later."""
    rows = await session.scalars(select(AuditHead).order_by(col(AuditHead.workspace_id)))
    return [Head(row.workspace_id, row.seq, row.mac, row.checkpoint_seq, row.checkpoint_mac) for row in rows]


class Chain:
    """Chains what was appended. To be run by the active process alone; a second one does no harm, but work twice."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._woken = asyncio.Event()
        self._subscribers: list[Callable[[], None]] = []

    def subscribe(self, callback: Callable[[], None]) -> None:
        """Calls back after entries were chained."""
        self._subscribers.append(callback)

    def wake(self) -> None:
        """Says that entries were committed."""
        self._woken.set()

    async def run(self) -> None:
        """Chains until cancelled; survives outages."""
        while True:
            self._woken.clear()
            pause = LOOK_SECONDS
            try:
                await self.catch_up()
            except DatabaseUnavailable as error:
                log.warning("audit_chain_outage", reason=str(error))
                pause = RETRY_SECONDS
            # Not wait_for: before Python 3.12 it can swallow a cancellation.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._woken.wait()
                    await asyncio.sleep(REST_SECONDS)

    async def catch_up(self) -> int:
        """Chains all entries that are committed; how many there were. Raises DatabaseUnavailable."""
        total = 0
        while True:
            async with self._database.unit_of_work() as session:
                chained = await chain_some(session, self._database.keyring)
            total += chained
            if chained:
                for callback in self._subscribers:
                    callback()
            if chained < BATCH:
                return total


async def chain_some(session: Session, keyring: Keyring, limit: int = BATCH) -> int:
    """Chains the oldest unchained entries; how many."""
    workspaces = await session.scalars(
        select(col(AuditEvent.workspace_id))
        .where(col(AuditEvent.seq).is_(None))
        .order_by(col(AuditEvent.id))
        .limit(limit)
    )
    # Heads are locked in one order, and what is unchained is read under the lock: a process that chains at the same
    # time waits, and then finds nothing.
    locked = {name: await locked_head(session, keyring, name) for name in sorted(set(workspaces.all()))}
    if not locked:
        return 0
    rows = await session.scalars(
        select(AuditEvent)
        .where(col(AuditEvent.seq).is_(None), col(AuditEvent.workspace_id).in_(locked))
        .order_by(col(AuditEvent.id))
        .limit(limit)
        .execution_options(populate_existing=True)
    )
    places: list[dict[str, object]] = []
    for row in rows.all():
        head = locked[row.workspace_id]
        seq = head.seq + 1
        mac = keyring.mac(ENTRY_PURPOSE, entry_payload(row, seq, head.mac), length=MAC_LENGTH)
        places.append({"row_id": row.id, "new_seq": seq, "new_mac": mac})
        locked[row.workspace_id] = Head(row.workspace_id, seq, mac, head.checkpoint_seq, head.checkpoint_mac)
    if places:
        await _place(session, places)
        for head in locked.values():
            await write_head(session, keyring, head)
    return len(places)


async def _place(session: Session, places: Sequence[dict[str, object]]) -> None:
    table = SQLModel.metadata.tables["audit_event"]
    statement = (
        update(table)
        .where(table.c.id == bindparam("row_id"), table.c.seq.is_(None))
        .values(seq=bindparam("new_seq"), mac=bindparam("new_mac"))
    )
    connection = await session.connection()
    await connection.execute(statement, list(places))
