"""Which guilds the bot is known to be in, and which of them still wait for their set-up card."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import delete, select, update
from sqlmodel import col

from storage import row_ids
from storage.session import Session
from storage.tables import SetupCard
from storage.upserts import insert_into


@dataclass(frozen=True, slots=True)
class Due:
    """A guild that waits for its card. ``nonce`` keeps one whose answer was lost from standing there twice."""

    guild_id: int
    nonce: str
    joined_at: float


async def known(session: Session) -> frozenset[int]:
    """The guilds that have joined and not left, by their ids."""
    return frozenset((await session.scalars(select(col(SetupCard.guild_id)))).all())


async def joined(session: Session, guild_id: int, now: float, *, with_card: bool) -> bool:
    """A guild that the bot is in from now on. ``with_card`` False: nothing is to be posted there. False when it was
    known.
    """
    statement = insert_into(session, SetupCard).values(
        guild_id=guild_id, nonce=row_ids.new("su"), joined_at=now, settled_at=None if with_card else now
    )
    made = await session.scalar(statement.on_conflict_do_nothing().returning(col(SetupCard.guild_id)))
    return made is not None


async def due(session: Session) -> list[Due]:
    """The guilds whose card is not posted yet, the first one first."""
    rows = await session.scalars(
        select(SetupCard)
        .where(col(SetupCard.settled_at).is_(None))
        .order_by(col(SetupCard.joined_at), col(SetupCard.guild_id))
        .execution_options(populate_existing=True)
    )
    return [Due(row.guild_id, row.nonce, row.joined_at) for row in rows]


async def settle(
    session: Session, guild_id: int, now: float, *, channel_id: int | None = None, message_id: int | None = None
) -> None:
    """The card stands there; or, without a message, nobody could be reached."""
    await session.execute(
        update(SetupCard)
        .where(col(SetupCard.guild_id) == guild_id)
        .values(settled_at=now, channel_id=channel_id, message_id=message_id)
        .execution_options(synchronize_session=False)
    )


async def left(session: Session, guild_ids: Collection[int]) -> None:
    """The bot is in these no more: when it joins one again, that is told anew."""
    await session.execute(delete(SetupCard).where(col(SetupCard.guild_id).in_(guild_ids)))
