"""Who sent how many requests to Discord within the last minute."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Mapping

from operations.ledger import Ledger

WINDOW_SECONDS = 60.0
_SLICE_SECONDS = 5.0

By = tuple[int | None, str]


class RequestUsage:
    """Counted in slices of five seconds, so that a minute takes little room however many are sent."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._slices: deque[tuple[float, Counter[By]]] = deque()

    def count(self, ledger: Ledger | None) -> None:
        """One request; ``ledger`` None: the bot's own."""
        now = self._clock()
        if not self._slices or now - self._slices[-1][0] >= _SLICE_SECONDS:
            self._slices.append((now, Counter()))
            self._forget(now)
        by = (None, "") if ledger is None else (ledger.guild_id, ledger.caller_id)
        self._slices[-1][1][by] += 1

    def last_minute(self) -> Mapping[By, int]:
        """Requests by guild and caller; None and empty: those of the bot itself."""
        self._forget(self._clock())
        total: Counter[By] = Counter()
        for _, counted in self._slices:
            total += counted
        return total

    def _forget(self, now: float) -> None:
        while self._slices and now - self._slices[0][0] >= WINDOW_SECONDS:
            self._slices.popleft()
