"""Deleting a channel or a category."""

from __future__ import annotations

import datetime

import discord

from operations.base import Change, Context, Model, Preview, Reconcile, WriteOperation
from operations.discord.channel_edit import CHANNEL_GONE, reachable
from operations.discord.channel_kinds import ChannelKind, kind_of, labelled, spoken
from operations.discord.channel_policies import loosens, raised, refuse_unless_policy_editor
from operations.discord.channel_settings import common_problems, common_unknowns
from operations.discord.channel_threads import refuse_threads
from operations.discord.fingerprints import GONE, fingerprint
from operations.discord.wording import counted
from operations.errors import Refused
from operations.guild_state import GuildView
from operations.preflight import told
from operations.preflight.channels import channel_is_deletable
from operations.refs import ChannelRef, GuildRef
from operations.refusals import hidden
from operations.sanitise import inline
from policy.model import Need, Requirement, Target, Tier
from policy.permissions import Bits

# Discord gives the pins of a channel in pages of 50: one request is enough to tell a busy channel from an idle one.
MAX_COUNTED_PINS = 50


class ChannelDeleteInput(Model):
    channel: ChannelRef
    guild: GuildRef | None = None


class ChannelDeleteEffect(Model):
    channel: Target
    type: ChannelKind


class ChannelDeleteResult(Model):
    id: str
    name: str
    type: ChannelKind


class DeleteChannel(WriteOperation[ChannelDeleteInput, ChannelDeleteEffect, ChannelDeleteResult]):
    """Delete a channel with all its messages, or a category (its channels stay). This cannot be undone."""

    name = "channel_delete"
    toolset = "channels"
    scope = "channels:write"
    tier = Tier.CRITICAL
    in_default_set = True
    bot_permissions = ("manage_channels",)
    actor_permissions = ("manage_channels",)
    reconcile = Reconcile.AUDIT_LOG
    audit_action = discord.AuditLogAction.channel_delete.value
    idempotent = True

    # ------------------------------------------------------------------- rights
    def needs(self, ctx: Context, arguments: ChannelDeleteInput) -> tuple[Need, ...]:
        return self._needs(ctx, ctx.targets["channel"])

    def needs_of(self, ctx: Context, effect: ChannelDeleteEffect) -> tuple[Need, ...]:
        return self._needs(ctx, effect.channel)

    def _needs(self, ctx: Context, target: Target) -> tuple[Need, ...]:
        return (reachable(self.need(target), ctx.guild.channel(target.id)),)

    def requirement(self, ctx: Context, arguments: ChannelDeleteInput) -> Requirement:
        return self._raised(ctx, super().requirement(ctx, arguments), ctx.targets["channel"])

    def requirement_of(self, ctx: Context, effect: ChannelDeleteEffect) -> Requirement:
        return self._raised(ctx, super().requirement_of(ctx, effect), effect.channel)

    def _raised(self, ctx: Context, requirement: Requirement, target: Target) -> Requirement:
        return raised(requirement, self.need(ctx.guild_target)) if _loosens(ctx, target) else requirement

    # ------------------------------------------------------------------ preview
    async def preview(self, ctx: Context, arguments: ChannelDeleteInput) -> Preview[ChannelDeleteEffect]:
        target = ctx.targets["channel"]
        found = ctx.guild.channel(target.id)
        if found is None:
            raise Refused(hidden("channel", "channel"))
        channel = refuse_threads(found, "thread_delete")
        if _loosens(ctx, target):
            refuse_unless_policy_editor(ctx, "Deleting this category")
        effect = ChannelDeleteEffect(channel=target, type=kind_of(channel))
        details = [f"{_age_days(channel, ctx.now)} days old", *_contents(ctx.guild, channel)]
        pins = await _pins(ctx.guild, channel)
        details += [pins] if pins else []
        # Asked again: the wait may have replaced it.
        guild = ctx.guild.discord
        rules_channel, updates_channel = guild.rules_channel, guild.public_updates_channel
        what = spoken(target, channel.type)
        return Preview(
            summary=f"Delete {what} ({', '.join(details)}) in {inline(guild.name)}",
            effect=effect,
            changes=(Change(target=labelled(target), field="exists", before=True, after=False),),
            problems=told(
                channel_is_deletable(
                    target.id,
                    guild.features,
                    None if rules_channel is None else rules_channel.id,
                    None if updates_channel is None else updates_channel.id,
                ),
                common_problems(ctx),
            ),
            unknowns=common_unknowns(ctx, 0, None, channel.type),
            fingerprint=_seen(ctx.guild, effect),
            reversible=False,
        )

    async def observe(self, ctx: Context, effect: ChannelDeleteEffect) -> str:
        return _seen(ctx.guild, effect)

    # ------------------------------------------------------------------ execute
    async def execute(self, ctx: Context, effect: ChannelDeleteEffect) -> ChannelDeleteResult:
        if _loosens(ctx, effect.channel):
            refuse_unless_policy_editor(ctx, "Deleting this category")
        channel = ctx.guild.discord.get_channel(effect.channel.id)
        if channel is None:
            raise Refused(CHANNEL_GONE)
        await channel.delete(reason=ctx.audit_reason)
        return _result(effect)

    def found(self, entry: discord.AuditLogEntry, effect: ChannelDeleteEffect) -> ChannelDeleteResult | None:
        return _result(effect) if getattr(entry.target, "id", None) == effect.channel.id else None


