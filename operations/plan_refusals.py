"""Why a plan cannot be asked for, confirmed or found."""

from __future__ import annotations

from collections.abc import Sequence

from policy.model import Refuse, Step
from storage.calls import CallState

PLANS_A_CALLER = 5
PLANS_A_GUILD = 20
DENIED_SECONDS = 3_600.0

UNKNOWN_PLAN = Refuse(
    Step.RESOLVE,
    "unknown_plan",
    "There is no such plan of yours.",
    "Use the plan_id, and the plan_token if there is one, of your own last answer.",
)
FOUR_EYES = Refuse(
    Step.EXECUTE,
    "four_eyes",
    "This guild asks for the confirmation of somebody other than the requester.",
    "Ask another approver to press the button on the card.",
)
NO_APPROVER_ROLE = Refuse(
    Step.EXECUTE,
    "not_an_approver",
    "You hold none of the roles that confirm in this guild.",
    "Ask somebody who holds one of them.",
)
CARD_ELSEWHERE = Refuse(
    Step.EXECUTE,
    "not_this_card",
    "This is not the card of that plan.",
    "Confirm on the card that Guildhall posted for it.",
)
ENDED = {
    CallState.CONFIRMED: ("is confirmed already and about to be executed", "plan_get tells what comes of it."),
    CallState.EXECUTING: ("is being executed", "plan_get tells what comes of it."),
    CallState.DONE: ("was executed already", "Nothing is done twice; plan_get tells what came of it."),
    CallState.FAILED: ("was executed, and failed", "plan_get tells why; call again for a new plan."),
    CallState.UNKNOWN: ("was sent, and Discord's answer was lost", "Look in Discord before you call again."),
    CallState.CANCELLED: ("was cancelled", "Call again for a new plan."),
    CallState.EXPIRED: ("has expired", "Call again for a new plan."),
    CallState.DENIED: ("was denied", "The same can be asked for again an hour later."),
    CallState.REFUSED: ("was refused when it was confirmed", "plan_get tells why; call again for a new plan."),
}


def ended(state: CallState) -> Refuse:
    """A plan that does not wait any more."""
    what, remedy = ENDED[state]
    return Refuse(Step.EXECUTE, f"plan_{state.value}", f"This plan {what}.", remedy)


def too_many_plans(of_caller: Sequence[str] | None) -> Refuse:
    """``of_caller``: the caller's own open plans; None when the guild's are too many."""
    if of_caller is None:
        return Refuse(
            Step.RATE,
            "too_many_plans",
            f"{PLANS_A_GUILD} plans wait for a confirmation in this guild already.",
            "Ask its approvers to decide on some of them.",
        )
    return Refuse(
        Step.RATE,
        "too_many_plans",
        f"{len(of_caller)} of your plans wait for a confirmation already: {', '.join(of_caller)}.",
        "Have one confirmed, or take one back with plan_cancel.",
    )


def denied_recently(seconds: float) -> Refuse:
    return Refuse(
        Step.RATE,
        "denied_recently",
        "An approver denied exactly this within the last hour.",
        f"It can be asked for again in {max(1, round(seconds / 60))} minutes; talk to the approver.",
        retry_after_seconds=max(1.0, seconds),
    )


def no_approver(remedy: str) -> Refuse:
    return Refuse(Step.EXECUTE, "no_approver", "A person has to confirm this, and none can be reached for it.", remedy)


def needs_person() -> Refuse:
    return Refuse(
        Step.EXECUTE,
        "needs_person",
        "This plan needs a person's confirmation, which no client can give.",
        "plan_confirm with the plan_id alone asks for it; a person then presses the button on the card.",
    )


def wrong_name(name: str) -> Refuse:
    return Refuse(
        Step.EXECUTE,
        "wrong_name",
        "The name that was typed is not the target's.",
        f"Type {name} to confirm.",
    )


def other_arguments() -> Refuse:
    return Refuse(
        Step.VALIDATE,
        "other_arguments",
        "The plan_token belongs to a call with other arguments.",
        "Repeat the very same call with it, or call without it for a new plan.",
    )


def changed_since(fields: Sequence[str]) -> Refuse:
    """The world is not what the preview showed."""
    listed = ", ".join(fields)
    return Refuse(
        Step.EXECUTE,
        "changed_since",
        f"What the preview showed has changed since: {listed}.",
        "Call again, and look at the new preview.",
    )
