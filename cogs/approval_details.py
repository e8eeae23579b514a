"""The full text of a plan, for those who may see where it comes from."""

from __future__ import annotations

from collections.abc import Iterable

import discord

from cogs.approval_card import changed, one_line
from cogs.approval_places import homes
from operations.failures import DISCORD_FAILED
from operations.guild_state import GuildState, GuildVanished
from operations.outcomes import timestamp
from operations.plans import PlanView
from operations.sanitise import sanitise
from policy.permissions import Bits
from policy.taint import Source

_READS = int(Bits.view_channel | Bits.read_message_history)


async def may_see_all(state: GuildState, plan: PlanView, user_id: int) -> bool:
    """Whether a person can himself see every place that the plan touches, and every one where its requester had read
    foreign text. What cannot be known counts as no. Whether he may know of the plan at all is for operations.plans.
    """
    try:
        for source in (*homes(plan), *plan.sources):
            if not await _sees(state, source, user_id):
                return False
    except (GuildVanished, *DISCORD_FAILED):
        return False
    return True


async def _sees(state: GuildState, source: Source, user_id: int) -> bool:
    view = await state.view(source.guild_id, user_id)
    if view is None:
        return False
    if source.channel_id is None:
        return view.bits() & source.gate == source.gate
    channel = view.channel(source.channel_id)
    if channel is None:
        return False
    if isinstance(channel, discord.Thread) and channel.is_private():
        await state.learn_thread_membership(channel, user_id)
    if not view.sees(channel):
        return False
    return isinstance(channel, discord.CategoryChannel) or view.bits(channel) & _READS == _READS


def full_text(plan: PlanView) -> str:
    """All that is known of a plan, as plain text without what cannot be seen."""
    return sanitise("\n".join(_lines(plan)))


def _lines(plan: PlanView) -> Iterable[str]:
    yield f"{plan.operation} ({plan.tier.label}), plan {plan.plan_id}, {plan.state.value}"
    yield f"asked {timestamp(plan.created_at)}, expires {timestamp(plan.expires_at)}"
    yield f"client: {one_line(plan.client_name, None)} ({plan.client_id})"
    yield ""
    yield plan.summary
    for title, lines in (
        ("Targets", [f"{target.kind} {target.id} {one_line(target.name, None)}" for target in plan.targets]),
        ("Before and after", changed(plan.changes, None)),
        ("Not known before", plan.unknowns),
        ("Reason given", [plan.reason] if plan.reason else []),
        ("Had read text of", [_place(source) for source in sorted(plan.sources, key=_place)]),
        ("Outcome", [plan.detail] if plan.detail else []),
    ):
        listed = list(lines)
        if listed:
            yield ""
            yield f"{title}:"
            yield from listed


def _place(source: Source) -> str:
    return f"guild {source.guild_id}" if source.channel_id is None else f"channel {source.channel_id}"
