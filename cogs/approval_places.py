"""Where the card of a plan goes: the guild's approvals channel, the channel of the request, the requester himself."""

from __future__ import annotations

from dataclasses import dataclass

import discord

from operations.audience import leaks
from operations.guild_source import GuildStarting
from operations.guild_state import GuildState, GuildView, bits_at
from operations.plans import PlanView
from policy.model import Target
from policy.permissions import Bits
from policy.rules import GuildRules
from policy.taint import Source
from storage.facts import PlatformFacts

HOW_TO_SET_ONE = (
    "An admin of the workspace sets an approvals channel with `/policy approvals-channel`, or whoever runs this "
    "instance does with `guildhall policy set --guild GUILD_ID --approvals-channel CHANNEL_ID`."
)
WITHOUT_GATEWAY = (
    "This instance runs without a gateway (ENABLE_GATEWAY=false), where nobody can press a button. "
    "Start it with ENABLE_GATEWAY=true to have plans approved in Discord."
)
NOBODY_TO_WRITE_TO = f"No person stands behind this client, so there is nobody to ask. {HOW_TO_SET_ONE}"
FOUR_EYES = (
    "The guild asks for the approval of a second person (four_eyes), and has no approvals channel in which one would "
    f"see it. {HOW_TO_SET_ONE}"
)
NOT_HERE = "The bot is no longer in this guild. Invite it again."
STARTING = "The guild has not arrived from Discord yet. Come back in 2 s."
# What every member of a guild may know of, save what lives in a channel: that is asked of the channel.
KNOWN_TO_MEMBERS = frozenset({"guild", "channel", "category", "thread", "message", "role", "member", "everyone"})
_NEEDED = (("view_channel", Bits.view_channel), ("embed_links", Bits.embed_links))


@dataclass(frozen=True, slots=True)
class Destination:
    """A channel of the guild, or with ``channel_id`` None direct messages to ``user_id``.

    ``discreet``: somebody who reads the channel may not know all of the plan. ``rereads``: the bot may fetch there what
    it posted, so that several plans can share a card.
    """

    guild_id: int
    channel_id: int | None
    user_id: int | None = None
    discreet: bool = False
    rereads: bool = True


@dataclass(frozen=True, slots=True)
class Unreachable:
    """``remedy``: what would help, in words. ``starting``: waiting does."""

    remedy: str
    starting: bool = False


class CardPlaces:
    """Decides where a card goes; sends nothing."""

    def __init__(self, state: GuildState, facts: PlatformFacts) -> None:
        self._state = state
        self._facts = facts

    async def of(self, plan: PlanView) -> Destination | Unreachable:
        """Raises discord.HTTPException when Discord has to be asked and does not answer."""
        if self._state.source.name == "rest":
            return Unreachable(WITHOUT_GATEWAY)
        try:
            view = await self._state.view(plan.guild_id, None)
        except GuildStarting:
            return Unreachable(STARTING, starting=True)
        if view is None:
            return Unreachable(NOT_HERE)
        rules = self._facts.snapshot.guild_rules.get(plan.installation_id, GuildRules())
        if rules.approvals_channel_id is not None:
            return _in_channel(view, plan, rules.approvals_channel_id, "The guild's approvals channel")
        if plan.origin_channel_id is not None:
            return _in_channel(view, plan, plan.origin_channel_id, "The channel of the request")
        if plan.requester_id is None:
            return Unreachable(NOBODY_TO_WRITE_TO)
        if rules.four_eyes:
            return Unreachable(FOUR_EYES)
        return Destination(plan.guild_id, None, plan.requester_id)

    def is_discreet(self, plan: PlanView, channel_id: int | None) -> bool:
        """Whether a card in this channel of the guild (None: in direct messages) may say ids only, as of now."""
        if channel_id is None:
            return False
        view = self._state.view_at_once(plan.guild_id, None)
        return view is None or _tells_too_much(view, plan, channel_id)


def _in_channel(view: GuildView, plan: PlanView, channel_id: int, which: str) -> Destination | Unreachable:
    guild = view.discord
    channel = guild.get_channel_or_thread(channel_id)
    if channel is None:
        return Unreachable(f"{which} ({channel_id}) does not exist, or the bot can't see it. {HOW_TO_SET_ONE}")
    if not isinstance(channel, discord.abc.Messageable):
        return Unreachable(f"{which} ({channel_id}) is not one that messages are sent to. {HOW_TO_SET_ONE}")
    held = bits_at(guild, channel, guild.me)
    send = "send_messages_in_threads" if isinstance(channel, discord.Thread) else "send_messages"
    missing = [name for name, bit in (*_NEEDED, (send, Bits[send])) if not held & bit]
    if missing:
        return Unreachable(
            f"{which} ({channel_id}) is closed to the bot: it lacks {', '.join(missing)} there. "
            "Give it that permission."
        )
    return Destination(
        plan.guild_id,
        channel_id,
        discreet=_tells_too_much(view, plan, channel_id),
        rereads=bool(held & Bits.read_message_history),
    )


def _tells_too_much(view: GuildView, plan: PlanView, channel_id: int) -> bool:
    if any(target.kind not in KNOWN_TO_MEMBERS and target.channel_id is None for target in plan.targets):
        return True
    return leaks(view, channel_id, (*plan.sources, *homes(plan)))


def homes(plan: PlanView) -> tuple[Source, ...]:
    """The channels that the plan touches, as places that one has to see to know of them."""
    channel_ids = {_home(target) for target in plan.targets} - {None}
    return tuple(Source(plan.guild_id, channel_id) for channel_id in sorted(filter(None, channel_ids)))


def _home(target: Target) -> int | None:
    if target.channel_id is not None:
        return target.channel_id
    return target.id if target.kind in ("channel", "category", "thread") else None
