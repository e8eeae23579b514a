from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncGenerator

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from storage import engines, group_commit, instance
from storage.crypto import Keyring
from storage.database import Database, DatabaseUnavailable
from storage.facts import PlatformFacts
from tests import databases
from tests.storage.conftest import Eventually
from tests.storage.cut_line import POSTGRESQL, CutLine

LONGEST_SECONDS = 8.0


@pytest.fixture
async def line() -> AsyncGenerator[CutLine]:
    async with CutLine.open(POSTGRESQL) as opened:
        yield opened


@pytest.fixture
async def far(
    line: CutLine, keyring: Keyring, migrated: databases.MigratedDatabases, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Database]:
    """A database on PostgreSQL, behind the line."""
    async with migrated.fresh_url("postgresql", tmp_path_factory.mktemp("none")) as url:
        behind = make_url(url).set(port=line.port).render_as_string(hide_password=False)
        async with Database.open(behind, keyring, migrate=False) as opened:
            yield opened


async def put(database: Database, key: str) -> None:
    async with database.unit_of_work() as session:
        await instance.put(session, key, "x")


async def stored(database: Database, key: str) -> bool:
    async with database.read() as session:
        return await instance.get(session, key) is not None


async def test_a_locked_file_is_told_and_recovers(sqlite: Database) -> None:
    async with sqlite.unit_of_work() as session:
        await session.execute(text("PRAGMA busy_timeout=50"))
    other = sqlite3.connect(engines.sqlite_path(sqlite.url), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    results = await asyncio.gather(*(put(sqlite, f"k{n}") for n in range(5)), return_exceptions=True)
    assert [type(result) for result in results] == [DatabaseUnavailable] * 5
    assert "locked" in str(results[0])
    other.execute("ROLLBACK")
    other.close()
    await put(sqlite, "after")
    assert await stored(sqlite, "after")
    assert not await stored(sqlite, "k0")


async def test_a_full_disk_is_told_to_the_whole_group_and_recovers(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "LONGEST_SECONDS", 60.0)
    async with sqlite.unit_of_work() as session:
        pages = (await session.execute(text("PRAGMA page_count"))).scalar()
        await session.execute(text(f"PRAGMA max_page_count={pages}"))

    async def put_much(key: str) -> None:
        async with sqlite.unit_of_work() as session:
            await instance.put(session, key, "x" * 200_000)

    results = await asyncio.gather(put(sqlite, "small"), put_much("big"), return_exceptions=True)
    assert [type(result) for result in results] == [DatabaseUnavailable] * 2
    assert not await stored(sqlite, "small")
    async with sqlite.unit_of_work() as session:
        await session.execute(text("PRAGMA max_page_count=1000000"))
    await put_much("big")
    assert await stored(sqlite, "big")


async def test_a_folder_that_does_not_exist_is_made(tmp_path_factory: pytest.TempPathFactory, keyring: Keyring) -> None:
    folder = tmp_path_factory.mktemp("data") / "deep" / "er"
    async with Database.open(f"sqlite:///{folder / 'x.db'}", keyring) as database:
        await put(database, "a")


async def test_a_file_that_is_no_database_is_told(tmp_path_factory: pytest.TempPathFactory, keyring: Keyring) -> None:
    path = tmp_path_factory.mktemp("data") / "x.db"
    path.write_bytes(b"not a database at all" * 1_000)
    with pytest.raises(DatabaseUnavailable, match="no SQLite database"):
        async with Database.open(f"sqlite:///{path}", keyring):
            pass


async def test_a_server_that_is_not_there_is_told_at_once(keyring: Keyring) -> None:
    with pytest.raises(DatabaseUnavailable) as raised:
        async with Database.open("postgresql://ada:hunter2@127.0.0.1:1/none", keyring, migrate=False):
            pass
    assert "hunter2" not in str(raised.value)


async def test_a_restart_of_the_server_is_told_and_survived(far: Database, line: CutLine) -> None:
    await put(far, "before")
    await line.cut()
    began_at = time.monotonic()
    for _ in range(2):
        with pytest.raises(DatabaseUnavailable):
            await put(far, "during")
        with pytest.raises(DatabaseUnavailable):
            await stored(far, "before")
        with pytest.raises(DatabaseUnavailable):
            await far.ping()
    assert time.monotonic() - began_at < LONGEST_SECONDS
    await line.restore()
    await put(far, "after")
    assert await stored(far, "before")
    assert not await stored(far, "during")


async def test_a_line_cut_inside_of_a_unit_leaves_nothing(far: Database, line: CutLine) -> None:
    async def put_two() -> None:
        async with far.unit_of_work() as session:
            await instance.put(session, "half", "x")
            await line.cut()
            await instance.put(session, "whole", "x")

    with pytest.raises(DatabaseUnavailable):
        await put_two()
    await line.restore()
    assert not await stored(far, "half")


async def test_the_age_of_facts_grows_while_the_database_is_gone(
    far: Database, line: CutLine, eventually: Eventually
) -> None:
    facts = PlatformFacts(far)
    assert facts.age_seconds() == float("inf")
    await facts.load()
    watching = asyncio.create_task(facts.watch())

    async def current() -> bool:
        return facts.age_seconds() < 0.5

    async def stale() -> bool:
        return facts.age_seconds() > 2.5

    await eventually(current)
    await line.cut()
    await eventually(stale)
    await line.restore()
    await eventually(current)
    watching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watching
