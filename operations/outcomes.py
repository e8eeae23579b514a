"""Outcomes as every face shows them: a structured form and a text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson

from operations.base import Change, Encoded, Model, Outcome, PlanInfo, Preview, Status
from policy.model import Kind, Refuse, Step, Strength
from storage.calls import CallState

CONFIRMATION = {Strength.NONE: "none", Strength.TOKEN: "token", Strength.CLIENT: "token", Strength.PERSON: "human"}

STATUS_OF_STATE = {
    CallState.DONE: Status.DONE,
    CallState.FAILED: Status.FAILED,
    CallState.UNKNOWN: Status.UNKNOWN,
    CallState.REFUSED: Status.REFUSED,
}


def sentence(detail: str, remedy: str) -> str:
    return f"{detail} {remedy}".strip()


def replayed(shown: Outcome, call_id: str, stored: Mapping[str, Any] | None, *, same_payload: bool) -> Outcome:
    """The answer to a repeated idempotency key: the stored one, or why there is none."""
    if not same_payload:
        refusal = Refuse(
            Step.EXECUTE,
            "idempotency_mismatch",
            "This idempotency_key was used with other arguments.",
            "Use a new key for a new call.",
        )
        return replace(shown, status=Status.REFUSED, refusal=refusal)
    if stored is None:
        refusal = Refuse(
            Step.EXECUTE,
            "in_flight",
            "The first call with this idempotency_key has not ended yet.",
            "Repeat the same call in a few seconds.",
            retry_after_seconds=2.0,
        )
        return replace(shown, status=Status.REFUSED, refusal=refusal)
    return replace(
        shown,
        status=Status(stored["status"]),
        call_id=call_id,
        data=stored.get("result"),
        detail=stored.get("reason", ""),
        error_code=stored.get("discord_code"),
        plan=_stored_plan(stored),
    )


def _stored_plan(stored: Mapping[str, Any]) -> PlanInfo | None:
    plan_id, expires_at = stored.get("plan_id"), stored.get("expires_at")
    if plan_id is None or expires_at is None:
        return None
    strength = Strength.PERSON if stored.get("confirmation") == "human" else Strength.TOKEN
    return PlanInfo(
        plan_id,
        datetime.fromisoformat(expires_at).timestamp(),
        strength,
        stored.get("plan_token"),
        stored.get("approve_url"),
    )


def timestamp(seconds: float) -> str:
    """RFC 3339, UTC, to the second."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def plain(data: Model | Encoded | Mapping[str, Any] | None) -> Any:
    """A result as JSON values; absent fields are left out."""
    if data is None:
        return None
    if isinstance(data, Encoded):
        return orjson.loads(data.json)
    if isinstance(data, Model):
        return data.model_dump(mode="json", exclude_none=True)
    return dict(data)


def encode(data: Model | Encoded | Mapping[str, Any]) -> bytes:
    """A result as JSON bytes."""
    return data.json if isinstance(data, Encoded) else orjson.dumps(plain(data))


def structured(outcome: Outcome) -> dict[str, Any]:
    """The outcome as one JSON object. A read that was done is its result alone."""
    if outcome.kind is not Kind.WRITE and outcome.status is Status.DONE:
        return plain(outcome.data) or {}
    shown: dict[str, Any] = {"status": outcome.status.value, "operation": outcome.operation, "call_id": outcome.call_id}
    refusal, preview, plan = outcome.refusal, outcome.preview, outcome.plan
    if refusal is not None:
        shown |= {"step": refusal.step.value, "code": refusal.code, "reason": refusal.reason, "remedy": refusal.remedy}
        if refusal.retry_after_seconds is not None:
            shown["retry_after_seconds"] = round(refusal.retry_after_seconds, 1)
        return shown
    shown["tier"] = outcome.tier.label
    if preview is not None:
        shown |= _preview(preview, with_verdict=outcome.status is Status.PREVIEW)
    if outcome.status in (Status.PREVIEW, Status.NEEDS_CONFIRMATION):
        shown |= {
            "plan_id": plan.plan_id if plan else None,
            "plan_token": plan.plan_token if plan else None,
            "expires_at": timestamp(plan.expires_at) if plan else None,
            "confirmation": CONFIRMATION[plan.strength] if plan else "none",
        }
        if plan is not None and plan.approve_url is not None:
            shown["approve_url"] = plan.approve_url
    if outcome.data is not None:
        shown["result"] = plain(outcome.data)
    if outcome.detail:
        shown["reason"] = outcome.detail
    if outcome.error_code is not None:
        shown["discord_code"] = outcome.error_code
    return shown


