"""Plans as operations: look at one, have it confirmed, take it back."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from operations.base import Change, Context, ControlOperation, Model, Outcome, ReadOperation
from operations.outcomes import CONFIRMATION, timestamp
from operations.plans import LONGEST_WAIT_SECONDS, PlanView, TokenProof
from operations.sanitise import inline
from storage.calls import CallState

PLAN_ID = Field(min_length=1, max_length=64)


class PlanTarget(Model):
    kind: str
    id: str
    name: str | None = None


class PlanResult(Model):
    """``state``: pending, executing, done, failed, unknown, cancelled, denied, expired or refused. ``outcome``: the
    answer to its call, once there is one.
    """

    plan_id: str
    operation: str
    state: str
    tier: str
    confirmation: str
    summary: str
    targets: list[PlanTarget]
    changes: list[Change]
    expires_at: str
    approve_url: str | None = None
    confirmed_by: str | None = None
    denied_by: str | None = None
    outcome: dict[str, Any] | None = None


def plan_result(plan: PlanView) -> PlanResult:
    """A plan for its requester."""
    denied = plan.state is CallState.DENIED
    return PlanResult(
        plan_id=plan.plan_id,
        operation=plan.operation,
        state=plan.state.value,
        tier=plan.tier.label,
        confirmation=CONFIRMATION[plan.strength],
        summary=plan.summary,
        targets=[
            PlanTarget(kind=target.kind, id=str(target.id), name=inline(target.name) or None) for target in plan.targets
        ],
        changes=list(plan.changes),
        expires_at=timestamp(plan.expires_at),
        approve_url=plan.approve_url,
        confirmed_by=None if plan.confirmed_by is None or denied else str(plan.confirmed_by),
        denied_by=str(plan.confirmed_by) if plan.confirmed_by is not None and denied else None,
        outcome=None if plan.outcome is None else dict(plan.outcome),
    )


class PlanGetInput(Model):
    plan_id: str = PLAN_ID
    wait_seconds: float = Field(
        default=0, ge=0, le=LONGEST_WAIT_SECONDS, description="Wait so long for it to be settled."
    )


class GetPlan(ReadOperation[PlanGetInput, PlanResult]):
    """Tell what became of a plan of yours, waiting for a person's confirmation if you like."""

    name = "plan_get"
    title = "Look at a plan"
    toolset = "meta"
    scope = "meta:read"
    in_guild = False
    in_default_set = True

    async def read(self, ctx: Context, arguments: PlanGetInput) -> PlanResult:
        plan = await ctx.services.plans.wait(arguments.plan_id, ctx.caller, arguments.wait_seconds)
        # Its text may come from where the requester had read: reading it later is reading that again.
        ctx.services.decisions.taint(ctx.caller, plan.sources)
        return plan_result(plan)


class PlanConfirmInput(Model):
    plan_id: str = PLAN_ID
    plan_token: str | None = Field(
        default=None, max_length=200, description="If you were given one; without it a person is asked."
    )


class PlanConfirmResult(Model):
    """The answer to the plan's own call: done, failed, unknown or refused, or needs_confirmation with the card.

    There ``plan_id``, ``plan_token`` and ``expires_at`` are texts or null.
    """

    status: str
    operation: str
    call_id: str
    tier: str | None = None
    summary: str | None = None
    reversible: bool | None = None
    plan_id: Any = None
    plan_token: Any = None
    expires_at: Any = None
    confirmation: str | None = None
    approve_url: str | None = None
    result: dict[str, Any] | None = None
    reason: str | None = None
    discord_code: int | None = None


class ConfirmPlan(ControlOperation[PlanConfirmInput, PlanConfirmResult]):
    """Confirm a plan of yours with its plan_token, or, without one, ask a person to confirm it on a card in Discord."""

    name = "plan_confirm"
    title = "Confirm a plan"
    executes_plans = True
    toolset = "meta"
    scope = "meta:write"
    in_guild = False
    in_default_set = True

    async def control(self, ctx: Context, arguments: PlanConfirmInput) -> Outcome:
        plans = ctx.services.plans
        if arguments.plan_token is None:
            return await plans.ask(arguments.plan_id, ctx.caller)
        return await plans.confirm(arguments.plan_id, ctx.caller, TokenProof(arguments.plan_token))


class PlanCancelInput(Model):
    plan_id: str = PLAN_ID


class CancelPlan(ControlOperation[PlanCancelInput, PlanResult]):
    """Take back a plan of yours that nobody has confirmed yet."""

    name = "plan_cancel"
    works_paused = True
    title = "Cancel a plan"
    toolset = "meta"
    scope = "meta:write"
    in_guild = False
    in_default_set = True

    async def control(self, ctx: Context, arguments: PlanCancelInput) -> PlanResult:
        return plan_result(await ctx.services.plans.cancel(arguments.plan_id, ctx.caller))
