"""Allowed reads are counted in memory and written in one go: an entry each would cost more than the reads."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

from policy.model import Caller
from storage.audit import ReadKey

_DAY_SECONDS = 86_400


class ReadCounts:
    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._counts: Counter[ReadKey] = Counter()
        self._day, self._day_number = "", -1

    def count(self, caller: Caller, operation: str) -> None:
        key = ReadKey(caller.workspace_id or "", caller.client_id, caller.user_id or 0, operation, self._today())
        self._counts[key] += 1

    def _today(self) -> str:
        """In UTC, whose days have 86,400 seconds of the epoch each."""
        now = self._clock()
        number = int(now // _DAY_SECONDS)
        if number != self._day_number:
            self._day, self._day_number = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d"), number
        return self._day

    def take(self) -> Counter[ReadKey]:
        """The reads since the last call."""
        taken, self._counts = self._counts, Counter()
        return taken

    def put_back(self, counts: Counter[ReadKey]) -> None:
        """Counts that could not be written."""
        self._counts.update(counts)
