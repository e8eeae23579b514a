"""How long calls keep what was in them: first the arguments go, then the inverse, at last the row.

``Call.erase_at`` says when the next of these is due by the longest periods. It only finds the rows: shorter periods
look as much earlier.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, delete, select, update
from sqlmodel import col

from storage.calls import ARGUMENTS_KEPT_SECONDS
from storage.crypto import Keyring
from storage.session import Session
from storage.tables import Call

INVERSES_KEPT_SECONDS = 30 * 86_400.0
ROWS_KEPT_SECONDS = 180 * 86_400.0
BATCH = 1_000
# The fingerprint is made of digests without a key.
ERASED = {
    "reason": b"",
    "effect": b"",
    "preview": b"",
    "result": None,
    "detail": b"",
    "sources": "[]",
    "fingerprint": "",
}


async def erase_arguments(session: Session, keyring: Keyring, ended_before: float) -> int:
    """Of calls that ended by then nothing but their inverse is left; how many it touched."""
    due = col(Call.erase_at) <= ended_before + ARGUMENTS_KEPT_SECONDS
    return await _erase(session, ended_before, due, _at_stage(ARGUMENTS_KEPT_SECONDS, INVERSES_KEPT_SECONDS))


async def erase_inverses(session: Session, keyring: Keyring, ended_before: float) -> int:
    """The same, and the inverse too."""
    due = col(Call.erase_at) <= ended_before + INVERSES_KEPT_SECONDS
    stage = _at_stage(INVERSES_KEPT_SECONDS, ROWS_KEPT_SECONDS)
    return await _erase(session, ended_before, due, stage, inverse=None)


async def delete_rows(session: Session, keyring: Keyring, ended_before: float) -> int:
    """Deletes the calls that ended by then; how many."""
    due = col(Call.erase_at) <= ended_before + ROWS_KEPT_SECONDS
    some = select(col(Call.call_id)).where(due, col(Call.settled_at) <= ended_before).limit(BATCH)
    gone = await session.scalars(
        delete(Call)
        .where(col(Call.call_id).in_(some))
        .returning(col(Call.call_id))
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())


def _at_stage(here: float, next_one: float) -> tuple[ColumnElement[bool], float]:
    """Whether a row waits for this erasure or an earlier one, and for which one it waits afterwards."""
    waits_until = col(Call.settled_at) + (here + next_one) / 2
    return col(Call.erase_at) < waits_until, next_one


async def _erase(
    session: Session,
    ended_before: float,
    due: ColumnElement[bool],
    stage: tuple[ColumnElement[bool], float],
    **more: object,
) -> int:
    waits, next_one = stage
    some = select(col(Call.call_id)).where(due, waits, col(Call.settled_at) <= ended_before).limit(BATCH)
    erased = await session.scalars(
        update(Call)
        .where(col(Call.call_id).in_(some))
        .values(**ERASED, **more, erase_at=col(Call.settled_at) + next_one)
        .returning(col(Call.call_id))
        .execution_options(synchronize_session=False)
    )
    return len(erased.all())
