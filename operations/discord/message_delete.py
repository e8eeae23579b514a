"""Deleting one message."""

from __future__ import annotations

from dataclasses import replace

from operations import raw_routes
from operations.base import Context, Model, Preview, Reconcile, WriteOperation
from operations.discord.deleted_messages import are_gone, deletion, fetched, reads_history, seen, seen_now
from operations.discord.message_places import connect_bit, messageable
from operations.discord.platform_posts import refuse_platform_posts
from operations.preflight import message_deletion as rules
from operations.preflight import told
from operations.preflight.guilds import audit_reason_fits, two_factor_may_be_missing
from operations.refs import ChannelRef, GuildRef, MessageRef
from operations.sanitise import inline
from policy.model import Need, Reach, Target, Tier
from policy.permissions import Bits


class MessageDeleteInput(Model):
    message: MessageRef
    channel: ChannelRef | None = None
    guild: GuildRef | None = None


class MessageDeleteEffect(Model):
    """``by_bot``: the bot wrote it, and so needs no permission to delete it."""

    channel_id: int
    message_id: int
    by_bot: bool = False


class MessageDeleteResult(Model):
    message_id: str
    channel_id: str


class DeleteMessage(WriteOperation[MessageDeleteInput, MessageDeleteEffect, MessageDeleteResult]):
    """Delete a message. One that Guildhall sent for you needs no permission; others need manage_messages. It cannot be
    undone.
    """

    name = "message_delete"
    title = "Delete a message"
    toolset = "moderation"
    scope = "moderation:write"
    tier = Tier.RISKY
    # Nothing that was read leaves by it.
    reach = Reach.SAME_CHANNEL
    # "To be gone" is the whole effect, whoever else may have wanted it too. Discord's audit log could not tell: it
    # leaves out what the bot wrote itself, and merges entries.
    # https://discord.com/developers/docs/resources/audit-log#audit-log-entry-object-optional-audit-entry-info
    reconcile = Reconcile.READ_BACK
    # Deleting asks for manage_messages alone, and that of the bot only where another wrote the message, which the
    # preview finds out; the preview's own look asks for read_message_history, of the bot.
    # https://discord.com/developers/docs/resources/message#delete-message and #get-channel-message
    bot_permissions = ("view_channel", "manage_messages")
    actor_permissions = ("view_channel", "manage_messages")
    in_default_set = True
    idempotent = True

    # ------------------------------------------------------------------ rights
    def needs(self, ctx: Context, arguments: MessageDeleteInput) -> tuple[Need, ...]:
        return (self._need(ctx, ctx.targets["message"]),)

    def needs_of(self, ctx: Context, effect: MessageDeleteEffect) -> tuple[Need, ...]:
        name = str(effect.message_id)
        need = self._need(ctx, Target("message", effect.message_id, ctx.guild.id, name, effect.channel_id))
        if effect.by_bot:
            return (need,)
        return (replace(need, bot_bits=need.bot_bits | int(Bits.manage_messages)),)

    def _need(self, ctx: Context, target: Target) -> Need:
        reached = connect_bit(ctx.guild, target.channel_id or 0)
        need = self.need(target)
        return replace(
            need,
            bot_bits=need.bot_bits & ~int(Bits.manage_messages) | int(Bits.read_message_history) | reached,
            actor_bits=need.actor_bits | reached,
            own_waives=int(Bits.manage_messages),
        )

    # ----------------------------------------------------------------- preview
    async def preview(self, ctx: Context, arguments: MessageDeleteInput) -> Preview[MessageDeleteEffect]:
        target = ctx.targets["message"]
        channel_id = target.channel_id or 0
        message = await fetched(ctx, channel_id, target.id, "message")
        await refuse_platform_posts(ctx, [message])
        channel = messageable(ctx.guild, channel_id)
        guild = ctx.guild.discord
        by_bot = message.author.id == ctx.guild.state.source.bot_user_id
        effect = MessageDeleteEffect(channel_id=channel_id, message_id=target.id, by_bot=by_bot)
        whose = "my message" if by_bot else f"the message of @{inline(message.author.name)}"
        told_of = f"{whose} ({len(message.content):,} characters)"
        reads = reads_history(ctx, channel)
        return Preview(
            summary=f"Delete {told_of if reads else f'message {target.id}'} from #{inline(channel.name)} "
            f"in {inline(guild.name)}; it cannot be undone",
            effect=effect,
            changes=(deletion(message, channel.name, in_full=reads),),
            problems=told(
                rules.message_is_deletable(message.type),
                rules.others_message_needs_manage_messages(ctx.guild.bot_bits(channel), inline(channel.name))
                if not by_bot
                else None,
                audit_reason_fits(ctx.audit_reason),
            ),
            unknowns=told(None if by_bot else two_factor_may_be_missing(guild.mfa_level, Bits.manage_messages)),
            fingerprint=seen([message]),
        )

    async def observe(self, ctx: Context, effect: MessageDeleteEffect) -> str:
        return await seen_now(ctx, effect.channel_id, (effect.message_id,))

    # ----------------------------------------------------------------- execute
    async def execute(self, ctx: Context, effect: MessageDeleteEffect) -> MessageDeleteResult:
        await raw_routes.delete_message(
            ctx.guild.discord, effect.channel_id, effect.message_id, reason=ctx.audit_reason
        )
        return _result(effect)

    async def read_back(self, ctx: Context, effect: MessageDeleteEffect) -> MessageDeleteResult | None:
        gone = await are_gone(ctx, effect.channel_id, (effect.message_id,))
        return _result(effect) if gone else None


def _result(effect: MessageDeleteEffect) -> MessageDeleteResult:
    return MessageDeleteResult(message_id=str(effect.message_id), channel_id=str(effect.channel_id))
