"""Pauses: what holds writes, whose, and what is said of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from policy.model import Caller, Face, Pause, PauseCause, PauseScope

PROCESS = ""
"""The scope of a pause of the whole process; that of a guild is its installation's id."""
LONGEST_MINUTES = 30 * 24 * 60

_WHO_ENDS = {
    PauseScope.PROCESS: "Whoever runs this instance ends it with `guildhall resume`.",
    PauseScope.GUILD: "Whoever may manage the guild ends it with /resume.",
    PauseScope.CALLER: "Somebody else who may manage the guild ends it earlier with /resume.",
}
_WHAT = {
    PauseScope.PROCESS: "Guildhall is paused everywhere",
    PauseScope.GUILD: "Guildhall is paused in this guild",
    PauseScope.CALLER: "You are paused in this guild",
}
_WHY = {
    PauseCause.BY_HAND: "",
    PauseCause.REFUSALS: ", since too many of your writes were refused in a short time",
    PauseCause.DESTRUCTIONS: ", since you asked for too many deletions and the like in a short time",
}


def key_of(caller: Caller) -> str:
    """As whom a caller is paused: what its model does in a member's name never holds the member himself."""
    return f"{caller.client_id}@agent" if caller.face is Face.AGENT else caller.client_id


def scope_of(installation_id: str, caller_key: str) -> str:
    return f"{installation_id} {caller_key}"


def scope_of_caller(installation_id: str, caller: Caller) -> str:
    return scope_of(installation_id, key_of(caller))


def in_force(pauses: Iterable[Pause | None], now: float) -> Pause | None:
    """The first that holds."""
    return next((pause for pause in pauses if pause is not None and pause.holds(now)), None)


def held_in_words(pause: Pause) -> tuple[str, str]:
    """What is held and until when; who may end it."""
    until = "until somebody ends it" if pause.until is None else f"until {_moment(pause.until)}"
    reason = f"{_WHAT[pause.scope]}{_WHY[pause.cause]}: nothing is written {until}."
    return reason, f"{_WHO_ENDS[pause.scope]} Reading and taking plans back go on."


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
