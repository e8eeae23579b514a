"""Small jobs of the active process: counts and taint to the database, expiry, retention."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import structlog

from operations.read_counts import ReadCounts
from operations.taints import Taints
from storage import audit, call_retention, calls, idempotency, taints
from storage.database import Database, DatabaseUnavailable

log = structlog.get_logger(__name__)

FLUSH_SECONDS = 1.0
RETENTION_SECONDS = 600.0


class Upkeep:
    def __init__(
        self,
        database: Database,
        read_counts: ReadCounts,
        marks: Taints,
        *,
        is_active: Callable[[], bool],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._read_counts = read_counts
        self._marks = marks
        self._is_active = is_active
        self._clock = clock

    async def load(self) -> None:
        """Taint of before this start. Raises DatabaseUnavailable."""
        async with self._database.read() as session:
            self._marks.load(await taints.load(session, self._clock()))

    async def run(self) -> None:
        """Until cancelled; what could not be written is tried again. Flushes once more at the end."""
        next_retention = 0.0
        try:
            while True:
                await asyncio.sleep(FLUSH_SECONDS)
                await self.flush()
                if self._is_active() and self._clock() >= next_retention:
                    await self._retain()
                    next_retention = self._clock() + RETENTION_SECONDS
        finally:
            await self.flush()

    async def flush(self) -> None:
        counts, marks = self._read_counts.take(), self._marks.take_unsaved()
        if not counts and not marks:
            return
        try:
            async with self._database.unit_of_work() as session:
                await audit.count_reads(session, counts)
                await taints.put_all(session, marks, self._clock())
        except DatabaseUnavailable:
            self._read_counts.put_back(counts)
            self._marks.put_back(marks)

    async def _retain(self) -> None:
        now = self._clock()
        try:
            async with self._database.unit_of_work() as session:
                await calls.expire(session, now)
                await call_retention.erase_expired(session, now)
                await idempotency.erase_expired(session, now)
                await taints.erase_expired(session, now)
        except DatabaseUnavailable:
            log.warning("retention waits for the database")
