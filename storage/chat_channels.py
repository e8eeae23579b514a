"""The channels in which the agent answers."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import delete
from sqlmodel import col

from storage.database import Session
from storage.revisions import Noun, bump
from storage.tables import AllowedChatChannel
from storage.upserts import insert_into


async def allow(session: Session, installation_id: str, channel_id: int, *, by: int | None, now: float) -> bool:
    """Whether it was not allowed before."""
    statement = insert_into(session, AllowedChatChannel).values(
        installation_id=installation_id, channel_id=channel_id, added_by=by, added_at=now
    )
    made = await session.scalar(statement.on_conflict_do_nothing().returning(col(AllowedChatChannel.channel_id)))
    await bump(session, Noun.CHAT_CHANNELS)
    return made is not None


async def disallow(session: Session, installation_id: str, channel_ids: Collection[int]) -> tuple[int, ...]:
    """The ids of those that were allowed."""
    statement = (
        delete(AllowedChatChannel)
        .where(
            col(AllowedChatChannel.installation_id) == installation_id,
            col(AllowedChatChannel.channel_id).in_(channel_ids),
        )
        .returning(col(AllowedChatChannel.channel_id))
        .execution_options(synchronize_session=False)
    )
    ended = tuple((await session.scalars(statement)).all())
    if ended:
        await bump(session, Noun.CHAT_CHANNELS)
    return ended
