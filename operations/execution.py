"""From the sending of an effect to its recorded outcome, in tasks that outlive their callers."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any, TypeVar

import structlog

from operations.base import Context, Inverse, Model, Outcome, SentMessage, Status, WriteOperation
from operations.journal import Journal
from operations.outcomes import STATUS_OF_STATE, sentence
from operations.settlement import Settled, Settlement
from storage.calls import CallRecord
from storage.database import DatabaseUnavailable

T = TypeVar("T")

RECORD_AGAIN_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 5.0


class Execution:
    """Executes what is recorded as executing, and records what came of it.

    A caller who goes away leaves nothing half done: whatever must run to its end is ``shielded``.
    """

    def __init__(self, journal: Journal, settlement: Settlement) -> None:
        self._journal = journal
        self._settlement = settlement
        self._tasks: set[asyncio.Task[Any]] = set()
        self.draining = False
        self._log = structlog.get_logger("guildhall.execution")

    async def run(
        self,
        operation: WriteOperation[Any, Any, Any],
        ctx: Context,
        record: CallRecord,
        effect: Model,
        inverse: Inverse | None,
        shown: Outcome,
    ) -> Outcome:
        """Sends the effect once and settles the call. ``shown``: the outcome so far, which the answer is made of."""
        settled = await self._settlement.execute(operation, ctx, effect, record.began_at)
        outcome = replace(
            shown,
            status=STATUS_OF_STATE[settled.state],
            data=settled.result,
            detail=sentence(settled.detail, settled.remedy),
            error_code=settled.error_code,
        )
        sent: tuple[SentMessage, ...] = ()
        if settled.result is not None:
            inverse = operation.inverse_of(effect, settled.result) or inverse
            sent = operation.messages_of(effect, settled.result)
        try:
            await self.settle(record, settled, inverse, outcome, sent)
        except DatabaseUnavailable:
            self.background(self._settle_later(record, settled, inverse, outcome, sent))
            return replace(
                outcome,
                status=Status.UNKNOWN,
                detail="It was sent, but its outcome could not be recorded yet; audit_list will show it.",
            )
        return outcome

    async def settle(
        self,
        record: CallRecord,
        settled: Settled,
        inverse: Inverse | None,
        outcome: Outcome,
        sent: tuple[SentMessage, ...] = (),
    ) -> None:
        """Commit 2. Raises DatabaseUnavailable."""
        kept = await self._journal.settle(record, settled, inverse, outcome, sent)
        if not kept:
            self._log.warning("another executor settled this call", call_id=record.call_id)

    async def _settle_later(
        self,
        record: CallRecord,
        settled: Settled,
        inverse: Inverse | None,
        outcome: Outcome,
        sent: tuple[SentMessage, ...],
    ) -> None:
        pause = RECORD_AGAIN_SECONDS
        while True:
            await asyncio.sleep(pause)
            try:
                await self.settle(record, settled, inverse, outcome, sent)
            except DatabaseUnavailable:
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            else:
                return

    # ------------------------------------------------------------------- tasks
    async def shielded(self, work: Coroutine[Any, Any, T]) -> T:
        """Waits for work that goes on when its caller goes away."""
        return await asyncio.shield(self.background(work))

    def background(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Work that the end of the process waits for."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def drain(self, timeout_seconds: float) -> None:
        """Refuses new writes and waits for those under way; what is not done by then is taken up at the next start."""
        self.draining = True
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=timeout_seconds)
        for task in list(self._tasks):
            task.cancel()
