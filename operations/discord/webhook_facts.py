"""What is known of a webhook, without its token: who knows the token may write as the webhook.

The token stays inside the discord.py object that one request needs; nothing here or above it has a field for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import discord

from operations.base import Context
from operations.discord.channel_kinds import access_bits
from operations.discord.fingerprints import GONE, fingerprint
from operations.errors import Refused
from operations.guild_state import Channel
from operations.guildless import WebhookChannel
from operations.preflight import webhooks as rules
from operations.refusals import hidden
from operations.sanitise import inline
from policy.model import Need, Refuse, Step, Target
from policy.permissions import Bits

WebhookKind = Literal["incoming", "channel_follower", "application"]
RIGHTS = int(Bits.view_channel | Bits.manage_webhooks)


@dataclass(frozen=True, slots=True)
class WebhookFacts:
    """``avatar``: the picture's key, None for none. ``has_token``: whether Discord lets this application execute it."""

    id: int
    name: str
    guild_id: int
    channel_id: int
    kind: discord.WebhookType
    avatar: str | None
    avatar_url: str | None
    application_id: int | None
    creator_id: int | None
    creator_name: str | None
    has_token: bool

    @property
    def kind_name(self) -> WebhookKind:
        match self.kind:
            case discord.WebhookType.incoming:
                return "incoming"
            case discord.WebhookType.channel_follower:
                return "channel_follower"
            case _:
                return "application"

    @property
    def fingerprint(self) -> str:
        return fingerprint({"id": self.id, "name": self.name, "channel": self.channel_id, "avatar": self.avatar})


def facts_of(webhook: discord.Webhook) -> WebhookFacts | None:
    """None for one that is in no channel of a guild."""
    if webhook.guild_id is None or webhook.channel_id is None:
        return None
    avatar = webhook.avatar
    return WebhookFacts(
        id=webhook.id,
        name=webhook.name or "",
        guild_id=webhook.guild_id,
        channel_id=webhook.channel_id,
        kind=webhook.type,
        avatar=None if avatar is None else avatar.key,
        avatar_url=None if avatar is None else avatar.url,
        application_id=_application_id(webhook),
        creator_id=None if webhook.user is None else webhook.user.id,
        creator_name=None if webhook.user is None else webhook.user.name,
        has_token=webhook.token is not None,
    )


def _application_id(webhook: discord.Webhook) -> int | None:
    """discord.py keeps none; a bot that made a webhook is its application's user."""
    return webhook.user.id if webhook.user is not None and webhook.user.bot else None


async def fetched(ctx: Context, target: Target) -> discord.Webhook:
    """The webhook of now, with its token: for one request, and to be kept nowhere. Raises Refused when it is gone or
    has left the channel in which the rights were decided, and discord.HTTPException.
    """
    webhook = await ctx.guild.state.source.fetch_webhook(target.id)
    if webhook is None:
        raise Refused(hidden("webhook", "webhook"))
    if webhook.guild_id != target.guild_id or webhook.channel_id != target.channel_id:
        raise Refused(MOVED)
    return webhook


async def known(ctx: Context, target: Target) -> WebhookFacts:
    """What is known of it now. Raises as ``fetched``."""
    facts = facts_of(await fetched(ctx, target))
    if facts is None:
        raise Refused(hidden("webhook", "webhook"))
    return facts


async def observed(ctx: Context, target: Target) -> str:
    """The fingerprint of now. Raises discord.HTTPException."""
    webhook = await ctx.guild.state.source.fetch_webhook(target.id)
    facts = None if webhook is None else facts_of(webhook)
    return GONE if facts is None else facts.fingerprint


def webhook_need(ctx: Context, target: Target, more: int = 0) -> Need:
    """Managing webhooks where the target is, and ``more``: of bot and requester alike."""
    channel = ctx.guild.channel(target.id if target.channel_id is None else target.channel_id)
    wanted = RIGHTS | more | (0 if channel is None else access_bits(channel.type))
    return Need(target, wanted, wanted)


def home_of(ctx: Context, channel_id: int) -> WebhookChannel:
    """A channel that holds webhooks. Raises Refused for another kind, as for one that is gone."""
    channel: Channel | None = ctx.guild.channel(channel_id)
    if channel is None:
        raise Refused(hidden("channel", "channel"))
    if isinstance(channel, WebhookChannel):
        return channel
    problem = rules.channel_takes_webhooks(channel.type) or "That kind of channel has no webhooks."
    raise Refused(Refuse(Step.DISCORD, "no_webhooks", problem, "channel_list shows the channels with their kinds."))


def spoken(target: Target) -> str:
    """A webhook inside a sentence."""
    return f"the webhook {inline(target.name)}"


def labelled(target: Target) -> str:
    """A webhook as the target of a change."""
    return f"webhook {target.id} {inline(target.name)}"


def channel_label(channel: Channel) -> str:
    return f"{channel.id} #{inline(channel.name)}"


MOVED = Refuse(
    Step.EXECUTE,
    "webhook_moved",
    "The webhook was moved to another channel meanwhile.",
    "Preview the call again: other rights apply there.",
)
