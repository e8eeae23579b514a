from __future__ import annotations

import asyncio
import sqlite3

import pytest
from sqlalchemy import text

from storage import engines
from storage.database import Database
from storage.leases import ProcessLease
from tests.storage.conftest import Eventually


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def lease(database: Database, name: str, clock: Clock) -> ProcessLease:
    return ProcessLease(database, name, clock=clock, monotonic=clock)


async def test_exactly_one_of_many_holds_the_lease(database: Database) -> None:
    clock = Clock()
    leases = [lease(database, f"p{number}", clock) for number in range(8)]
    won = await asyncio.gather(*(one.acquire() for one in leases))
    assert sum(won) == 1
    assert [one.held for one in leases] == won


async def test_a_lease_runs_out_and_another_process_takes_it(database: Database) -> None:
    clock = Clock()
    first, second = lease(database, "first", clock), lease(database, "second", clock)
    assert await first.acquire()
    clock.now += 14.9
    assert first.held
    assert not await second.acquire()
    clock.now += 0.1
    assert not first.held
    assert await second.acquire()
    assert not await first.acquire()
    assert second.held


async def test_a_renewed_lease_is_kept(database: Database) -> None:
    clock = Clock()
    first, second = lease(database, "first", clock), lease(database, "second", clock)
    for _ in range(5):
        assert await first.acquire()
        clock.now += 10
        assert not await second.acquire()


async def test_a_released_lease_is_free_at_once(database: Database) -> None:
    clock = Clock()
    first, second = lease(database, "first", clock), lease(database, "second", clock)
    await first.acquire()
    await second.release()
    assert not await second.acquire()
    await first.release()
    assert not first.held
    assert await second.acquire()


async def test_by_the_clock_of_the_database_a_lease_is_held_and_refused(database: Database) -> None:
    first, second = ProcessLease(database, "first"), ProcessLease(database, "second")
    assert await first.acquire()
    assert not await second.acquire()
    assert first.held
    short = ProcessLease(database, "third", name="other", ttl_seconds=0.2, renew_seconds=0.1)
    assert await short.acquire()


async def test_a_lease_that_can_not_be_renewed_is_held_no_more_and_comes_back(
    sqlite: Database, eventually: Eventually
) -> None:
    async with sqlite.unit_of_work() as session:
        await session.execute(text("PRAGMA busy_timeout=10"))
    mine = ProcessLease(sqlite, "mine", ttl_seconds=0.5, renew_seconds=0.1)
    changes: list[bool] = []
    mine.subscribe(changes.append)
    running = asyncio.create_task(mine.run())

    async def told_that_held() -> bool:
        return changes[-1:] == [True] and mine.held

    async def told_that_lost() -> bool:
        return changes[-1:] == [False] and not mine.held

    await eventually(told_that_held)
    other = sqlite3.connect(engines.sqlite_path(sqlite.url), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    await eventually(told_that_lost)
    other.execute("ROLLBACK")
    other.close()
    await eventually(told_that_held)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert changes == [True, False, True, False]


async def test_a_running_lease_passes_on_when_its_holder_ends(database: Database, eventually: Eventually) -> None:
    first = ProcessLease(database, "first", ttl_seconds=5, renew_seconds=0.05)
    second = ProcessLease(database, "second", ttl_seconds=5, renew_seconds=0.05)
    changes: list[tuple[str, bool]] = []
    first.subscribe(lambda held: changes.append(("first", held)))
    second.subscribe(lambda held: changes.append(("second", held)))

    async def first_holds() -> bool:
        return first.held

    async def second_holds() -> bool:
        return second.held

    running_first = asyncio.create_task(first.run())
    await eventually(first_holds)
    running_second = asyncio.create_task(second.run())
    running_first.cancel()
    await eventually(second_holds)
    assert not first.held
    running_second.cancel()
    results = await asyncio.gather(running_first, running_second, return_exceptions=True)
    assert all(isinstance(result, asyncio.CancelledError) for result in results)
    assert changes == [("first", True), ("first", False), ("second", True), ("second", False)]


async def test_a_lease_must_be_renewed_before_it_runs_out(database: Database) -> None:
    with pytest.raises(ValueError, match="renewed"):
        ProcessLease(database, "p", ttl_seconds=5, renew_seconds=5)
