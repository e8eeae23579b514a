"""Allowed reads are counted in memory and written in one go: an entry each would cost more than the reads."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

from policy.model import Caller
from storage.audit import ReadKey


class ReadCounts:
    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._counts: Counter[ReadKey] = Counter()

    def count(self, caller: Caller, operation: str) -> None:
        day = datetime.fromtimestamp(self._clock(), UTC).strftime("%Y-%m-%d")
        self._counts[ReadKey(caller.workspace_id or "", caller.client_id, caller.user_id or 0, operation, day)] += 1

    def take(self) -> Counter[ReadKey]:
        """The reads since the last call."""
        taken, self._counts = self._counts, Counter()
        return taken

    def put_back(self, counts: Counter[ReadKey]) -> None:
        """Counts that could not be written."""
        self._counts.update(counts)
