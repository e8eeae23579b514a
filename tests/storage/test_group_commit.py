from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from storage import engines, group_commit, instance
from storage.database import Database, DatabaseUnavailable


async def stored(database: Database) -> set[str]:
    async with database.read() as session:
        found = await session.execute(text("SELECT key FROM bot_config"))
        return set(found.scalars())


async def put(database: Database, key: str) -> None:
    async with database.unit_of_work() as session:
        await instance.put(session, key, "x")


async def test_concurrent_units_share_commits(sqlite: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "LONGEST_SECONDS", 60.0)
    before = sqlite.groups_committed
    await asyncio.gather(*(put(sqlite, f"k{number}") for number in range(128)))
    assert len(await stored(sqlite)) == 128
    assert sqlite.groups_committed - before == 2


async def test_a_failing_unit_takes_nobody_with_it(database: Database) -> None:
    async def fail(key: str) -> None:
        async with database.unit_of_work() as session:
            await instance.put(session, key, "x")
            raise ZeroDivisionError

    work = [put(database, f"k{n}") if n % 3 else fail(f"k{n}") for n in range(12)]
    results = await asyncio.gather(*work, return_exceptions=True)
    assert [isinstance(result, ZeroDivisionError) for result in results] == [n % 3 == 0 for n in range(12)]
    assert await stored(database) == {f"k{n}" for n in range(12) if n % 3}


async def test_a_unit_that_violates_a_constraint_takes_nobody_with_it(database: Database) -> None:
    async def violate() -> None:
        async with database.unit_of_work() as session:
            await session.execute(text("INSERT INTO guild_policy VALUES ('in_none', '{}', 0, NULL)"))

    results = await asyncio.gather(put(database, "a"), violate(), put(database, "b"), return_exceptions=True)
    assert [result is None for result in results] == [True, False, True]
    assert await stored(database) == {"a", "b"}


async def test_a_cancelled_unit_takes_nobody_with_it(database: Database) -> None:
    inside = asyncio.Event()

    async def linger() -> None:
        async with database.unit_of_work() as session:
            await instance.put(session, "lingering", "x")
            inside.set()
            await asyncio.Event().wait()

    first = asyncio.create_task(put(database, "first"))
    lingering = asyncio.create_task(linger())
    last = asyncio.create_task(put(database, "last"))
    await inside.wait()
    lingering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await lingering
    await asyncio.gather(first, last)
    assert await stored(database) == {"first", "last"}


async def test_units_cancelled_at_any_moment_are_there_whole_or_not_at_all(database: Database) -> None:
    """Each unit writes two rows; it is cancelled after a growing number of steps of the loop."""

    async def write_two(number: int) -> None:
        async with database.unit_of_work() as session:
            await instance.put(session, f"{number}a", "x")
            await instance.put(session, f"{number}b", "x")

    async def cancel_after(task: asyncio.Task[None], steps: int) -> None:
        for _ in range(steps):
            if task.done():
                return
            await asyncio.sleep(0)
        task.cancel()

    tasks = [asyncio.create_task(write_two(number)) for number in range(60)]
    await asyncio.gather(*(cancel_after(task, 1 + 3 * number) for number, task in enumerate(tasks)))
    results = await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.gather(*(put(database, f"after{number}") for number in range(5)))
    found = await stored(database)
    for number, result in enumerate(results):
        assert (f"{number}a" in found) is (f"{number}b" in found)
        if result is None:
            assert f"{number}a" in found
        else:
            assert isinstance(result, asyncio.CancelledError)
    assert {f"after{number}" for number in range(5)} <= found


async def test_a_unit_that_waits_too_long_for_its_turn_is_told_so(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "WAIT_SECONDS", 0.05)
    async with sqlite.unit_of_work() as session:
        await instance.put(session, "slow", "x")
        with pytest.raises(DatabaseUnavailable, match="too long"):
            await asyncio.create_task(put(sqlite, "waiting"))
    await put(sqlite, "next")
    assert await stored(sqlite) == {"slow", "next"}


async def test_a_database_that_closes_lets_waiting_units_finish(sqlite: Database) -> None:
    async with Database.open(str(sqlite.url), sqlite.keyring, migrate=False) as other:
        waiting = [asyncio.create_task(put(other, f"k{number}")) for number in range(20)]
        await asyncio.sleep(0)
    await asyncio.gather(*waiting)
    assert len(await stored(sqlite)) == 20
    with pytest.raises(DatabaseUnavailable, match="closed"):
        await put(other, "late")


async def test_a_unit_that_outlasts_the_closing_is_told_so(sqlite: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "WAIT_SECONDS", 0.1)
    inside, leave = asyncio.Event(), asyncio.Event()

    async def linger(database: Database) -> None:
        async with database.unit_of_work() as session:
            await instance.put(session, "lingering", "x")
            inside.set()
            await leave.wait()

    async with Database.open(str(sqlite.url), sqlite.keyring, migrate=False) as other:
        lingering = asyncio.create_task(linger(other))
        waiting = asyncio.create_task(put(other, "waiting"))
        await inside.wait()
    leave.set()
    results = await asyncio.gather(lingering, waiting, return_exceptions=True)
    assert [type(result) for result in results] == [DatabaseUnavailable, DatabaseUnavailable]
    assert await stored(sqlite) == set()