def _preview(preview: Preview[Any], *, with_verdict: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {"summary": preview.summary}
    if with_verdict:
        shown["would_succeed"] = verdict(preview)
        shown["changes"] = [change.model_dump(mode="json") for change in preview.changes]
        shown["problems"] = list(preview.problems)
        shown["unknowns"] = list(preview.unknowns)
    shown["reversible"] = preview.reversible
    return shown


def verdict(preview: Preview[Any]) -> str:
    """``no`` when there is a problem, else ``yes``: unknowns beyond anybody's knowledge are listed beside it."""
    return "no" if preview.problems else "yes"


def text(outcome: Outcome) -> str:
    """The outcome in words, for a model or a person."""
    match outcome.status:
        case Status.DONE:
            return _done(outcome)
        case Status.PREVIEW:
            return _preview_text(outcome)
        case Status.NEEDS_CONFIRMATION:
            return _needs_confirmation(outcome)
        case Status.REFUSED:
            refusal = outcome.refusal
            if refusal is None:
                return f"Refused. (call {outcome.call_id})"
            return f"Refused at step {refusal.step.value}: {refusal.reason} {refusal.remedy}".strip()
        case Status.FAILED:
            return f"Failed: {outcome.detail} Nothing was changed. (call {outcome.call_id})"
        case Status.UNKNOWN:
            return (
                f"Unknown: {outcome.detail} It may or may not have taken effect; nothing is sent again. "
                f"Look before you repeat it. (call {outcome.call_id})"
            )


def _done(outcome: Outcome) -> str:
    if outcome.kind is not Kind.WRITE:
        return encode(outcome.data).decode() if outcome.data is not None else "{}"
    summary = outcome.preview.summary if outcome.preview else outcome.operation
    result = f" Result: {encode(outcome.data).decode()}" if outcome.data is not None else ""
    return f"Done: {summary}.{result} (call {outcome.call_id})"


def _preview_text(outcome: Outcome) -> str:
    preview = outcome.preview
    if preview is None:
        return "NOT DONE – preview only."
    lines = [f"NOT DONE – preview only. {preview.summary}."]
    lines += _changes(preview)
    lines += [f"Problem: {problem}" for problem in preview.problems]
    lines += _unknowns(preview)
    if preview.problems:
        lines.append("It would fail as it stands; mend the problems and call again.")
        return "\n".join(lines)
    plan = outcome.plan
    if plan is not None and plan.strength is Strength.PERSON:
        lines.append("A person has to confirm it; the next call asks for that.")
    lines.append(f"To do it, call: {_next_call(outcome, None if plan is None else plan.plan_token)}")
    return "\n".join(lines)


def _next_call(outcome: Outcome, plan_token: str | None) -> str:
    """The very same call that does it; where there is a token, the one that takes it."""
    if outcome.plan is not None and plan_token is not None:
        confirming = {"plan_id": outcome.plan.plan_id, "plan_token": plan_token}
        return orjson.dumps({"name": "plan_confirm", "arguments": confirming}).decode()
    given = outcome.arguments if outcome.outer is None else outcome.outer
    arguments: dict[str, Any] = {**given, "dry_run": False}
    if outcome.outer is not None:
        return orjson.dumps({"name": outcome.through, "arguments": arguments}).decode()
    call: dict[str, Any] = {"name": outcome.operation, "arguments": arguments}
    if outcome.through:
        call = {"name": outcome.through, "arguments": call}
    return orjson.dumps(call).decode()


def preview_lines(outcome: Outcome) -> list[str]:
    """What would happen, in words: for the question whether it shall."""
    preview = outcome.preview
    return [outcome.operation] if preview is None else [preview.summary, *_changes(preview), *_unknowns(preview)]


def _changes(preview: Preview[Any]) -> list[str]:
    return [f"- {_change(change)}" for change in preview.changes]


def _unknowns(preview: Preview[Any]) -> list[str]:
    return [f"Not known before: {unknown}" for unknown in preview.unknowns]


def _change(change: Change) -> str:
    return f"{change.target}: {change.field} {_value(change.before)} → {_value(change.after)}"


def _value(value: object) -> str:
    return "nothing" if value is None else orjson.dumps(value, default=str).decode()


def _needs_confirmation(outcome: Outcome) -> str:
    summary = outcome.preview.summary if outcome.preview else outcome.operation
    plan = outcome.plan
    if plan is None:
        return f"NOT DONE – {summary} needs a confirmation."
    lines = [f"NOT DONE – {summary}. This is {outcome.tier.label}; nothing happens before it is confirmed."]
    until = timestamp(plan.expires_at)
    if plan.strength is Strength.PERSON:
        where = f" on the card at {plan.approve_url}" if plan.approve_url else ""
        lines.append(f"A person has to confirm the plan {plan.plan_id}{where}, until {until}.")
        lines.append(f"plan_get with plan_id {plan.plan_id} and wait_seconds tells what became of it.")
    else:
        lines.append(f"The plan {plan.plan_id} is stored until {until}.")
        if plan.plan_token is not None:
            lines.append(f"To confirm it, call: {_next_call(outcome, plan.plan_token)}")
    if outcome.detail:
        lines.append(outcome.detail)
    return "\n".join(lines)
