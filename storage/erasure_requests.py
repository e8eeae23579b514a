"""Who asked to be forgotten within the last day."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlmodel import col

from storage.crypto import Keyring
from storage.session import Session
from storage.tables import ErasureRequest
from storage.upserts import insert_into


async def put(session: Session, workspace_id: str, user_id: int, now: float) -> None:
    """Asked again, the later time counts."""
    statement = insert_into(session, ErasureRequest).values(workspace_id=workspace_id, user_id=user_id, asked_at=now)
    await session.execute(
        statement.on_conflict_do_update(index_elements=["workspace_id", "user_id"], set_={"asked_at": now})
    )


async def all(session: Session) -> list[ErasureRequest]:  # noqa: A001
    """Oldest first."""
    return list((await session.scalars(select(ErasureRequest).order_by(col(ErasureRequest.asked_at)))).all())


async def erase_older(session: Session, keyring: Keyring, before: float) -> int:
    """Deletes those of before this; how many."""
    gone = await session.scalars(
        delete(ErasureRequest).where(col(ErasureRequest.asked_at) <= before).returning(col(ErasureRequest.user_id))
    )
    return len(gone.all())
