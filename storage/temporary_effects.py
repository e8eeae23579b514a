"""Effects that end by themselves: who is banned until when. Every transition is one conditional UPDATE."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, Update, delete, insert, or_, select, update
from sqlmodel import col

from storage import row_ids
from storage.crypto import Keyring
from storage.session import Session, keyring_of
from storage.tables import TemporaryEffect

BAN = "ban"


class EffectState(StrEnum):
    WAITING = "waiting"
    ENDING = "ending"
    ENDED = "ended"
    GONE = "gone"


_AWAITED = (EffectState.WAITING.value, EffectState.ENDING.value)


@dataclass(frozen=True, slots=True)
class EffectRecord:
    """See storage.tables.TemporaryEffect. ``reason``: of the ban in Discord's list; None: the tag of ``call_id``."""

    id: str
    installation_id: str
    state: EffectState
    user_id: int
    call_id: str
    reason: str | None
    created_at: float
    ends_at: float
    end_call_id: str | None


async def begin(
    session: Session,
    installation_id: str,
    user_id: int,
    *,
    call_id: str,
    ends_at: float,
    reason: str | None,
    now: float,
) -> None:
    """From now on this is when the user's ban ends, whatever was to end it before."""
    await cancel(session, installation_id, user_id, now)
    await session.execute(
        insert(TemporaryEffect).values(
            id=row_ids.new("te"),
            installation_id=installation_id,
            kind=BAN,
            state=EffectState.WAITING.value,
            user_id=user_id,
            call_id=call_id,
            reason=b"" if reason is None else keyring_of(session).seal(f"={reason}"),
            created_at=now,
            ends_at=ends_at,
        )
    )


async def cancel(session: Session, installation_id: str, user_id: int, now: float, *, ended: bool = False) -> list[str]:
    """Nothing ends the user's ban by itself any more: somebody else ended or replaced it, or (``ended``) it has ended.
    The calls that had set an end.
    """
    state = EffectState.ENDED if ended else EffectState.GONE
    statement = _settled(state, now).where(*_of(installation_id, user_id))
    return list((await session.scalars(statement.returning(col(TemporaryEffect.call_id)))).all())


async def current(session: Session, installation_id: str, user_id: int) -> EffectRecord | None:
    """What ends the user's ban; None where nothing does."""
    row = await session.scalar(select(TemporaryEffect).where(*_of(installation_id, user_id)))
    return None if row is None else _record(session, row)


async def due(session: Session, now: float, limit: int = 50) -> list[EffectRecord]:
    """Those whose time has come and whom nobody is ending, the longest due first."""
    wanted = select(TemporaryEffect).where(*_due(now)).order_by(col(TemporaryEffect.ends_at)).limit(limit)
    return [_record(session, row) for row in await session.scalars(wanted)]


async def claim(
    session: Session, effect_id: str, *, executor: str, end_call_id: str, lease_seconds: float, now: float
) -> bool:
    """True for exactly one of all who try, in whatever process."""
    statement = update(TemporaryEffect).where(col(TemporaryEffect.id) == effect_id, *_due(now))
    return await _changed(
        session,
        statement.values(
            state=EffectState.ENDING.value,
            executor=executor,
            end_call_id=end_call_id,
            lease_until=now + lease_seconds,
        ),
    )


async def postpone(session: Session, effect_id: str, *, executor: str, until: float) -> bool:
    """Its end could not be brought about; it is due again then."""
    return await _changed(
        session,
        update(TemporaryEffect)
        .where(*_held(effect_id, executor))
        .values(state=EffectState.WAITING.value, lease_until=until),
    )


async def give_up(session: Session, effect_id: str, *, executor: str, now: float) -> bool:
    """There is nothing to end: somebody else did, or made another ban of it."""
    return await _changed(session, _settled(EffectState.GONE, now).where(*_held(effect_id, executor)))


async def abandon(session: Session, *, executor: str) -> None:
    """Ends the leases of all other executors: the holder of the process lease knows that they are dead."""
    held = (col(TemporaryEffect.state) == EffectState.ENDING.value, col(TemporaryEffect.executor) != executor)
    await session.execute(update(TemporaryEffect).where(*held).values(lease_until=0.0))


async def erase_settled(session: Session, keyring: Keyring, before: float) -> int:
    """Deletes those that ended by then; how many."""
    gone = await session.scalars(
        delete(TemporaryEffect)
        .where(col(TemporaryEffect.settled_at) <= before)
        .returning(col(TemporaryEffect.id))
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())


def _of(installation_id: str, user_id: int) -> tuple[ColumnElement[bool], ...]:
    return (
        col(TemporaryEffect.installation_id) == installation_id,
        col(TemporaryEffect.user_id) == user_id,
        col(TemporaryEffect.kind) == BAN,
        col(TemporaryEffect.state).in_(_AWAITED),
    )


def _due(now: float) -> tuple[ColumnElement[bool], ...]:
    return (
        col(TemporaryEffect.state).in_(_AWAITED),
        col(TemporaryEffect.ends_at) <= now,
        or_(col(TemporaryEffect.lease_until).is_(None), col(TemporaryEffect.lease_until) <= now),
    )


def _held(effect_id: str, executor: str) -> tuple[ColumnElement[bool], ...]:
    return (
        col(TemporaryEffect.id) == effect_id,
        col(TemporaryEffect.state) == EffectState.ENDING.value,
        col(TemporaryEffect.executor) == executor,
    )


def _settled(state: EffectState, now: float) -> Update:
    return update(TemporaryEffect).values(state=state.value, settled_at=now, lease_until=None)


async def _changed(session: Session, statement: Update) -> bool:
    result = await session.execute(statement.returning(col(TemporaryEffect.id)))
    return result.first() is not None


def _record(session: Session, row: TemporaryEffect) -> EffectRecord:
    return EffectRecord(
        id=row.id,
        installation_id=row.installation_id,
        state=EffectState(row.state),
        user_id=row.user_id,
        call_id=row.call_id,
        reason=keyring_of(session).open(row.reason).removeprefix("=") if row.reason else None,
        created_at=row.created_at,
        ends_at=row.ends_at,
        end_call_id=row.end_call_id,
    )
