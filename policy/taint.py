"""Taint: what a caller that has read text of others may not do without a person.

Text that members wrote is data, and may be an instruction in disguise. A caller that has read some of it carries the
places it came from for an hour. See the reach of operations in policy.model.Reach.
"""

from __future__ import annotations

from dataclasses import dataclass

from policy.model import Caller, Face, Facts, Reach, Tier

TAINT_SECONDS = 60 * 60


@dataclass(frozen=True, slots=True)
class Source:
    """Where foreign text was read: a channel, or a guild-wide list behind the permission bits ``gate``."""

    guild_id: int
    channel_id: int | None = None
    gate: int = 0


def is_tainted(caller: Caller, facts: Facts) -> bool:
    """Operators, the agent and event-driven automations are always tainted, whatever is known of what they read."""
    return facts.tainted or caller.always_tainted or caller.is_operator or caller.face is Face.AGENT


def tier_under_taint(tier: Tier, reach: Reach, *, tainted: bool, audience_leaks: bool) -> Tier:
    """The tier of a write by a tainted caller: one that taint gives to a person becomes risky, so it gets a plan."""
    if not tainted or tier is not Tier.WRITE:
        return tier
    if reach is Reach.LEAVES or (reach is Reach.AUDIENCE and audience_leaks):
        return Tier.RISKY
    return tier
