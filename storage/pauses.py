"""Pauses: kept until they are ended or have run out."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlmodel import col

from policy import model
from policy.model import PauseCause, PauseScope
from policy.pauses import PROCESS, scope_of
from storage.crypto import Keyring
from storage.revisions import Noun, bump
from storage.session import Session
from storage.tables import GuildInstallation, Pause
from storage.upserts import insert_into


@dataclass(frozen=True, slots=True)
class Paused:
    """A pause as kept. ``installation_id`` None: of the whole process; ``caller_key`` None: of everybody there."""

    scope: str
    installation_id: str | None
    caller_key: str | None
    user_id: int | None
    cause: PauseCause
    began_at: float
    began_by: int | None
    until: float | None

    @property
    def fact(self) -> model.Pause:
        """As policy knows it."""
        if self.installation_id is None:
            return model.Pause(PauseScope.PROCESS, self.until, self.cause)
        scope = PauseScope.GUILD if self.caller_key is None else PauseScope.CALLER
        return model.Pause(scope, self.until, self.cause)


async def by_scope(session: Session) -> dict[str, model.Pause]:
    """All of them, also such as have run out."""
    rows = await session.scalars(select(Pause).order_by(col(Pause.scope)))
    return {row.scope: _paused(row).fact for row in rows}


async def of_guild(session: Session, installation_id: str, now: float) -> list[Paused]:
    """What holds in a guild now: its own pause first, then those of callers."""
    rows = await session.scalars(
        select(Pause).where(col(Pause.installation_id) == installation_id).order_by(col(Pause.scope))
    )
    return [paused for row in rows if (paused := _paused(row)).fact.holds(now)]


async def of_process(session: Session, now: float) -> Paused | None:
    row = await session.get(Pause, PROCESS, populate_existing=True)
    paused = None if row is None else _paused(row)
    return paused if paused is not None and paused.fact.holds(now) else None


async def pause_process(session: Session, *, until: float | None, now: float) -> None:
    """Holds all writes everywhere, also where they are held already, from now on until then."""
    await _put(session, Paused(PROCESS, None, None, None, PauseCause.BY_HAND, now, None, until))


async def pause_guild(
    session: Session, installation_id: str, *, until: float | None, by: int | None, now: float
) -> None:
    """Holds all writes in a guild; what held them before ends."""
    await _put(session, Paused(installation_id, installation_id, None, None, PauseCause.BY_HAND, now, by, until))


async def pause_caller(
    session: Session,
    installation_id: str,
    caller_key: str,
    *,
    user_id: int | None,
    cause: PauseCause,
    until: float,
    now: float,
) -> None:
    """Holds the writes of one caller in a guild. ``user_id``: the person behind it."""
    scope = scope_of(installation_id, caller_key)
    await _put(session, Paused(scope, installation_id, caller_key, user_id, cause, now, None, until))


async def resume(session: Session, *scopes: str) -> list[str]:
    """Ends pauses; the scopes of those that there were."""
    statement = (
        delete(Pause)
        .where(col(Pause.scope).in_(scopes))
        .returning(col(Pause.scope))
        .execution_options(synchronize_session=False)
    )
    ended = list((await session.scalars(statement)).all())
    if ended:
        await bump(session, Noun.PAUSES)
    return ended


async def erase_ended(session: Session, keyring: Keyring, before: float) -> int:
    """Forgets those that had run out by then, and those of guilds that were left; how many."""
    ended = list(
        await session.scalars(select(col(Pause.scope)).where(col(Pause.until).is_not(None), col(Pause.until) <= before))
    )
    gone = select(col(GuildInstallation.id)).where(col(GuildInstallation.removed_at).is_not(None))
    ended += list(await session.scalars(select(col(Pause.scope)).where(col(Pause.installation_id).in_(gone))))
    if ended:
        await resume(session, *ended)
    return len(ended)


async def _put(session: Session, paused: Paused) -> None:
    values = {
        "installation_id": paused.installation_id,
        "caller_key": paused.caller_key,
        "user_id": paused.user_id,
        "cause": paused.cause.value,
        "began_at": paused.began_at,
        "began_by": paused.began_by,
        "until": paused.until,
    }
    statement = insert_into(session, Pause).values(scope=paused.scope, **values)
    await session.execute(statement.on_conflict_do_update(index_elements=["scope"], set_=values))
    await bump(session, Noun.PAUSES)


def _paused(row: Pause) -> Paused:
    return Paused(
        row.scope,
        row.installation_id,
        row.caller_key,
        row.user_id,
        PauseCause(row.cause),
        row.began_at,
        row.began_by,
        row.until,
    )
