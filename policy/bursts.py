"""When a caller is paused by itself: what counts, and how much of it in how short a time is a burst.

The thresholds lie well above what the rate limits let through (60 writes and 10 deletions a minute): whoever reaches
them was told to stop many times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from policy.checks import PAUSED
from policy.model import Caller, CallerKind, Kind, OperationClass, PauseCause, Refuse, Requirement, Step, Tier

PAUSE_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Burst:
    """So many within so many seconds."""

    count: int
    seconds: float


BURSTS = {PauseCause.REFUSALS: Burst(120, 60.0), PauseCause.DESTRUCTIONS: Burst(30, 60.0)}
# Nobody's doing: arguments that are wrong, a credential that somebody else may have used, a part that is down.
_NOBODYS = frozenset({Step.VALIDATE, Step.CLIENT, Step.EXECUTE})


def is_destructive(requirement: Requirement) -> bool:
    return requirement.operation_class is OperationClass.DESTROY or requirement.tier >= Tier.RISKY


def counts_as(caller: Caller, requirement: Requirement | None, refusal: Refuse | None) -> PauseCause | None:
    """To which burst a call counts; None to none. ``refusal`` None: it was let through."""
    if caller.kind is CallerKind.SYSTEM or requirement is None or requirement.kind is Kind.READ:
        return None
    if refusal is None or refusal.step is Step.RATE:
        return PauseCause.DESTRUCTIONS if is_destructive(requirement) else None
    if refusal.step in _NOBODYS or refusal.code == PAUSED or refusal.retry_after_seconds is not None:
        return None
    return PauseCause.REFUSALS


def is_burst(cause: PauseCause, times: Sequence[float], now: float) -> bool:
    """Whether calls at these times are too many by now."""
    burst = BURSTS[cause]
    return sum(at > now - burst.seconds for at in times) >= burst.count
