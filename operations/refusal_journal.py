"""Refusals, audited in the caller's workspace and turned into outcomes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import structlog

from operations import call_ids
from operations.base import Operation, Outcome, Status
from operations.decider import Prepared, outward
from operations.journal import Journal
from operations.pauses import AutomaticPauses
from operations.refusals import Rejected
from operations.registry import Registry
from operations.sanitise import inline
from policy.model import Caller, Installation, Kind, Refuse, Requirement, Step
from storage.database import DatabaseUnavailable

RATE_ENTRY_SECONDS = 60.0
MAX_NAME_CHARACTERS = 64
CONFIRM = "plan_confirm"


@dataclass(slots=True)
class _RateEntry:
    """When a caller's last rate refusal was audited, and how many were not since. Mutable: a counter."""

    at: float
    unrecorded: int = 0


class RefusalJournal:
    """A refusal holds also when the database is down; then the log alone remembers it."""

    def __init__(
        self, registry: Registry, journal: Journal, bursts: AutomaticPauses, clock: Callable[[], float] = time.time
    ) -> None:
        self._registry = registry
        self._journal = journal
        self._bursts = bursts
        self._clock = clock
        self._rate_entries: dict[str, _RateEntry] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._log = structlog.get_logger("guildhall.refusals")

    async def unknown_operation(
        self,
        name: str,
        call_id: str,
        caller: Caller,
        arguments: Mapping[str, Any],
        limited: Refuse | None = None,
    ) -> Outcome:
        """``limited``: the refusal of a caller who asks too often; nothing is looked up for him."""
        name = inline(name[:MAX_NAME_CHARACTERS], MAX_NAME_CHARACTERS)
        close = [] if limited else self._registry.close_to(name, caller, 3)
        refusal = limited or Refuse(
            Step.VALIDATE,
            "unknown_operation",
            "There is no operation of that name.",
            "Find the right one with tool_search." + (f" Close ones: {', '.join(close)}." if close else ""),
        )
        await self._audit(call_id, name, None, caller, arguments, Rejected(refusal))
        return Outcome(Status.REFUSED, name, Kind.READ, call_id, refusal=refusal, arguments=arguments)

    async def rejected(
        self, operation: Operation, call_id: str, caller: Caller, arguments: Mapping[str, Any], rejected: Rejected
    ) -> Outcome:
        """A refusal before the call was prepared."""
        await self._audit(call_id, operation.name, operation.base_requirement(), caller, arguments, rejected)
        return Outcome(
            Status.REFUSED,
            operation.name,
            operation.kind,
            call_id,
            operation.tier,
            refusal=rejected.outward,
            arguments=arguments,
        )

    async def decided(self, prepared: Prepared, arguments: Mapping[str, Any], refusal: Refuse) -> Outcome:
        """A refusal of a prepared call."""
        operation, ctx = prepared.operation, prepared.ctx
        rejected = Rejected(refusal, outward(prepared, refusal), installation=prepared.installation)
        await self._audit(ctx.call_id, operation.name, prepared.requirement, ctx.caller, arguments, rejected)
        return Outcome(
            Status.REFUSED,
            operation.name,
            operation.kind,
            ctx.call_id,
            prepared.requirement.tier,
            refusal=rejected.outward,
            arguments=arguments,
        )

    async def moved(self, plan_id: str, by: Caller, installation: Installation | None, refusal: Refuse) -> Outcome:
        """A refused confirmation. It has an id of its own: the plan goes on."""
        call_id = call_ids.new_call_id()
        # What is no id may be anything, a token too.
        arguments = {"plan_id": plan_id} if call_ids.PATTERN.match(plan_id) else {}
        await self._audit(call_id, CONFIRM, None, by, arguments, Rejected(refusal, installation=installation))
        return Outcome(Status.REFUSED, CONFIRM, Kind.CONTROL, call_id, refusal=refusal, arguments=arguments)

    async def credential(self, caller: Caller, refusal: Refuse) -> None:
        """A revoked or expired credential of a known client was used: into the audit of its workspace.

        Raises DatabaseUnavailable.
        """
        await self._journal.refused(call_ids.new_call_id(), "", None, caller, None, {}, refusal, refusal)

    async def _audit(
        self,
        call_id: str,
        name: str,
        requirement: Requirement | None,
        caller: Caller,
        arguments: Mapping[str, Any],
        rejected: Rejected,
    ) -> None:
        truth = rejected.truth
        await self._bursts.count(caller, rejected.installation, requirement, truth)
        if truth.step is Step.RATE:
            unrecorded = self._unrecorded(caller)
            if unrecorded is None:
                return
            if unrecorded:
                truth = replace(truth, reason=f"{truth.reason} Since the last entry {unrecorded} more were refused so.")
        task = asyncio.create_task(
            self._journal.refused(
                call_id, name, requirement, caller, rejected.installation, arguments, truth, rejected.outward
            )
        )
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            # Shielded: a caller that hangs up right after its refusal is audited all the same.
            await asyncio.shield(task)
        except DatabaseUnavailable:
            self._log.warning(
                "refusal not audited: the database does not answer",
                call_id=call_id,
                operation=name,
                step=rejected.truth.step.value,
                code=rejected.truth.code,
            )

    def _unrecorded(self, caller: Caller) -> int | None:
        """A caller at his limit gets one audit entry a minute, not one a call: None for none now, else how many calls
        that entry stands for beside its own.
        """
        now = self._clock()
        known = self._rate_entries.get(caller.identity)
        if known is not None and now - known.at < RATE_ENTRY_SECONDS:
            known.unrecorded += 1
            return None
        if len(self._rate_entries) > 10_000:
            self._forget_rate_entries(now)
        self._rate_entries[caller.identity] = _RateEntry(now)
        return known.unrecorded if known else 0

    def _forget_rate_entries(self, now: float) -> None:
        for identity, known in list(self._rate_entries.items()):
            if now - known.at >= RATE_ENTRY_SECONDS:
                del self._rate_entries[identity]
                if known.unrecorded:
                    self._log.warning("rate refusals not audited", caller=identity, count=known.unrecorded)
