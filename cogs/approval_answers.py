"""What whoever pressed a button is told: in words, with what to do."""

from __future__ import annotations

from collections.abc import Sequence

from cogs.card_text import words
from operations.base import Outcome, Status
from operations.outcomes import sentence
from operations.plan_refusals import UNKNOWN_PLAN
from operations.plans import PlanView
from policy.model import Refuse
from storage.calls import CallState

LIMIT = 1900
NOT_A_CARD = (
    "This button is not on an open card of Guildhall, or the card has changed since. Nothing was done. "
    "Look at the newest card of the plan."
)
NOT_ITS_CARD = "The plan's card is another message. Nothing was done; press the button there."
NOT_INSTALLED = "The guild of this plan is not installed any more. Nothing was done."
DISCORD_DOWN = "Guildhall could not finish this. Look at the card in a moment, and press again if the plan still waits."
HIDDEN = (
    "This plan touches, or comes from, a place that you can't see, so its text is not shown to you. "
    "What stands on the card is all that you may know of it."
)
MAY_HAVE_HAPPENED = "It may or may not have taken effect, and is not sent again. Look before you repeat it."
NOT_YOURS = (
    "This plan is not open to you. Whoever approves it needs the same rights as its requester, at everything that it "
    "touches; or it has ended, and the card will say so in a moment."
)
GONE = {
    CallState.DONE: "It was done already.",
    CallState.FAILED: "It was tried already, and failed.",
    CallState.UNKNOWN: "It was tried already, and what became of it is not known.",
    CallState.CANCELLED: "It was taken back.",
    CallState.EXPIRED: "It expired; it can be asked for again.",
    CallState.DENIED: "It was denied.",
    CallState.REFUSED: "It was refused, since it is no longer allowed or no longer what was shown.",
    CallState.EXECUTING: "It is being done right now.",
    CallState.CONFIRMED: "It is approved, and about to be done.",
}


def refused(refusal: Refuse) -> str:
    if refusal.code == UNKNOWN_PLAN.code:
        return NOT_YOURS
    return words(sentence(refusal.reason, refusal.remedy), LIMIT)


def confirmed(outcome: Outcome) -> str:
    """The answer to *Approve*."""
    match outcome.status:
        case Status.DONE:
            return "Done."
        case Status.REFUSED:
            return refused(outcome.refusal) if outcome.refusal is not None else "Refused; nothing was done."
        case Status.FAILED:
            return words(f"Failed: {outcome.detail} Nothing was changed.", LIMIT)
        case Status.UNKNOWN:
            return words(f"{outcome.detail} {MAY_HAVE_HAPPENED}", LIMIT)
        case Status.PREVIEW | Status.NEEDS_CONFIRMATION:
            return "It is approved, and will be done in a moment; the card will say so."


def all_confirmed(said: Sequence[tuple[str, str]]) -> str:
    """The answer to *Approve all*: of each plan."""
    each = LIMIT // max(len(said), 1) - 40
    return "\n".join(f"`{plan_id}`: {words(answer, each)}" for plan_id, answer in said)


def denied(plan: PlanView) -> str:
    if plan.state is CallState.DENIED:
        return "Denied. The same effect can't be asked for again for an hour."
    return closed(plan)


def closed(plan: PlanView) -> str:
    return f"{GONE.get(plan.state, 'The plan still waits.')} Nothing more was done."
