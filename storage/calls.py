"""Calls: every write from its intent to its outcome, plans among them. Every transition is one conditional UPDATE."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, UpdateBase, bindparam, or_, select, update
from sqlalchemy import insert as insert_into
from sqlmodel import col

from storage import call_messages
from storage.call_record import WAITING_STATES, CallRecord, CallState, from_row, seal, seal_optional, to_row
from storage.crypto import Keyring
from storage.revisions import Noun, bump
from storage.session import Session
from storage.tables import Call, metadata

__all__ = ["CallRecord", "CallState"]

ARGUMENTS_KEPT_SECONDS = 7 * 86_400.0
CONFIRMED_SECONDS = 60.0
WAITING = tuple(state.value for state in WAITING_STATES)

# Statements of every write, built once: building one costs more than running it. What is given beyond the parameters
# named here is what is set.
CALL = metadata.tables["call"]
_INSERT = insert_into(CALL)
_THIS = CALL.c.call_id == bindparam("this_id")
_IF_PENDING = (
    update(CALL)
    .where(
        _THIS,
        CALL.c.state == CallState.PENDING.value,
        or_(CALL.c.expires_at.is_(None), CALL.c.expires_at > bindparam("this_now")),
    )
    .returning(CALL.c.call_id)
)
_IF_CONFIRMED = (
    update(CALL)
    .where(
        _THIS,
        CALL.c.state == CallState.CONFIRMED.value,
        or_(CALL.c.expires_at.is_(None), CALL.c.expires_at > bindparam("this_now")),
    )
    .returning(CALL.c.call_id)
)
IF_WAITING = update(CALL).where(_THIS, CALL.c.state.in_(WAITING)).returning(CALL.c.call_id)
_IF_HELD = (
    update(CALL)
    .where(_THIS, CALL.c.state == CallState.EXECUTING.value, CALL.c.executor == bindparam("this_executor"))
    .returning(CALL.c.call_id)
)


async def insert(session: Session, keyring: Keyring, record: CallRecord) -> None:
    """Writes a new call. Raises sqlalchemy.exc.IntegrityError for an id or a workspace that can't be."""
    await session.execute(_INSERT, to_row(keyring, record))
    if record.quoted:
        await call_messages.put(session, record.call_id, record.quoted)


async def get(session: Session, keyring: Keyring, call_id: str) -> CallRecord | None:
    """Raises storage.crypto.Unreadable."""
    rows = await records(session, keyring, col(Call.call_id) == call_id)
    return rows[0] if rows else None


async def claim(
    session: Session, call_id: str, *, executor: str, lease_seconds: float, now: float, confirmed_by: int | None
) -> bool:
    """Pending and unexpired to executing. True for exactly one of all who try, in whatever process."""
    return await changed(
        session,
        _IF_PENDING,
        this_id=call_id,
        this_now=now,
        state=CallState.EXECUTING.value,
        executor=executor,
        lease_until=now + lease_seconds,
        started_at=now,
        confirmed_by=confirmed_by,
    )


async def accept(session: Session, call_id: str, *, now: float, confirmed_by: int | None) -> bool:
    """Pending and unexpired to confirmed, for the active process to claim; it hears of it by the change feed."""
    accepted = await changed(
        session,
        _IF_PENDING,
        this_id=call_id,
        this_now=now,
        state=CallState.CONFIRMED.value,
        confirmed_by=confirmed_by,
        # Whoever confirmed it had his rights a moment ago; that holds for a minute, as facts do.
        expires_at=now + CONFIRMED_SECONDS,
    )
    if accepted:
        await bump(session, Noun.CALLS)
    return accepted


async def claim_confirmed(session: Session, call_id: str, *, executor: str, lease_seconds: float, now: float) -> bool:
    """Confirmed to executing; ``confirmed_by`` stays who confirmed it."""
    return await changed(
        session,
        _IF_CONFIRMED,
        this_id=call_id,
        this_now=now,
        state=CallState.EXECUTING.value,
        executor=executor,
        lease_until=now + lease_seconds,
        started_at=now,
    )


