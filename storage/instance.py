"""What the instance remembers of itself: the mark of the database, the default workspace."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import inspect

from storage.database import Session
from storage.tables import BotConfig
from storage.upserts import insert_into

ADDRESS = "address"
"""The key of where the running process listens."""


class Mark(StrEnum):
    """What a database is for. A sandbox never opens one of production, nor the other way round."""

    SANDBOX = "sandbox"
    PRODUCTION = "production"


class MarkMismatch(Exception):
    """The database is marked for the other use."""


async def get(session: Session, key: str) -> str | None:
    row = await session.get(BotConfig, key)
    return None if row is None else row.value


async def is_there(session: Session) -> bool:
    """Whether the database has been migrated so far that it can remember anything."""
    return await session.run_sync(lambda sync: inspect(sync.connection()).has_table(str(BotConfig.__tablename__)))


async def put(session: Session, key: str, value: str) -> None:
    statement = insert_into(session, BotConfig).values(key=key, value=value)
    await session.execute(statement.on_conflict_do_update(index_elements=["key"], set_={"value": value}))


async def put_new(session: Session, key: str, value: str) -> str:
    """Keeps the value unless there is one already; the one that holds."""
    statement = insert_into(session, BotConfig).values(key=key, value=value)
    await session.execute(statement.on_conflict_do_nothing(index_elements=["key"]))
    return await get(session, key) or value


async def mark(session: Session) -> Mark | None:
    """None for a database that was never marked."""
    found = await get(session, "mark")
    return None if found is None else Mark(found)


async def set_mark(session: Session, wanted: Mark) -> None:
    """Marks the database, once for all. Raises MarkMismatch when it has the other mark."""
    statement = insert_into(session, BotConfig).values(key="mark", value=wanted.value)
    await session.execute(statement.on_conflict_do_nothing(index_elements=["key"]))
    found = await mark(session)
    if found is not wanted:
        raise MarkMismatch(
            f"This database is marked '{found}' and can't be used for '{wanted}'. Set DATABASE_URL to another one."
        )
