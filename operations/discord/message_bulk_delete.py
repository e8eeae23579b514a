"""Deleting several messages of one channel in one request."""

from __future__ import annotations

import datetime
from dataclasses import replace

import discord
from pydantic import Field

from operations.base import Context, Model, Preview, Reconcile, WriteOperation
from operations.discord.deleted_messages import are_gone, deletion, fetched_all, reads_history, seen, seen_now
from operations.discord.message_places import connect_bit, messageable
from operations.discord.platform_posts import refuse_platform_posts
from operations.preflight import message_deletion as rules
from operations.preflight import told
from operations.preflight.guilds import audit_reason_fits, two_factor_may_be_missing
from operations.refs import ChannelRef, GuildRef, MessageRef
from operations.sanitise import inline
from policy.model import Need, Reach, Target, Tier
from policy.permissions import Bits

TOO_OLD = "too old"


class MessageBulkDeleteInput(Model):
    messages: list[MessageRef] = Field(
        min_length=1, max_length=100, description="2-100 of one channel, younger than 14 days."
    )
    channel: ChannelRef | None = None
    guild: GuildRef | None = None


class MessageBulkDeleteEffect(Model):
    """Exactly these messages; ``channel`` is the one that all are in."""

    channel: Target
    message_ids: tuple[int, ...]


class MessageBulkDeleteResult(Model):
    channel_id: str
    message_ids: list[str]


class BulkDeleteMessages(WriteOperation[MessageBulkDeleteInput, MessageBulkDeleteEffect, MessageBulkDeleteResult]):
    """Delete 2-100 messages of one channel at once, each younger than 14 days. It cannot be undone."""

    name = "message_bulk_delete"
    title = "Delete several messages"
    toolset = "moderation"
    scope = "moderation:write"
    tier = Tier.CRITICAL
    reach = Reach.SAME_CHANNEL
    # As for one message: to be gone is the whole effect. All of them must be.
    reconcile = Reconcile.READ_BACK
    # "This endpoint requires the MANAGE_MESSAGES permission", for one's own messages too.
    # https://discord.com/developers/docs/resources/message#bulk-delete-messages
    # The preview's own look asks for read_message_history, of the bot.
    bot_permissions = ("view_channel", "manage_messages")
    actor_permissions = ("view_channel", "manage_messages")
    in_default_set = True
    idempotent = True

    # ------------------------------------------------------------------ rights
    def needs(self, ctx: Context, arguments: MessageBulkDeleteInput) -> tuple[Need, ...]:
        return (self._need(ctx, ctx.targets["channel"]),)

    def needs_of(self, ctx: Context, effect: MessageBulkDeleteEffect) -> tuple[Need, ...]:
        return (self._need(ctx, effect.channel),)

    def _need(self, ctx: Context, channel: Target) -> Need:
        reached = connect_bit(ctx.guild, channel.id)
        need = self.need(channel)
        looks = int(Bits.read_message_history)
        return replace(need, bot_bits=need.bot_bits | looks | reached, actor_bits=need.actor_bits | reached)

    # ----------------------------------------------------------------- preview
    async def preview(self, ctx: Context, arguments: MessageBulkDeleteInput) -> Preview[MessageBulkDeleteEffect]:
        target = ctx.targets["channel"]
        named = tuple(each.id for each in ctx.many["messages"])
        messages = await fetched_all(ctx, target.id, named, "messages")
        await refuse_platform_posts(ctx, messages)
        channel = messageable(ctx.guild, target.id)
        guild = ctx.guild.discord
        now = datetime.datetime.fromtimestamp(ctx.now, datetime.UTC)
        authors = {message.author.id for message in messages}
        by = f"@{inline(messages[0].author.name)}" if len(authors) == 1 else f"{len(authors)} authors"
        reads = reads_history(ctx, channel)
        what = f"{len(messages)} messages{f' by {by}' if reads else ''}"
        return Preview(
            summary=f"Delete {what} from #{inline(channel.name)} in {inline(guild.name)}; it cannot be undone",
            effect=MessageBulkDeleteEffect(channel=target, message_ids=tuple(message.id for message in messages)),
            changes=tuple(deletion(message, channel.name, in_full=reads) for message in messages),
            problems=told(
                rules.bulk_fits(named, now),
                *(
                    f"Message {message.id}: {problem}"
                    for message in messages
                    if (problem := rules.message_is_deletable(message.type))
                ),
                audit_reason_fits(ctx.audit_reason),
            ),
            unknowns=told(two_factor_may_be_missing(guild.mfa_level, Bits.manage_messages)),
            fingerprint=seen(messages),
        )

    async def observe(self, ctx: Context, effect: MessageBulkDeleteEffect) -> str:
        now = datetime.datetime.fromtimestamp(ctx.now, datetime.UTC)
        if any(rules.is_too_old(message_id, now) for message_id in effect.message_ids):
            # It was not when the preview was made, and Discord refuses all for one.
            return TOO_OLD
        return await seen_now(ctx, effect.channel.id, effect.message_ids)

    # ----------------------------------------------------------------- execute
    async def execute(self, ctx: Context, effect: MessageBulkDeleteEffect) -> MessageBulkDeleteResult:
        channel = messageable(ctx.guild, effect.channel.id)
        await channel.delete_messages(
            [discord.Object(message_id) for message_id in effect.message_ids], reason=ctx.audit_reason
        )
        return _result(effect)

    async def read_back(self, ctx: Context, effect: MessageBulkDeleteEffect) -> MessageBulkDeleteResult | None:
        gone = await are_gone(ctx, effect.channel.id, effect.message_ids)
        return _result(effect) if gone else None


def _result(effect: MessageBulkDeleteEffect) -> MessageBulkDeleteResult:
    return MessageBulkDeleteResult(
        channel_id=str(effect.channel.id), message_ids=[str(message_id) for message_id in effect.message_ids]
    )
