"""Never more than the limit in any one second, in order, and no endless queue."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.request_budget import RequestBudget
from operations.ledger import SendRefused


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


async def test_requests_below_the_limit_leave_at_once() -> None:
    clock = Clock()
    budget = RequestBudget(3, clock=clock, sleep=clock.sleep)
    for _ in range(3):
        await budget.acquire(None)
    assert clock.now == 1000.0
    assert budget.waiting_seconds() == 1.0


@given(st.lists(st.floats(min_value=0, max_value=1.5, allow_nan=False), max_size=60))
async def test_no_second_holds_more_than_the_limit(pauses: list[float]) -> None:
    clock, sent = Clock(), list[float]()
    budget = RequestBudget(4, clock=clock, sleep=clock.sleep)
    for pause in pauses:
        clock.now += pause
        await budget.acquire(None)
        sent.append(clock.now)
    assert all(later - earlier >= 1.0 - 1e-9 for earlier, later in zip(sent, sent[4:], strict=False))


async def test_a_queue_that_is_too_long_is_refused_with_when_to_come_back() -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    budget = RequestBudget(1, longest_wait_seconds=2, clock=lambda: 0.0, sleep=sleep)
    for _ in range(3):
        await budget.acquire(None)
    assert waits == [1.0, 2.0]
    for _ in range(2):
        with pytest.raises(SendRefused, match="try again in 3 seconds"):
            await budget.acquire(None)
