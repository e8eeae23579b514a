"""Calls whose executor is gone: what became of them is found out, and settled once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import structlog

from operations.base import Inverse, Model, Outcome, Reconcile, SentMessage, Status, WriteOperation
from operations.callers import Callers
from operations.decider import Decider
from operations.execution import kept_by
from operations.journal import EXECUTION_LEASE_SECONDS, Journal, Kept
from operations.outcomes import STATUS_OF_STATE, sentence
from operations.refusals import Rejected
from operations.registry import Registry
from operations.services import Services
from operations.settlement import NOT_APPLIED, Settled, Settlement
from policy.model import Caller, Kind, Refuse
from storage import calls
from storage.calls import CallRecord, CallState
from storage.database import Database, DatabaseUnavailable

PAUSE_SECONDS = 5.0
AT_ONCE = 8
# How long Discord may be out of reach before a call is left to a person.
ASKED_AGAIN_SECONDS = 600.0


class _Later(Exception):
    """A call's guild, or Discord, cannot be asked now; nothing was sent."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"again in {seconds:.0f} s")
        self.seconds = seconds


class Recovery:
    """Takes every expired lease, its own too, and decides again before anything is sent."""

    def __init__(
        self,
        *,
        registry: Registry,
        database: Database,
        decider: Decider,
        services: Services,
        journal: Journal,
        settlement: Settlement,
        callers: Callers,
        executor_id: str,
        audit_reason: Callable[[str, Caller, str | None], str],
        holds_lease: Callable[[], bool],
        clock: Callable[[], float],
    ) -> None:
        self._registry = registry
        self._database = database
        self._decider = decider
        self._services = services
        self._journal = journal
        self._settlement = settlement
        self._callers = callers
        self._executor_id = executor_id
        self._audit_reason = audit_reason
        self._holds_lease = holds_lease
        self._clock = clock
        self._log = structlog.get_logger("guildhall.recovery")

    async def run(self) -> None:
        """Until cancelled; survives outages of the database and of Discord."""
        while True:
            if self._holds_lease():
                try:
                    await self.once()
                except DatabaseUnavailable:
                    self._log.warning("recovery waits for the database")
                except Exception:  # noqa: BLE001 - a loop that must live on
                    self._log.exception("recovery failed")
            await asyncio.sleep(PAUSE_SECONDS)

    async def once(self) -> list[Outcome]:
        """Takes up what is expired now. Raises DatabaseUnavailable."""
        async with self._database.unit_of_work() as session:
            records = await calls.take_over(
                session,
                self._database.keyring,
                executor=self._executor_id,
                lease_seconds=EXECUTION_LEASE_SECONDS,
                now=self._clock(),
            )
        # Side by side: a message can be found again for two minutes only, and each look may take seconds.
        turns = asyncio.Semaphore(AT_ONCE)

        async def in_turn(record: CallRecord) -> Outcome | None:
            async with turns:
                return await self._recover_or_leave(record)

        outcomes = await asyncio.gather(*(in_turn(record) for record in records))
        return [outcome for outcome in outcomes if outcome is not None]

    async def _recover_or_leave(self, record: CallRecord) -> Outcome | None:
        """One call that cannot be recovered must not keep the others from it: it is taken up again later."""
        try:
            return await self._recover(record)
        except _Later as later:
            await self._release(record, later.seconds)
        except DatabaseUnavailable:
            self._log.warning("recovery waits for the database", call_id=record.call_id)
        except Exception:  # noqa: BLE001 - logged, and tried again when the lease has run out
            self._log.exception("recovery failed", call_id=record.call_id)
        return None

    async def _release(self, record: CallRecord, seconds: float) -> None:
        """Shortens the lease, so that the call is taken up again as soon as its guild can be asked."""
        try:
            async with self._database.unit_of_work() as session:
                until = self._clock() + seconds
                await calls.renew(session, [record.call_id], executor=self._executor_id, lease_until=until)
        except DatabaseUnavailable:
            self._log.warning("recovery waits for the database", call_id=record.call_id)

    async def _recover(self, record: CallRecord) -> Outcome:
        """Raises _Later while its guild cannot be reached, and DatabaseUnavailable."""
        found = self._registry.get(record.operation)
        operation = cast("WriteOperation[Any, Any, Any]", found) if isinstance(found, WriteOperation) else None
        if operation is None or operation.effect_version != record.effect_version:
            return await self._settle(record, _unknown("The operation has changed since."), None)
        caller = self._callers.revive(record)
        if operation.reconcile is Reconcile.ATOMIC:
            return await self._settle(record, Settled(CallState.FAILED, detail=NOT_APPLIED), None)
        effect = operation.Effect.model_validate_json(record.effect)
        if operation.reconcile is not Reconcile.NONCE:
            # Looking sends nothing, so whoever asked for the call may have lost his rights meanwhile.
            try:
                ctx = await self._decider.observer(record, caller, self._services)
            except Rejected as rejected:
                if rejected.truth.retry_after_seconds is not None:
                    raise _Later(rejected.truth.retry_after_seconds) from None
                return await self._settle(record, _unknown(rejected.truth.reason), None)
            settled = await self._settlement.reconcile(operation, ctx, effect, record.began_at, "")
            return await self._recovered(operation, record, effect, settled)
        try:
            prepared = await self._decider.prepare_stored(
                operation,
                effect,
                caller,
                record,
                self._services,
                audit_reason=self._audit_reason(record.call_id, caller, record.reason),
            )
        except Rejected as rejected:
            if rejected.truth.retry_after_seconds is not None:
                raise _Later(rejected.truth.retry_after_seconds) from None
            return await self._settle(record, _unknown(f"Not sent again: {rejected.truth.reason}"), None)
        decision = prepared.decide(0.0)
        if isinstance(decision, Refuse):
            return await self._settle(record, _unknown(f"Not sent again: {decision.reason}"), None)
        settled = await self._settlement.reconcile(operation, prepared.ctx, effect, record.began_at, "")
        return await self._recovered(operation, record, effect, settled)

    async def _recovered(
        self, operation: WriteOperation[Any, Any, Any], record: CallRecord, effect: Model, settled: Settled
    ) -> Outcome:
        if not settled.asked and self._clock() - record.began_at < ASKED_AGAIN_SECONDS:
            raise _Later(PAUSE_SECONDS)
        sent: tuple[SentMessage, ...] = ()
        keep: Kept | None = None
        if settled.result is not None:
            sent = operation.messages_of(effect, settled.result)
            keep = kept_by(operation, record, effect, settled.result)
        return await self._settle(record, settled, _inverse(operation, effect, record, settled), sent, keep)

    async def _settle(
        self,
        record: CallRecord,
        settled: Settled,
        inverse: Inverse | None,
        sent: tuple[SentMessage, ...] = (),
        keep: Kept | None = None,
    ) -> Outcome:
        outcome = Outcome(
            STATUS_OF_STATE.get(settled.state, Status.UNKNOWN),
            record.operation,
            Kind.WRITE,
            record.call_id,
            record.tier,
            data=settled.result,
            detail=sentence(settled.detail, settled.remedy),
            error_code=settled.error_code,
        )
        recorded = await self._journal.settle(record, settled, inverse, outcome, sent, keep)
        self._log.info("recovered", call_id=record.call_id, operation=record.operation, state=settled.state.value)
        return recorded or outcome


def _unknown(detail: str) -> Settled:
    return Settled(CallState.UNKNOWN, detail=detail)


def _inverse(
    operation: WriteOperation[Any, Any, Any], effect: Model, record: CallRecord, settled: Settled
) -> Inverse | None:
    stored = Inverse.model_validate_json(record.inverse) if record.inverse else None
    if settled.result is None:
        return stored
    return operation.inverse_of(effect, settled.result) or stored
