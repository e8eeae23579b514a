"""A clock that goes on when a test says so, with timers."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class FakeTimer:
    action: Callable[[], None]
    is_cancelled: bool = False

    def cancel(self) -> None:
        self.is_cancelled = True


class FakeTime:
    """``clock`` and ``call_later`` for what takes them."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now
        self._timers: list[tuple[float, int, FakeTimer]] = []
        self._numbers = itertools.count()

    def clock(self) -> float:
        return self.now

    def call_later(self, delay_seconds: float, action: Callable[[], None]) -> FakeTimer:
        timer = FakeTimer(action)
        heapq.heappush(self._timers, (self.now + delay_seconds, next(self._numbers), timer))
        return timer

    def advance(self, seconds: float) -> None:
        """Lets time pass, with each timer at its own moment."""
        until = self.now + seconds
        while self._next(until):
            pass
        self.now = until

    async def passes(self, seconds: float) -> None:
        """The same, and lets those who were woken go on at the moment they were."""
        until = self.now + seconds
        while self._next(until):  # noqa: ASYNC110 - nothing is waited for: others get their turn
            await asyncio.sleep(0)
        self.now = until

    def _next(self, until: float) -> bool:
        """Lets the next timer strike; False when none does by then."""
        if not self._timers or self._timers[0][0] > until:
            return False
        self.now, _, timer = heapq.heappop(self._timers)
        if not timer.is_cancelled:
            timer.action()
        return True
