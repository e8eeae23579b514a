"""How long calls keep what was in them: arguments for 7 days after the end, inverses for 30, the row for 180."""

from __future__ import annotations

from sqlalchemy import case, delete, or_, update
from sqlmodel import col

from storage.database import Session
from storage.tables import Call

INVERSES_KEPT_SECONDS = 30 * 86_400.0
ROWS_KEPT_SECONDS = 180 * 86_400.0
ERASED = {"reason": b"", "effect": b"", "preview": b"", "result": None, "detail": b"", "sources": "[]"}


async def erase_expired(session: Session, now: float) -> int:
    """Erases what settled calls need no more; how many it touched."""
    due = col(Call.erase_at) <= now
    settled_at = col(Call.settled_at)
    gone = await session.scalars(
        delete(Call).where(due, settled_at <= now - ROWS_KEPT_SECONDS).returning(col(Call.call_id))
    )
    touched = len(gone.all())
    inverse_due = settled_at <= now - INVERSES_KEPT_SECONDS
    erased = await session.scalars(
        update(Call)
        .where(due, or_(settled_at.is_(None), settled_at > now - ROWS_KEPT_SECONDS))
        .values(
            **ERASED,
            inverse=case((inverse_due, None), else_=col(Call.inverse)),
            erase_at=settled_at + case((inverse_due, ROWS_KEPT_SECONDS), else_=INVERSES_KEPT_SECONDS),
        )
        .returning(col(Call.call_id))
        .execution_options(synchronize_session=False)
    )
    return touched + len(erased.all())
