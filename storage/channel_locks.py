"""Locked channels: what their locks changed, so that an unlock can give it back exactly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter
from sqlalchemy import delete, select
from sqlmodel import col

from storage.revisions import Noun, bump
from storage.session import Session
from storage.tables import ChannelLock
from storage.upserts import insert_into


class LockedOverwrite(BaseModel):
    """One overwrite as it was before the first lock (``existed``: whether it was there) and as the latest one left it;
    permission bits.
    """

    model_config = ConfigDict(frozen=True)

    id: int
    kind: Literal["role", "member"]
    name: str
    existed: bool
    before_allow: int
    before_deny: int
    allow: int
    deny: int


_OVERWRITES = TypeAdapter(tuple[LockedOverwrite, ...])


@dataclass(frozen=True, slots=True)
class Lock:
    """``overwrites``: by role or member id. ``locked_at``: of the first lock."""

    call_id: str
    locked_at: float
    overwrites: Mapping[int, LockedOverwrite] = field(default_factory=dict[int, LockedOverwrite])


def merged(first: Mapping[int, LockedOverwrite], later: Mapping[int, LockedOverwrite]) -> dict[int, LockedOverwrite]:
    """What several locks of one channel changed together: as it was before the first, as it is after the last."""
    return {**first, **{each.id: _since_first(first.get(each.id), each) for each in later.values()}}


def _since_first(first: LockedOverwrite | None, later: LockedOverwrite) -> LockedOverwrite:
    if first is None:
        return later
    was = {"existed": first.existed, "before_allow": first.before_allow, "before_deny": first.before_deny}
    return later.model_copy(update=was)


async def remember(session: Session, installation_id: str, channel_id: int, lock: Lock) -> None:
    """Keeps what a lock changed, beside what earlier locks of the channel did."""
    wanted = select(ChannelLock).where(
        col(ChannelLock.installation_id) == installation_id, col(ChannelLock.channel_id) == channel_id
    )
    row = await session.scalar(wanted.with_for_update())
    earlier = None if row is None else _lock(row)
    overwrites = lock.overwrites if earlier is None else merged(earlier.overwrites, lock.overwrites)
    values = {
        "overwrites": _OVERWRITES.dump_json(tuple(overwrites.values())).decode(),
        "call_id": lock.call_id,
        "locked_at": lock.locked_at if earlier is None else earlier.locked_at,
    }
    statement = insert_into(session, ChannelLock).values(
        installation_id=installation_id, channel_id=channel_id, **values
    )
    await session.execute(
        statement.on_conflict_do_update(index_elements=["installation_id", "channel_id"], set_=values)
    )
    await bump(session, Noun.LOCKS)


async def forget(session: Session, installation_id: str, channel_id: int) -> None:
    await session.execute(
        delete(ChannelLock).where(
            col(ChannelLock.installation_id) == installation_id, col(ChannelLock.channel_id) == channel_id
        )
    )
    await bump(session, Noun.LOCKS)


async def every(session: Session) -> dict[tuple[str, int], Lock]:
    """By installation and channel."""
    rows = await session.scalars(select(ChannelLock))
    return {(row.installation_id, row.channel_id): _lock(row) for row in rows}


def _lock(row: ChannelLock) -> Lock:
    overwrites = _OVERWRITES.validate_json(row.overwrites)
    return Lock(row.call_id, row.locked_at, {each.id: each for each in overwrites})
