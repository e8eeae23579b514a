"""Which messages' texts stand in which calls' rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import ColumnElement, CompoundSelect, select
from sqlmodel import col

from storage.session import Session
from storage.tables import Call, CallMessage, GuildInstallation, SentMessage
from storage.upserts import insert_into


class MessagePlace(NamedTuple):
    """A message, and the channel or thread that it stands in."""

    channel_id: int
    message_id: int


async def put(session: Session, call_id: str, messages: Iterable[MessagePlace]) -> None:
    """The row of this call holds text of these messages; told twice, it is kept once."""
    rows = [{"call_id": call_id, **message._asdict()} for message in set(messages)]
    if rows:
        await session.execute(insert_into(session, CallMessage).on_conflict_do_nothing(), rows)


def calls_about(of: str, ids: Iterable[int]) -> CompoundSelect[str]:
    """The ids of the calls that sent or hold these messages. ``of``: message_id or channel_id."""
    wanted = list(ids)
    sent: ColumnElement[int] = getattr(SentMessage, of)
    held: ColumnElement[int] = getattr(CallMessage, of)
    of_sent = select(col(SentMessage.call_id)).where(sent.in_(wanted))
    return of_sent.union(select(col(CallMessage.call_id)).where(held.in_(wanted)))


async def held_in_guild(session: Session, guild_id: int) -> set[MessagePlace]:
    """The messages of a guild whose text some call still holds."""
    here = select(col(GuildInstallation.id)).where(col(GuildInstallation.guild_id) == guild_id)
    texts = (col(Call.effect) != b"") | col(Call.inverse).is_not(None)
    found: set[MessagePlace] = set()
    for table in (SentMessage, CallMessage):
        rows = await session.execute(
            select(col(table.channel_id), col(table.message_id))
            .join(Call, col(Call.call_id) == col(table.call_id))
            .where(col(Call.installation_id).in_(here), texts)
        )
        found |= {MessagePlace(channel_id, message_id) for channel_id, message_id in rows}
    return found
