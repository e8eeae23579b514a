"""What policy would say of a call, and what it knows of a caller."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from operations import call_ids
from operations.base import Delegate
from operations.decider import Decider, outward
from operations.errors import Refused
from operations.executor import shared_by, split
from operations.invalid_arguments import InvalidArguments
from operations.refusals import Rejected
from operations.registry import Registry
from operations.services import Services
from operations.taints import Taints
from policy import pipeline
from policy.model import Caller, Explanation, PlatformRole, Refuse, Step, StepReport
from policy.taint import Source
from storage.limits import RateLimits


class Explainer:
    """Implements operations.services.Decisions. ``services`` is asked for when it is needed: it holds this very
    object.
    """

    def __init__(
        self,
        registry: Registry,
        decider: Decider,
        limits: RateLimits,
        taints: Taints,
        services: Callable[[], Services],
    ) -> None:
        self._registry = registry
        self._decider = decider
        self._limits = limits
        self._taints = taints
        self._services = services

    async def explain(self, name: str, arguments: Mapping[str, Any], caller: Caller) -> Explanation:
        """Steps 1-7 for a call, without doing it. Raises Refused for what cannot be explained.

        An object that the caller may not see is as unknown here as anywhere.
        """
        operation = self._registry.get(name)
        if operation is None or isinstance(operation, Delegate) or caller.face not in operation.faces:
            raise Refused(
                Refuse(
                    Step.VALIDATE,
                    "unknown_operation",
                    "There is no operation of that name.",
                    "Find the right one with tool_search.",
                )
            )
        try:
            _, given = split(operation, arguments, caller)
            parsed = operation.Input.model_validate(given)
        except ValidationError as error:
            raise Refused(InvalidArguments.of(error, operation.Input, shared_by(operation)).refusal()) from error
        try:
            prepared = await self._decider.prepare(operation, parsed, caller, call_ids.new_call_id(), self._services())
        except Rejected as rejected:
            if rejected.outward.step not in pipeline.GATE_STEPS:
                raise Refused(rejected.outward) from rejected
            return _stopped_at(rejected.outward)
        retry_after = await self._limits.peek(
            caller=caller.identity,
            guild_id=prepared.guild_id,
            operation_class=prepared.requirement.operation_class,
            tier=prepared.requirement.tier,
        )
        facts = replace(prepared.facts, retry_after_seconds=retry_after)
        explanation = pipeline.explain(caller, prepared.requirement, facts)
        decision = explanation.decision
        if isinstance(decision, Refuse) and decision.hidden:
            raise Refused(outward(prepared, decision))
        return explanation

    async def reachable_guilds(self, caller: Caller) -> tuple[int, ...]:
        return await self._decider.membership.reachable_guilds(caller)

    async def role(self, caller: Caller) -> PlatformRole | None:
        return await self._decider.membership.role(caller)

    def taint_sources(self, caller: Caller) -> frozenset[Source]:
        return self._taints.sources(caller)

    def taint(self, caller: Caller, sources: Iterable[Source]) -> None:
        self._taints.mark(caller, sources)


def _stopped_at(refusal: Refuse) -> Explanation:
    passed = pipeline.GATE_STEPS[: pipeline.GATE_STEPS.index(refusal.step)]
    reports = [StepReport(step, passed=True) for step in passed]
    reports.append(StepReport(refusal.step, passed=False, reason=refusal.reason, remedy=refusal.remedy))
    return Explanation(tuple(reports), refusal)
