"""What the assistant says of itself: errors in words that tell what to do next."""

from __future__ import annotations

from cogs.agent.budget import Account
from cogs.agent.messages import ProviderError, Trouble
from storage.calls import CallState

STOPPED = "-# Stopped."
REFUSED = "I can't help with that."
TOO_MANY_STEPS = "This takes more steps than I may take in one go. Tell me what to go on with."
NOTHING_TO_SAY = "I have nothing to add."
CONTEXT_FULL = "-# The conversation has become too long for the model; `/reset` starts a new one."
CUT_SHORT = "-# The model's answer reached its length limit here. Ask me to go on."
NOT_CONFIGURED = (
    "I can't answer yet: no key for a model is set. Whoever runs this instance sets `AGENT_API_KEY` (and "
    "`AGENT_ENABLED=true`) and starts it again; everything else works without."
)
BROKEN = "Something went wrong on my side; it is in the log of this instance. Nothing more was done. Try again."
DATABASE_DOWN = "My database does not answer, so I can't go on. Try again in a minute."
NOT_INSTALLED = "This guild is not set up with Guildhall. Somebody who may manage the guild does that with `/setup`."
SENT_PRIVATELY = "-# The rest holds what not everyone here can see. I sent it to you directly."
DMS_CLOSED = (
    "-# The rest holds what not everyone here can see, and Discord did not let me write to you. Allow direct messages "
    "from members of this guild (in its privacy settings), or ask me in a channel whose readers may see it."
)
BUSY = "I have too much to do in this guild right now. Try again in a minute."
QUEUE_FULL = "Too many requests are waiting in this channel. Try again when I have answered some."
_TROUBLES = {
    Trouble.OVERLOADED: "The model is overloaded right now. Try again in a minute.",
    Trouble.RATE_LIMITED: "The model's provider limits how often I may ask. Try again {when}.",
    Trouble.TRUNCATED: "The model's answer broke off. Try again.",
    Trouble.MALFORMED: (
        "The model's provider answered in a way that I don't understand. Try again; if it stays so, whoever runs this "
        "instance checks AGENT_BASE_URL."
    ),
    Trouble.TIMED_OUT: "The model took too long. Try again, or ask for less at once.",
    Trouble.UNREACHABLE: "I can't reach the model's provider. Try again in a minute.",
    Trouble.UNAUTHORISED: (
        "The model's provider refuses my key. Whoever runs this instance checks AGENT_API_KEY and AGENT_BASE_URL."
    ),
    Trouble.UNPAID: "The account at the model's provider has no credit left. Whoever runs this instance can add some.",
    Trouble.TOO_LONG: "This is too much text for the model. Ask for less at once, or start anew with `/reset`.",
    Trouble.REJECTED: (
        "The model's provider refuses the request. Whoever runs this instance finds its kind in the log, and checks "
        "AGENT_MODEL and AGENT_MAX_OUTPUT_TOKENS."
    ),
}
_BUDGETS = {
    "workspace": "The workspace's budget for me is used up for today",
    "guild": "This guild's budget for me is used up for today",
    "role": "Your role's budget for me is used up for today",
    "user": "Your budget for me is used up for today",
}
_OUTCOMES = {
    CallState.DONE: "was approved, and is done",
    CallState.FAILED: "was approved, but failed; nothing was changed",
    CallState.UNKNOWN: "was approved, but whether it took effect is unknown: look before you repeat it",
    CallState.REFUSED: "was approved, but is refused by now",
    CallState.DENIED: "was denied",
    CallState.EXPIRED: "was not approved in time",
    CallState.CANCELLED: "was taken back",
}


def of_error(error: ProviderError) -> str:
    seconds = error.retry_after_seconds
    when = "in a minute" if seconds is None else f"in {_duration(seconds)}"
    return _TROUBLES[error.trouble].format(when=when)


def out_of_budget(account: Account) -> str:
    return f"{_BUDGETS[account.scope]}. It starts anew at midnight UTC."


def cooling(seconds: float) -> str:
    return f"One moment: ask me again in {_duration(seconds)}."


def later(title: str, state: CallState) -> str:
    """What became of a plan, without the name of anything: its card says that to those who may know."""
    return f"What you asked for ({title}) {_OUTCOMES.get(state, 'has ended')}."


def _duration(seconds: float) -> str:
    return f"{max(1, round(seconds))} s" if seconds < 90 else f"{round(seconds / 60)} min"
