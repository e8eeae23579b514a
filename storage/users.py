"""People known to the platform, by their Discord ids."""

from __future__ import annotations

from storage.database import Session
from storage.tables import User
from storage.upserts import insert_into


async def ensure(session: Session, user_id: int, *, now: float) -> None:
    """Makes the person known, if not yet so."""
    statement = insert_into(session, User).values(user_id=user_id, name="", created_at=now)
    await session.execute(statement.on_conflict_do_nothing(index_elements=["user_id"]))
