"""How far log channels were told of the audit, and what comes next."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlmodel import col

from policy.model import Installation
from storage import audit, calls
from storage.audit import AuditEntry
from storage.call_record import CallRecord
from storage.crypto import Keyring
from storage.session import Session
from storage.tables import AuditEvent, AuditHead, Call, GuildPolicy, LogPosition
from storage.upserts import insert_into


@dataclass(frozen=True, slots=True)
class Position:
    """See storage.tables.LogPosition; ``sending_to`` None: no message is on its way."""

    installation_id: str
    seq: int
    sending_to: int | None = None
    sending_at: float | None = None
    channel_id: int | None = None
    nonce: str | None = None


async def heads(session: Session) -> dict[str, int]:
    """Where the chain of each workspace ends."""
    rows = await session.execute(select(col(AuditHead.workspace_id), col(AuditHead.seq)))
    return {workspace_id: seq for workspace_id, seq in rows}  # noqa: C416 - rows are no pairs to dict()


async def positions(session: Session) -> dict[str, Position]:
    """By installation."""
    rows = await session.scalars(select(LogPosition).execution_options(populate_existing=True))
    return {row.installation_id: _position(row) for row in rows}


async def policy_set_at(session: Session, installation_id: str) -> float | None:
    """When a guild's policy was last set; None where it never was."""
    found: float | None = await session.scalar(
        select(col(GuildPolicy.updated_at)).where(col(GuildPolicy.installation_id) == installation_id)
    )
    return found


async def begin(session: Session, installation: Installation, since: float) -> Position:
    """Where a guild's log begins: with what was entered at this time or later. One that has begun goes on."""
    last = await session.scalar(
        select(col(AuditEvent.seq))
        .where(
            col(AuditEvent.workspace_id) == installation.workspace_id,
            col(AuditEvent.seq).is_not(None),
            col(AuditEvent.at) < since,
        )
        .order_by(col(AuditEvent.seq).desc())
        .limit(1)
    )
    statement = insert_into(session, LogPosition).values(installation_id=installation.id, seq=last or 0)
    await session.execute(statement.on_conflict_do_nothing(index_elements=["installation_id"]))
    return (await positions(session))[installation.id]


async def sending(session: Session, position: Position) -> None:
    """A message about what lies between ``seq`` and ``sending_to`` is about to be sent."""
    await _set(
        session,
        position.installation_id,
        sending_to=position.sending_to,
        sending_at=position.sending_at,
        channel_id=position.channel_id,
        nonce=position.nonce,
    )


async def told(session: Session, installation_id: str, seq: int) -> Position:
    """Everything up to this place was told, or was nothing to tell."""
    await _set(session, installation_id, seq=seq, sending_to=None, sending_at=None, channel_id=None, nonce=None)
    return Position(installation_id, seq)


async def _set(session: Session, installation_id: str, **values: object) -> None:
    await session.execute(
        update(LogPosition)
        .where(col(LogPosition.installation_id) == installation_id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )


async def entries_after(
    session: Session, installation: Installation, seq: int, *, upto: int | None, limit: int
) -> tuple[list[AuditEntry], int]:
    """The entries of a guild after this place of its workspace's chain, in its order; and up to where was looked."""
    wanted = select(AuditEvent).where(
        col(AuditEvent.workspace_id) == installation.workspace_id,
        col(AuditEvent.seq) > seq,
        col(AuditEvent.installation_id) == installation.id,
    )
    if upto is not None:
        wanted = wanted.where(col(AuditEvent.seq) <= upto)
    rows = await session.scalars(
        wanted.order_by(col(AuditEvent.seq)).limit(limit).execution_options(populate_existing=True)
    )
    found = [audit.entry_of(row) for row in rows]
    if len(found) == limit:
        return found, found[-1].seq or seq
    if upto is not None:
        return found, upto
    # A reading session sees one state of the database: there is none between the last of these and the head.
    head = await session.scalar(
        select(col(AuditHead.seq)).where(col(AuditHead.workspace_id) == installation.workspace_id)
    )
    return found, max(seq, head or 0)


async def calls_of(session: Session, keyring: Keyring, call_ids: Collection[str]) -> dict[str, CallRecord]:
    """Raises storage.crypto.Unreadable."""
    found = await calls.records(session, keyring, col(Call.call_id).in_(call_ids))
    return {record.call_id: record for record in found}


def _position(row: LogPosition) -> Position:
    return Position(row.installation_id, row.seq, row.sending_to, row.sending_at, row.channel_id, row.nonce)
