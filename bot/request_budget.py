"""The global limit of Discord's REST API, kept before Discord has to enforce it."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable

from operations.ledger import Ledger, SendRefused

# https://discord.com/developers/docs/topics/rate-limits#global-rate-limit: 50 a second for a bot; some room is left.
REQUESTS_PER_SECOND = 45
LONGEST_WAIT_SECONDS = 30.0


class RequestBudget:
    """At most 45 requests leave in any one second; the others wait their turn, in order.

    A window that slides, rather than a bucket that refills: a full bucket lets twice the limit through in one second.
    """

    def __init__(
        self,
        requests_per_second: int = REQUESTS_PER_SECOND,
        *,
        longest_wait_seconds: float = LONGEST_WAIT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._longest_wait_seconds = longest_wait_seconds
        self._clock = clock
        self._sleep = sleep
        self._turns: deque[float] = deque(maxlen=requests_per_second)

    async def acquire(self, ledger: Ledger | None) -> None:
        """Wait for a turn to send. ``ledger``: the call that asks, None outside of one.

        Raises SendRefused, without taking a turn, when so many wait that it would take more than 30 seconds.
        """
        now = self._clock()
        turn_at = now
        if len(self._turns) == self._turns.maxlen:
            turn_at = max(now, self._turns[0] + 1.0)
        if (wait_seconds := turn_at - now) > self._longest_wait_seconds:
            raise SendRefused(f"Too many requests to Discord are waiting; try again in {wait_seconds:.0f} seconds.")
        self._turns.append(turn_at)
        if wait_seconds > 0:
            await self._sleep(wait_seconds)

    def waiting_seconds(self) -> float:
        """How long a request would wait that asked now."""
        if len(self._turns) < (self._turns.maxlen or 0):
            return 0.0
        return max(0.0, self._turns[0] + 1.0 - self._clock())
