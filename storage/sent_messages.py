"""Messages that the bot sent for somebody: an "own message" is one that was sent for this same requester."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import insert, select
from sqlmodel import col

from storage.database import Session
from storage.tables import SentMessage


async def put(
    session: Session,
    *,
    message_id: int,
    channel_id: int,
    installation_id: str,
    user_id: int | None,
    client_id: str,
    call_id: str,
    now: float,
) -> None:
    """Remembers for whom a message was sent. Raises sqlalchemy.exc.IntegrityError for one that is known already."""
    await session.execute(
        insert(SentMessage).values(
            message_id=message_id,
            channel_id=channel_id,
            installation_id=installation_id,
            user_id=user_id,
            client_id=client_id,
            call_id=call_id,
            sent_at=now,
        )
    )


async def owned(
    session: Session, message_ids: Collection[int], *, installation_id: str, user_id: int | None, client_id: str
) -> frozenset[int]:
    """Those of the messages that were sent for this person; for this client where no person stands behind it."""
    mine = (
        col(SentMessage.user_id) == user_id
        if user_id is not None
        else col(SentMessage.user_id).is_(None) & (col(SentMessage.client_id) == client_id)
    )
    rows = await session.execute(
        select(col(SentMessage.message_id)).where(
            col(SentMessage.message_id).in_(message_ids), col(SentMessage.installation_id) == installation_id, mine
        )
    )
    return frozenset(rows.scalars())


async def sent(session: Session, message_ids: Collection[int], *, installation_id: str) -> frozenset[int]:
    """Those of the messages that were sent for anybody; what the bot posted otherwise is the platform's own."""
    rows = await session.execute(
        select(col(SentMessage.message_id)).where(
            col(SentMessage.message_id).in_(message_ids), col(SentMessage.installation_id) == installation_id
        )
    )
    return frozenset(rows.scalars())