async def settle(
    session: Session,
    keyring: Keyring,
    call_id: str,
    *,
    executor: str,
    state: CallState,
    now: float,
    result: str | None = None,
    inverse: str | None = None,
    error_code: int | None = None,
    detail: str = "",
) -> bool:
    """Executing to a terminal state, by the executor that holds it; False when another one does."""
    if not state.terminal:
        raise ValueError(f"A call can't be settled as '{state}'.")
    return await changed(
        session,
        _IF_HELD,
        this_id=call_id,
        this_executor=executor,
        state=state.value,
        result=seal_optional(keyring, result),
        inverse=seal_optional(keyring, inverse),
        error_code=error_code,
        detail=seal(keyring, detail),
        settled_at=now,
        lease_until=None,
        erase_at=now + ARGUMENTS_KEPT_SECONDS,
    )


async def close(
    session: Session,
    keyring: Keyring,
    call_id: str,
    *,
    state: CallState,
    now: float,
    detail: str = "",
    denied_by: int | None = None,
) -> bool:
    """Pending or confirmed to cancelled, denied, refused or expired; False when it is so no more."""
    if state not in {CallState.CANCELLED, CallState.DENIED, CallState.REFUSED, CallState.EXPIRED}:
        raise ValueError(f"A plan can't be closed as '{state}'.")
    decided = {} if denied_by is None else {"confirmed_by": denied_by}
    return await changed(
        session,
        IF_WAITING,
        this_id=call_id,
        state=state.value,
        detail=seal(keyring, detail),
        settled_at=now,
        erase_at=now + ARGUMENTS_KEPT_SECONDS,
        **decided,
    )


async def renew(session: Session, call_ids: Collection[str], *, executor: str, lease_until: float) -> None:
    """Holds on to calls that take longer than their lease."""
    if call_ids:
        held = (col(Call.state) == CallState.EXECUTING.value, col(Call.executor) == executor)
        await update_returning(session, col(Call.call_id).in_(call_ids), *held, lease_until=lease_until)


async def take_over(
    session: Session, keyring: Keyring, *, executor: str, lease_seconds: float, now: float, limit: int = 50
) -> list[CallRecord]:
    """Executing calls whose lease has run out, this executor's own too: now they are this executor's."""
    lapsed = (col(Call.state) == CallState.EXECUTING.value, col(Call.lease_until) <= now)
    some = (
        select(col(Call.call_id))
        .where(*lapsed)
        .order_by(col(Call.created_at))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    taken = await update_returning(
        session, col(Call.call_id).in_(some), *lapsed, executor=executor, lease_until=now + lease_seconds
    )
    return await records(session, keyring, col(Call.call_id).in_(taken)) if taken else []


async def abandon(session: Session, *, executor: str) -> int:
    """Ends the leases of all other executors: the holder of the process lease knows that they are dead."""
    held = (col(Call.state) == CallState.EXECUTING.value, col(Call.executor) != executor)
    return len(await update_returning(session, *held, lease_until=0.0))


async def changed(session: Session, statement: UpdateBase, **parameters: object) -> bool:
    """Runs an UPDATE that returns ids; whether it changed a row."""
    result = await session.execute(statement, parameters)
    return result.first() is not None


async def update_returning(session: Session, *conditions: ColumnElement[bool], **values: object) -> list[str]:
    """Sets values on the calls that match; their ids."""
    statement = (
        update(Call)
        .where(*conditions)
        .values(**values)
        .returning(col(Call.call_id))
        .execution_options(synchronize_session=False)
    )
    return list((await session.scalars(statement)).all())


async def records(
    session: Session, keyring: Keyring, *conditions: ColumnElement[bool], limit: int | None = None
) -> list[CallRecord]:
    """The calls that match, oldest first. Raises storage.crypto.Unreadable."""
    wanted = (
        select(Call)
        .where(*conditions)
        .order_by(col(Call.created_at), col(Call.call_id))
        .limit(limit)
        .execution_options(populate_existing=True)
    )
    return [from_row(keyring, row) for row in await session.scalars(wanted)]
