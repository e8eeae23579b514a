"""Never more than the limit in any one second, in turns, and whoever floods waits behind himself alone."""

from __future__ import annotations

import asyncio
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.request_budget import REQUESTS_PER_SECOND, RequestBudget
from operations.ledger import Ledger, Priority, SendRefused
from tests.bot.fake_time import FakeTime

FLOODER, OTHER = 1, 2


class Line:
    """Requests that ask a budget for a turn, and when each got it."""

    def __init__(self, budget: RequestBudget, time: FakeTime) -> None:
        self.budget = budget
        self.time = time
        self.sent: list[tuple[float, str]] = []
        self.refused: list[SendRefused] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def ask(self, guild_id: int, caller: str = "ada", priority: Priority = Priority.READ, count: int = 1) -> None:
        """Asks without waiting for the turn."""
        ledger = Ledger("read", "cl_1", f"{caller}@{guild_id}", guild_id, priority)
        self.tasks += [asyncio.create_task(self._asked(ledger)) for _ in range(count)]
        await asyncio.sleep(0)

    async def _asked(self, ledger: Ledger) -> None:
        try:
            await self.budget.acquire(ledger)
        except SendRefused as refused:
            self.refused.append(refused)
        else:
            self.sent.append((self.time.now, f"{ledger.caller_id} {ledger.priority.name}"))

    def at(self, who: str) -> list[float]:
        return [at for at, name in self.sent if name.startswith(who)]

    async def end(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


def line(limit: int = REQUESTS_PER_SECOND, longest_wait_seconds: float = 30.0) -> Line:
    time = FakeTime()
    budget = RequestBudget(
        limit, longest_wait_seconds=longest_wait_seconds, clock=time.clock, call_later=time.call_later
    )
    return Line(budget, time)


async def test_a_request_for_which_there_is_room_leaves_without_waiting_for_the_event_loop() -> None:
    time = FakeTime()
    budget = RequestBudget(clock=time.clock, call_later=time.call_later)
    for _ in range(20):
        # A coroutine that never suspends ends at its first step.
        with pytest.raises(StopIteration):
            budget.acquire(None).send(None)
    assert (budget.waiting, len(asyncio.all_tasks())) == (0, 1)


@given(st.lists(st.tuples(st.floats(0, 1.5), st.integers(1, 3), st.integers(1, 12)), max_size=25))
async def test_no_second_holds_more_than_the_limit_and_none_is_forgotten(asks: list[tuple[float, int, int]]) -> None:
    asked = line(9, longest_wait_seconds=1_000)
    for pause_seconds, guild_id, count in asks:
        await asked.time.passes(pause_seconds)
        await asked.ask(guild_id, count=count)
    await asked.time.passes(sum(count for *_, count in asks) / 4 + 2)
    times = [at for at, _ in asked.sent]
    assert len(times) == sum(count for *_, count in asks)
    assert all(later - earlier >= 1.0 - 1e-6 for earlier, later in zip(times, times[9:], strict=False))


async def test_of_the_limit_nearly_all_can_be_used_by_one_guild() -> None:
    asked = line()
    await asked.ask(FLOODER, count=400)
    await asked.time.passes(5)
    assert len(asked.sent) >= 5 * REQUESTS_PER_SECOND * 0.8
    await asked.end()


async def test_who_waits_leaves_evenly_so_that_nobody_waits_for_a_burst_to_be_over() -> None:
    asked = line()
    await asked.ask(FLOODER, count=400)
    await asked.time.passes(5)
    times = asked.at("ada")[20:]
    assert max(later - earlier for earlier, later in pairwise(times)) <= 0.06
    await asked.end()


async def test_a_guild_that_asks_seldom_does_not_wait_behind_one_that_floods() -> None:
    asked = line()
    await asked.ask(FLOODER, count=1_000)
    for _ in range(25):
        before = asked.time.now
        await asked.ask(OTHER, "bela")
        assert asked.at("bela")[-1] == before, "five a second leave at once"
        await asked.time.passes(0.2)
    for _ in range(50):
        before = asked.time.now
        await asked.ask(OTHER, "bela")
        await asked.time.passes(0.1)
        assert asked.at("bela")[-1] - before <= 0.035, "ten a second wait for a turn"
    await asked.end()


async def test_a_caller_that_asks_seldom_waits_at_most_a_turn_behind_one_of_his_own_guild_that_floods() -> None:
    asked = line()
    await asked.ask(FLOODER, count=1_000)
    for _ in range(50):
        before = asked.time.now
        await asked.ask(FLOODER, "bela")
        await asked.time.passes(0.2)
        assert asked.at("bela")[-1] - before <= 0.125
    await asked.end()


async def test_two_guilds_that_flood_get_the_same_however_many_callers_they_have() -> None:
    asked = line()
    for caller in "abcdefgh":
        await asked.ask(FLOODER, caller, count=30)
    await asked.ask(OTHER, "bela", count=200)
    await asked.time.passes(5)
    counted = Counter(name.partition("@")[2][:1] for _, name in asked.sent)
    assert abs(counted["1"] - counted["2"]) <= 20, "no more than a burst apart"
    assert max(Counter(name for _, name in asked.sent if "@1" in name).values()) <= 30
    await asked.end()


async def test_what_was_confirmed_goes_before_reads_edits_and_typing_and_nothing_starves() -> None:
    asked = line()
    await asked.ask(FLOODER, "filler", count=20)
    for priority in reversed(Priority):
        await asked.ask(FLOODER, priority=priority, count=100)
    await asked.time.passes(4)
    counted = Counter(name.split()[1] for _, name in asked.sent if name.startswith("ada"))
    ordered = [counted[priority.name] for priority in Priority]
    assert ordered == sorted(ordered, reverse=True)
    assert counted["TYPING"] > 0
    assert counted["EDIT"] == pytest.approx(counted["READ"] / 2, abs=1), "a third, of edits and reads"
    assert asked.sent[21][1].endswith("FIRST"), "next after the one that found nobody waiting"
    await asked.end()


async def test_a_caller_that_floods_is_told_when_to_come_back_while_others_pass() -> None:
    asked = line()
    await asked.ask(FLOODER, count=2_000)
    assert len(asked.sent) == 21
    assert len(asked.refused) == 2_000 - 21 - 1_200
    assert asked.refused[0].retry_after_seconds == pytest.approx(30.025)
    assert "try again in 30 seconds" in str(asked.refused[0])
    refused = len(asked.refused)
    await asked.ask(FLOODER, "bela")
    await asked.ask(OTHER, count=10)
    await asked.time.passes(1.0)
    assert len(asked.refused) == refused
    assert len(asked.at("bela")) == 1
    assert len([name for _, name in asked.sent if "@2" in name]) == 10
    await asked.end()


async def test_a_request_that_is_cancelled_while_it_waits_takes_no_turn() -> None:
    asked = line(1)
    await asked.ask(FLOODER, count=3)
    assert (len(asked.sent), asked.budget.waiting) == (1, 2)
    asked.tasks[1].cancel()
    await asyncio.gather(asked.tasks[1], return_exceptions=True)
    assert asked.budget.waiting == 1
    await asked.time.passes(1.01)
    assert (len(asked.sent), asked.budget.waiting) == (2, 0)


async def test_a_request_that_is_cancelled_at_the_moment_of_its_turn_leaves_the_turn_to_the_next() -> None:
    asked = line(1)
    await asked.ask(FLOODER, count=3)
    asked.tasks[1].cancel()
    asked.time.advance(1.0)
    await asyncio.gather(*asked.tasks, return_exceptions=True)
    assert (len(asked.sent), asked.budget.waiting) == (2, 0)


async def test_what_is_free_is_what_could_still_leave_within_the_second() -> None:
    time = FakeTime()
    budget = RequestBudget(clock=time.clock, call_later=time.call_later)
    assert budget.free == REQUESTS_PER_SECOND
    line = Line(budget, time)
    await line.ask(OTHER, count=5)
    assert budget.free == REQUESTS_PER_SECOND - 5
    await line.ask(OTHER, count=REQUESTS_PER_SECOND)
    assert (budget.free, budget.waiting > 0) == (0, True)
    await line.end()
