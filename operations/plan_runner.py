"""Carrying a confirmed plan out: the claim, the requester's own steps once more, and the stored effect, once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import structlog

from operations.approval import Approval
from operations.base import Context, Model, Outcome, Status, WriteOperation
from operations.callers import Callers
from operations.discord.fingerprints import difference
from operations.errors import Refused
from operations.execution import Execution
from operations.failures import DISCORD_FAILED, refusal_of
from operations.guild_state import GuildVanished
from operations.ledger import phase
from operations.plan_book import PlanBook
from operations.plan_journal import PlanJournal
from operations.plan_refusals import UNKNOWN_PLAN, changed_since
from operations.plan_views import effect_of, inverse_of, outcome_of, shown_preview
from operations.platform_writes import PlatformWrite
from operations.settlement import Settled
from policy.model import Caller, Refuse
from storage.calls import CallRecord, CallState
from storage.database import DatabaseUnavailable

Operation = WriteOperation[Any, Any, Any]
HANDED_OVER_SECONDS = 10.0
LOOK_SECONDS = 0.25


class PlanRunner:
    """Executes plans that are confirmed. Everything here runs shielded from its caller."""

    def __init__(
        self,
        *,
        book: PlanBook,
        journal: PlanJournal,
        approval: Approval,
        execution: Execution,
        callers: Callers,
        audit_reason: Callable[[str, Caller, str | None], str],
        is_active: Callable[[], bool],
    ) -> None:
        self._book = book
        self._journal = journal
        self._approval = approval
        self._execution = execution
        self._callers = callers
        self._audit_reason = audit_reason
        self._is_active = is_active
        self._log = structlog.get_logger("guildhall.plans")

    async def carry_out(self, record: CallRecord, operation: Operation, by: Caller) -> Outcome:
        """From the claim to the outcome. Raises DatabaseUnavailable when the claim could not be written."""
        active = self._is_active() or isinstance(operation, PlatformWrite)
        claimed = await self._journal.claim(record, by, active=active)
        if claimed is None:
            found = await self._book.record(record.call_id)
            return outcome_of(found or record, operation)
        self._book.moved(record.call_id)
        if active:
            return await self.execute(claimed, operation)
        await self._until_settled(record.call_id)
        found = await self._book.record(record.call_id) or claimed
        return outcome_of(found, operation)

    async def _until_settled(self, plan_id: str) -> None:
        """The active process executes what this one has confirmed."""
        ends_at = time.monotonic() + HANDED_OVER_SECONDS
        while time.monotonic() < ends_at:
            record = await self._book.record(plan_id)
            if record is None or record.state.terminal:
                return
            await asyncio.sleep(LOOK_SECONDS)

    async def execute(self, record: CallRecord, operation: Operation) -> Outcome:
        """The requester's own steps and the state of the world once more: a refusal now is final."""
        requester = self._callers.revive(record)
        effect = effect_of(record, operation)
        shown = replace(
            outcome_of(record, operation),
            preview=shown_preview(record, effect),
        )
        audit_reason = self._audit_reason(record.call_id, requester, record.reason or None)
        prepared = await self._approval.prepared(operation, effect, record, requester, audit_reason=audit_reason)
        refusal: Refuse | None
        if isinstance(prepared, Refuse):
            refusal = prepared
        else:
            decision = prepared.decide(0.0)
            refusal = decision if isinstance(decision, Refuse) else None
        if refusal is None and not isinstance(prepared, Refuse):
            refusal = await self._changed_since(record, operation, effect, prepared.ctx)
            if refusal is None:
                outcome = await self._execution.run(
                    operation, prepared.ctx, record, effect, inverse_of(record), replace(shown, refusal=None)
                )
                self._book.moved(record.call_id)
                return outcome
        return await self._end_refused(record, refusal or UNKNOWN_PLAN, shown)

    async def _changed_since(
        self, record: CallRecord, operation: Operation, effect: Model, ctx: Context
    ) -> Refuse | None:
        try:
            with phase("preview", record.call_id, caller_id=record.client_id, guild_id=record.guild_id):
                seen = await operation.observe(ctx, effect)
        except Refused as refused:
            return refused.refusal
        except GuildVanished:
            return changed_since(["the guild or the membership"])
        except DISCORD_FAILED as error:
            return refusal_of(error)
        fields = difference(record.fingerprint, seen)
        return changed_since(fields) if fields else None

    async def _end_refused(self, record: CallRecord, refusal: Refuse, shown: Outcome) -> Outcome:
        if refusal.hidden:
            # His rights are gone, or the object is: which of the two he may not learn here either.
            told = replace(UNKNOWN_PLAN, code="vanished", reason="What the plan is about cannot be reached any more.")
            await self._journal.refused_at_confirmation(record, refusal, told)
        else:
            told = refusal
        outcome = replace(shown, status=Status.REFUSED, refusal=told)
        settled = Settled(CallState.REFUSED, detail=told.reason, remedy=told.remedy)
        try:
            await self._execution.settle(record, settled, None, outcome)
        except DatabaseUnavailable:
            self._log.warning("a refused plan could not be ended yet", call_id=record.call_id)
        self._book.moved(record.call_id)
        return outcome
