"""From the sending of an effect to its recorded outcome, in tasks that outlive their callers."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any, TypeVar

import structlog

from operations.base import Context, Inverse, Model, Outcome, SentMessage, Status, WriteOperation
from operations.errors import Refused
from operations.journal import Applied, Journal, Kept, TakenOver
from operations.outcomes import STATUS_OF_STATE, sentence
from operations.platform_writes import PlatformWrite
from operations.settlement import NOT_APPLIED, Settled, Settlement
from storage.calls import CallRecord, CallState
from storage.database import DatabaseUnavailable, Session

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
        if isinstance(operation, PlatformWrite):
            return await self._apply(operation, ctx, record, effect, inverse, shown)
        settled = await self._settlement.execute(operation, ctx, effect, record.began_at)
        outcome = _answer(shown, settled)
        sent: tuple[SentMessage, ...] = ()
        keep: Kept | None = None
        if settled.result is not None:
            inverse = operation.inverse_of(effect, settled.result) or inverse
            sent = operation.messages_of(effect, settled.result)
            keep = kept_by(operation, record, effect, settled.result)
        try:
            return await self.settle(record, settled, inverse, outcome, sent, keep)
        except DatabaseUnavailable:
            self.background(self._settle_later(record, settled, inverse, outcome, sent, keep))
            return replace(
                outcome,
                status=Status.UNKNOWN,
                detail="It was sent, but its outcome could not be recorded yet; audit_list will show it.",
            )

    async def _apply(
        self,
        operation: PlatformWrite[Any, Any, Any],
        ctx: Context,
        record: CallRecord,
        effect: Model,
        inverse: Inverse | None,
        shown: Outcome,
    ) -> Outcome:
        """The effect and its outcome in one transaction; a refusal or a mistake leaves neither."""

        async def work(session: Session) -> Applied:
            result = await operation.apply(ctx, session, effect)
            settled = Settled(CallState.DONE, result)
            return Applied(settled, operation.inverse_of(effect, result) or inverse, _answer(shown, settled))

        try:
            return await self._journal.apply(record, work)
        except Refused as refused:
            failed = Settled(CallState.FAILED, detail=refused.refusal.reason, remedy=refused.refusal.remedy)
        except DatabaseUnavailable:
            # Not kept, or kept and the answer lost: the later of the two attempts finds the row settled.
            failed = Settled(CallState.FAILED, detail=NOT_APPLIED)
            self.background(self._settle_later(record, failed, None, _answer(shown, failed), (), None))
            detail = "The database broke off meanwhile; audit_list will show whether it was done."
            return replace(shown, status=Status.UNKNOWN, detail=detail)
        except TakenOver:
            self._log.warning("another executor settled this call", call_id=record.call_id)
            return replace(shown, status=Status.UNKNOWN, detail="Another process took it over; ask audit_list.")
        except Exception:  # noqa: BLE001 - logged; a mistake of ours must not leave the call without an outcome
            self._log.exception("applying raised", operation=operation.name, call_id=record.call_id)
            failed = Settled(CallState.FAILED, detail="Guildhall made a mistake; its log has the details.")
        outcome = _answer(shown, failed)
        try:
            await self.settle(record, failed, None, outcome)
        except DatabaseUnavailable:
            self.background(self._settle_later(record, failed, None, outcome, (), None))
        return outcome

    async def settle(
        self,
        record: CallRecord,
        settled: Settled,
        inverse: Inverse | None,
        outcome: Outcome,
        sent: tuple[SentMessage, ...] = (),
        keep: Kept | None = None,
    ) -> Outcome:
        """Commit 2; the outcome as it was recorded. Raises DatabaseUnavailable."""
        recorded = await self._journal.settle(record, settled, inverse, outcome, sent, keep)
        if recorded is None:
            self._log.warning("another executor settled this call", call_id=record.call_id)
            return outcome
        return recorded

    async def _settle_later(
        self,
        record: CallRecord,
        settled: Settled,
        inverse: Inverse | None,
        outcome: Outcome,
        sent: tuple[SentMessage, ...],
        keep: Kept | None,
    ) -> None:
        pause = RECORD_AGAIN_SECONDS
        while True:
            await asyncio.sleep(pause)
            try:
                await self.settle(record, settled, inverse, outcome, sent, keep)
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


def kept_by(operation: WriteOperation[Any, Any, Any], record: CallRecord, effect: Model, result: Model) -> Kept | None:
    """What the operation writes with its outcome; None where it writes nothing."""
    if not any("keep" in vars(kind) for kind in type(operation).__mro__ if kind is not WriteOperation):
        return None

    async def keep(session: Session) -> Model | None:
        return await operation.keep(session, record, effect, result)

    return keep


def _answer(shown: Outcome, settled: Settled) -> Outcome:
    return replace(
        shown,
        status=STATUS_OF_STATE[settled.state],
        data=settled.result,
        detail=sentence(settled.detail, settled.remedy),
        error_code=settled.error_code,
    )
