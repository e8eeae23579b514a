"""A stored plan as the outcome of the call that made it."""

from __future__ import annotations

from dataclasses import replace

from operations.base import Empty, Outcome, PlanInfo, Preview, Status
from operations.outcomes import STATUS_OF_STATE
from operations.plans import PlanView
from policy.model import Kind, Refuse, Step
from storage.calls import CallState


def outcome_of(view: PlanView) -> Outcome:
    """While it waits: that it does. Once settled: what it came to."""
    preview = Preview(view.summary, Empty(), changes=view.changes, unknowns=view.unknowns, reversible=view.reversible)
    shown = Outcome(
        Status.NEEDS_CONFIRMATION,
        view.operation,
        Kind.WRITE,
        view.plan_id,
        view.tier,
        preview=preview,
        detail=view.detail,
    )
    if not view.state.terminal:
        return replace(shown, plan=PlanInfo(view.plan_id, view.expires_at, view.strength, approve_url=view.approve_url))
    status = STATUS_OF_STATE.get(view.state, Status.REFUSED)
    if status is Status.REFUSED:
        return replace(shown, status=status, refusal=_why_not(view))
    stored = view.outcome or {}
    return replace(shown, status=status, data=stored.get("result"), error_code=stored.get("discord_code"))


def _why_not(view: PlanView) -> Refuse:
    remedy = "Call the operation again for a new plan."
    if view.state is CallState.DENIED:
        remedy = "The same can be asked for again in an hour at the earliest."
    return Refuse(
        Step.EXECUTE, f"plan_{view.state.value}", f"The plan is {view.state.value}. {view.detail}".strip(), remedy
    )
