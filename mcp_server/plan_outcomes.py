"""A stored plan as the outcome of the call that made it."""

from __future__ import annotations

from dataclasses import replace

from operations.base import Empty, Outcome, PlanInfo, Preview, Status
from operations.plans import PlanView
from policy.model import Kind, Refuse, Step


def outcome_of(view: PlanView) -> Outcome:
    """While it waits: that it does. Once settled: what it came to."""
    preview = Preview(view.summary, Empty(), changes=view.changes, unknowns=view.unknowns, reversible=view.reversible)
    waiting = Outcome(
        Status.NEEDS_CONFIRMATION,
        view.operation,
        Kind.WRITE,
        view.plan_id,
        view.tier,
        preview=preview,
        plan=PlanInfo(view.plan_id, view.expires_at, view.strength, approve_url=view.approve_url),
    )
    stored = view.outcome
    if stored is None:
        return waiting
    status = Status(stored["status"])
    if status is Status.REFUSED:
        refusal = Refuse(Step(stored["step"]), stored["code"], stored["reason"], stored["remedy"])
        return replace(waiting, status=status, plan=None, refusal=refusal)
    return replace(
        waiting,
        status=status,
        plan=None,
        data=stored.get("result"),
        detail=stored.get("reason", ""),
        error_code=stored.get("discord_code"),
    )
