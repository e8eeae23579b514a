"""Refusals, audited in the caller's workspace and turned into outcomes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from operations import call_ids
from operations.base import Operation, Outcome, Status
from operations.decider import Prepared, outward
from operations.journal import Journal
from operations.refusals import Rejected
from operations.registry import Registry
from policy.model import Caller, Kind, Refuse, Requirement, Step
from storage.database import DatabaseUnavailable

RATE_ENTRY_SECONDS = 60.0


class RefusalJournal:
    """A refusal holds also when the database is down; then the log alone remembers it."""

    def __init__(self, registry: Registry, journal: Journal, clock: Callable[[], float] = time.time) -> None:
        self._registry = registry
        self._journal = journal
        self._clock = clock
        self._rate_entries: dict[str, float] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._log = structlog.get_logger("guildhall.refusals")

    async def unknown_operation(self, name: str, call_id: str, caller: Caller, arguments: Mapping[str, Any]) -> Outcome:
        name = name[:64]
        close = [operation.name for operation in self._registry.search(name.replace("_", " "), caller, 3)]
        refusal = Refuse(
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
        if rejected.truth.step is Step.RATE and not self._first_in_a_while(caller):
            return
        task = asyncio.create_task(
            self._journal.refused(
                call_id, name, requirement, caller, rejected.installation, arguments, rejected.truth, rejected.outward
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

    def _first_in_a_while(self, caller: Caller) -> bool:
        """A caller at his limit gets one audit entry a minute, not one a call."""
        now = self._clock()
        if now - self._rate_entries.get(caller.identity, float("-inf")) < RATE_ENTRY_SECONDS:
            return False
        if len(self._rate_entries) > 10_000:
            self._rate_entries.clear()
        self._rate_entries[caller.identity] = now
        return True
