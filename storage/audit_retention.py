"""Retention of the audit: the oldest entries go, and the chain stays verifiable from a signed checkpoint on.

This is the one way by which entries can be deleted: the triggers let go what lies before the checkpoint, and the
checkpoint is part of what the head signs.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import delete, func, select
from sqlmodel import col

from storage.audit_chain import heads, locked_head, write_head
from storage.crypto import Keyring
from storage.session import Session
from storage.tables import AuditEvent, ReadCount

BATCH = 2_000


async def erase_older(session: Session, keyring: Keyring, before: float) -> int:
    """Deletes chained entries of before this, some at a time; how many. Call again until it is 0."""
    erased = 0
    for head in await heads(session):
        erased += await _advance(session, keyring, head.workspace_id, before)
        if erased >= BATCH:
            break
    return erased


async def erase_counts(session: Session, keyring: Keyring, before: float) -> int:
    """Deletes the counts of reads of the days before this moment; how many."""
    day = datetime.fromtimestamp(before, UTC).date().isoformat()
    gone = await session.scalars(delete(ReadCount).where(col(ReadCount.day) < day).returning(col(ReadCount.day)))
    return len(gone.all())


async def _advance(session: Session, keyring: Keyring, workspace_id: str, before: float) -> int:
    head = await locked_head(session, keyring, workspace_id)
    kept = (col(AuditEvent.workspace_id) == workspace_id, col(AuditEvent.seq) > head.checkpoint_seq)
    first_kept = await session.scalar(select(func.min(col(AuditEvent.seq))).where(*kept, col(AuditEvent.at) >= before))
    last = head.seq if first_kept is None else first_kept - 1
    last = min(last, head.checkpoint_seq + BATCH)
    row = await session.execute(
        select(col(AuditEvent.mac)).where(col(AuditEvent.workspace_id) == workspace_id, col(AuditEvent.seq) == last)
    )
    mac = row.scalar_one_or_none()
    if last <= head.checkpoint_seq or mac is None:
        return 0
    # First the checkpoint, then the entries: the trigger asks where it is.
    await write_head(session, keyring, replace(head, checkpoint_seq=last, checkpoint_mac=mac))
    gone = await session.scalars(
        delete(AuditEvent)
        .where(col(AuditEvent.workspace_id) == workspace_id, col(AuditEvent.seq) <= last)
        .returning(col(AuditEvent.id))
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())
