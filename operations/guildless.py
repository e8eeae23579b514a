"""Webhooks and invites: their routes name no guild, so guild and channel are those of the fetched object.

One of another guild, or of a channel that the requester does not see, reads as one that does not exist.
"""

from __future__ import annotations

import re

import discord

from operations.base import Operation
from operations.guild_state import Channel, GuildView
from operations.resolve import Resolved, pick, snowflake
from policy import checks
from policy.model import Need, Refuse, Target
from policy.permissions import Bits, bits, missing

# https://discord.com/developers/docs/resources/webhook#create-webhook; the kinds that hold messages or posts.
WebhookChannel = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.ForumChannel

INVITE = re.compile(
    r"(?:(?:https?://)?(?:www\.|ptb\.|canary\.)?(?:discord\.gg|discord(?:app)?\.com/invite)/)?"
    r"(?P<code>[A-Za-z0-9-]{2,100})/?(?:\?[^\s]*)?",
    re.IGNORECASE,
)
# "MANAGE_CHANNELS on the channel this invite belongs to, or MANAGE_GUILD to remove any invite across the guild"
# (https://discord.com/developers/docs/resources/invite#delete-invite).
INSTEAD = {"invite": int(Bits.manage_guild)}


# ------------------------------------------------------------------- objects
async def webhook(view: GuildView, text: str, channel: Target | None, *, strict: bool) -> Resolved:
    """By id, or by its name in a channel that is given. Raises discord.HTTPException."""
    webhook_id = snowflake("webhook", text)
    if webhook_id is not None:
        found = await view.state.source.fetch_webhook(webhook_id)
        if found is None or found.guild_id != view.id or found.channel_id is None:
            return None
        if channel is not None and channel.id != found.channel_id:
            return None
        home = view.channel(found.channel_id)
        return None if home is None or not view.sees(home) else webhook_target(view, found)
    home = None if channel is None else view.channel(channel.id)
    if not isinstance(home, WebhookChannel):
        return None
    candidates = [(each.name or "", webhook_target(view, each)) for each in await home.webhooks()]
    return pick(text, candidates, strict=strict)


def webhook_target(view: GuildView, found: discord.Webhook) -> Target:
    return Target("webhook", found.id, view.id, found.name or "", channel_id=found.channel_id)


async def invite(view: GuildView, text: str, channel: Target | None = None) -> Target | None:
    """By code or address. Raises discord.HTTPException."""
    code = invite_code(text)
    found = None if code is None else await view.state.source.fetch_invite(code)
    if found is None or found.guild is None or found.guild.id != view.id or found.channel is None:
        return None
    if channel is not None and channel.id != found.channel.id:
        return None
    home = view.channel(found.channel.id)
    return None if home is None or not view.sees(home) else invite_target(home, found.code)


def invite_target(channel: Channel, code: str) -> Target:
    """An invite has a code and no id: the code is its name, and its id is that of its channel, so that what is kept of
    a call still says where.
    """
    return Target("invite", channel.id, channel.guild.id, code, channel_id=channel.id)


def invite_code(text: str) -> str | None:
    matched = INVITE.fullmatch(text)
    return None if matched is None else matched["code"]


# -------------------------------------------------------------------- rights
def lacks_rights(operation: Operation, view: GuildView, kind: str, channel: Target | None) -> Refuse | None:
    """Why nobody needs to ask Discord: bot or requester lack the right in the channel that is given, or everywhere."""
    instead = INSTEAD.get(kind, 0)
    wanted = bits(*operation.bot_permissions), bits(*operation.actor_permissions)
    bot, actor = or_instead(view.bot_bits(), wanted[0], instead), or_instead(view.bits(), wanted[1], instead)
    guild = view.discord
    need = Need(channel or Target("guild", guild.id, guild.id, guild.name), bot, actor)
    known = view.facts(need)
    refusal = checks.bot_holds_rights(need, known) or checks.actor_holds_rights(need, known)
    if refusal is None or channel is not None:
        return refusal
    channels = (view.channel(channel_id) for channel_id in view.shared_ids())
    somewhere = any(
        not missing(view.bot_bits(each), bot) and not missing(view.bits(each), actor) for each in channels if each
    )
    return None if somewhere else refusal


def or_instead(held: int, wanted: int, instead: int) -> int:
    """``wanted``, or ``instead`` for who holds that."""
    return instead if instead and not missing(held, instead) else wanted
