"""Taint: the places that callers have read foreign text from, for an hour (see policy.taint)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sqlalchemy import delete, select
from sqlmodel import col

from policy.taint import TAINT_SECONDS, Source
from storage.crypto import Keyring
from storage.database import Session
from storage.tables import TaintMark
from storage.upserts import insert_into


class Holder(NamedTuple):
    """Who is tainted. ``client_id`` "" stands for all clients of the person."""

    workspace_id: str
    user_id: int | None
    client_id: str


async def load(session: Session, now: float) -> dict[Holder, dict[Source, float]]:
    """The marks that still hold, with when they end (seconds since the epoch)."""
    found: dict[Holder, dict[Source, float]] = {}
    for row in await session.scalars(select(TaintMark).where(col(TaintMark.expires_at) > now)):
        holder = Holder(row.workspace_id, row.user_id or None, row.client_id)
        found.setdefault(holder, {})[Source(row.guild_id, row.channel_id or None, row.gate)] = row.expires_at
    return found


async def put(
    session: Session,
    workspace_id: str,
    user_id: int | None,
    sources: Iterable[Source],
    now: float,
    *,
    client_id: str = "",
) -> None:
    """Marks the sources as read now: they hold for an hour from now."""
    await put_all(session, {Holder(workspace_id, user_id, client_id): sources}, now)


async def put_all(session: Session, read: Mapping[Holder, Iterable[Source]], now: float) -> None:
    """The same for several holders, in one statement."""
    rows = [
        {
            "workspace_id": holder.workspace_id,
            "user_id": holder.user_id or 0,
            "client_id": holder.client_id,
            "guild_id": source.guild_id,
            "channel_id": source.channel_id or 0,
            "gate": source.gate,
            "expires_at": now + TAINT_SECONDS,
        }
        for holder, sources in read.items()
        for source in set(sources)
    ]
    if not rows:
        return
    statement = insert_into(session, TaintMark)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["workspace_id", "user_id", "client_id", "guild_id", "channel_id", "gate"],
            set_={"expires_at": statement.excluded.expires_at},
        ),
        rows,
    )


async def erase_older(session: Session, keyring: Keyring, before: float) -> int:
    """Deletes the marks of what was read before this; how many there were."""
    gone = await session.scalars(
        delete(TaintMark)
        .where(col(TaintMark.expires_at) <= before + TAINT_SECONDS)
        .returning(col(TaintMark.workspace_id))
    )
    return len(gone.all())
