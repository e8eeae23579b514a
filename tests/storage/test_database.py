from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from storage import instance
from storage.database import Database, DatabaseUnavailable
from storage.instance import Mark, MarkMismatch
from tests.storage import rows


async def test_a_unit_of_work_is_there_for_the_next_read(database: Database) -> None:
    async with database.unit_of_work() as session:
        await instance.put(session, "color", "blue")
    async with database.read() as session:
        assert await instance.get(session, "color") == "blue"


async def test_a_failing_unit_leaves_nothing(database: Database) -> None:
    async def fail() -> None:
        async with database.unit_of_work() as session:
            await instance.put(session, "color", "blue")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with database.read() as session:
        assert await instance.get(session, "color") is None


async def test_a_read_can_not_write(database: Database) -> None:
    with pytest.raises((DBAPIError, DatabaseUnavailable), match=r"read-only|can't be written"):
        async with database.read() as session:
            await instance.put(session, "color", "blue")
    async with database.read() as session:
        assert await instance.get(session, "color") is None


async def test_a_unit_inside_a_unit_is_refused_at_once(database: Database) -> None:
    async with database.unit_of_work():
        with pytest.raises(RuntimeError, match="inside another"):
            async with database.unit_of_work():
                pass


async def test_a_violated_constraint_is_told_as_such(database: Database) -> None:
    statement = text("INSERT INTO guild_policy VALUES ('in_none', '{}', 0, NULL)")
    with pytest.raises(IntegrityError):
        async with database.unit_of_work() as session:
            await session.execute(statement)
    async with database.unit_of_work() as session:
        await instance.put(session, "color", "green")


async def test_a_session_that_was_kept_can_not_be_used_any_more(database: Database) -> None:
    async with database.unit_of_work() as session:
        kept = session
    with pytest.raises(Exception, match="closed"):
        await instance.get(kept, "color")


async def test_ping_takes_time(database: Database) -> None:
    assert await database.ping() > 0


async def test_sqlite_is_set_up_to_survive_a_crash(sqlite: Database) -> None:
    async with sqlite.unit_of_work() as session:
        found = {
            name: (await session.execute(text(f"PRAGMA {name}"))).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}


async def test_a_marked_database_keeps_its_mark(database: Database) -> None:
    async with database.unit_of_work() as session:
        assert await instance.mark(session) is None
        await instance.set_mark(session, Mark.SANDBOX)
        await instance.set_mark(session, Mark.SANDBOX)
    with pytest.raises(MarkMismatch, match="sandbox"):
        async with database.unit_of_work() as session:
            await instance.set_mark(session, Mark.PRODUCTION)
    async with database.read() as session:
        assert await instance.mark(session) is Mark.SANDBOX


async def test_the_repr_holds_no_password(database: Database) -> None:
    assert "***" in repr(database) or ":" in repr(database)
    assert "hunter2" not in repr(Database(database.url.set(password="hunter2"), database.keyring, None, None))  # type: ignore[arg-type]


async def test_rows_of_the_fixtures_can_be_written(database: Database) -> None:
    assert (await rows.installed(database)).guild_id == rows.GUILD