def _loosens(ctx: Context, target: Target) -> bool:
    """The channels of a deleted category are left without its policy."""
    # Whether it has channels is not asked: the answer would tell of hidden ones.
    channel = ctx.guild.channel(target.id)
    return isinstance(channel, discord.CategoryChannel) and loosens(ctx, (target.id,), ())


def _age_days(channel: discord.abc.GuildChannel, now: float) -> int:
    created_at = discord.utils.snowflake_time(channel.id)
    return max(0, (datetime.datetime.fromtimestamp(now, datetime.UTC) - created_at).days)


def _contents(view: GuildView, channel: discord.abc.GuildChannel) -> list[str]:
    """What would go or stay with it, of what the requester sees."""
    if isinstance(channel, discord.CategoryChannel):
        visible = set(view.visible_ids())
        inside = sum(1 for child in channel.channels if child.id in visible)
        return [f"{counted(inside, 'channel')} in it that you see stay, outside of any category"] if inside else []
    if isinstance(channel, discord.TextChannel | discord.ForumChannel):
        kind = "post" if isinstance(channel, discord.ForumChannel) else "thread"
        threads = sum(1 for thread in channel.threads if not thread.archived and view.sees(thread))
        return [counted(threads, f"active {kind}")] if threads else []
    return []


async def _pins(view: GuildView, channel: discord.abc.GuildChannel) -> str | None:
    """Asked of Discord where both may read the history; None where they may not."""
    if not isinstance(channel, discord.TextChannel | discord.VoiceChannel):
        return None
    if not view.bits(channel) & view.bot_bits(channel) & Bits.read_message_history:
        return None
    count = 0
    async for _ in channel.pins(limit=MAX_COUNTED_PINS):
        count += 1
    if count >= MAX_COUNTED_PINS:
        return f"{MAX_COUNTED_PINS} or more pinned messages"
    return counted(count, "pinned message")


def _seen(view: GuildView, effect: ChannelDeleteEffect) -> str:
    channel = view.discord.get_channel(effect.channel.id)
    if channel is None:
        return GONE
    return fingerprint(
        {"id": channel.id, "name": channel.name, "type": channel.type.value, "category": channel.category_id}
    )


def _result(effect: ChannelDeleteEffect) -> ChannelDeleteResult:
    return ChannelDeleteResult(id=str(effect.channel.id), name=effect.channel.name, type=effect.type)
