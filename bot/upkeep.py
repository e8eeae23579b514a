"""Small jobs of the active process: counts and taint to the database, retention."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import structlog

from operations.read_counts import ReadCounts
from operations.taints import Taints
from storage import audit, audit_chain, erasure_requests, taints
from storage.database import Database, DatabaseUnavailable
from storage.forgetting import Forgetting

log = structlog.get_logger(__name__)

FLUSH_SECONDS = 1.0
RETENTION_SECONDS = 600.0
FORGET_AGAIN_SECONDS = 30.0
DAY_SECONDS = 86_400.0


class Upkeep:
    def __init__(
        self,
        database: Database,
        read_counts: ReadCounts,
        marks: Taints,
        forgetting: Forgetting,
        *,
        is_active: Callable[[], bool],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._read_counts = read_counts
        self._marks = marks
        self._forgetting = forgetting
        self._is_active = is_active
        self._clock = clock

    async def load(self) -> None:
        """Taint of before this start. Raises DatabaseUnavailable."""
        async with self._database.read() as session:
            self._marks.load(await taints.load(session, self._clock()))

    async def run(self) -> None:
        """Until cancelled; what could not be written is tried again. Flushes once more at the end."""
        next_retention = next_heads = next_erasing = 0.0
        try:
            while True:
                await asyncio.sleep(FLUSH_SECONDS)
                await self.flush()
                if self._is_active() and self._clock() >= next_retention:
                    await self.retain()
                    next_retention = self._clock() + RETENTION_SECONDS
                if self._is_active() and self._clock() >= next_erasing:
                    await self.forget_again()
                    next_erasing = self._clock() + FORGET_AGAIN_SECONDS
                if self._is_active() and self._clock() >= next_heads:
                    await self._log_heads()
                    next_heads = self._clock() + DAY_SECONDS
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

    async def retain(self) -> None:
        """Erases what has been kept long enough: exactly what Forgetting says, as long as it says."""
        now = self._clock()
        try:
            for kept in self._forgetting.kept():
                if kept.erase is None or kept.seconds is None:
                    continue
                # Some at a time, each a transaction of its own: writes of calls come in between.
                while True:
                    async with self._database.unit_of_work() as session:
                        if not await kept.erase(session, self._database.keyring, now - kept.seconds):
                            break
        except DatabaseUnavailable:
            log.warning("retention waits for the database")

    async def forget_again(self) -> None:
        """What was under way when its person asked to be forgotten."""
        try:
            async with self._database.read() as session:
                if not await erasure_requests.all(session):
                    return
            async with self._database.unit_of_work() as session:
                await self._forgetting.forgotten_again(session, self._clock())
        except DatabaseUnavailable:
            log.warning("erasing waits for the database")

    async def _log_heads(self) -> None:
        """Once a day, where the audit's chains end: kept apart from the database, a line shows a truncation later."""
        try:
            async with self._database.read() as session:
                for head in await audit_chain.heads(session):
                    log.info("audit head", workspace_id=head.workspace_id, seq=head.seq, mac=head.mac)
        except DatabaseUnavailable:
            log.warning("audit heads not logged: the database does not answer")
