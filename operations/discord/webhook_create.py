"""Creating a webhook."""

from __future__ import annotations

import discord
from pydantic import Field

from operations.base import Change, Context, Inverse, Model, Preview, Reconcile, WriteOperation
from operations.discord.channel_kinds import labelled
from operations.discord.fingerprints import GONE, fingerprint
from operations.discord.webhook_avatars import MAX_ENCODED, avatar_label, avatar_problem, decoded
from operations.discord.webhook_facts import RIGHTS, home_of, webhook_need
from operations.errors import Refused
from operations.guildless import WebhookChannel
from operations.preflight import told
from operations.preflight import webhooks as rules
from operations.preflight.guilds import audit_reason_fits, two_factor_may_be_missing
from operations.refs import ChannelRef, GuildRef
from operations.refusals import hidden
from operations.sanitise import inline, sanitise
from policy.model import Need, Target, Tier


class WebhookCreateInput(Model):
    channel: ChannelRef
    guild: GuildRef | None = None
    name: str = Field(min_length=1, max_length=rules.MAX_NAME)
    avatar: str | None = Field(default=None, max_length=MAX_ENCODED, description="Base64 of a picture.")


class WebhookCreateEffect(Model):
    """``avatar``: base64."""

    channel: Target
    name: str
    avatar: str | None


class WebhookResult(Model):
    id: str
    name: str
    channel_id: str


class CreateWebhook(WriteOperation[WebhookCreateInput, WebhookCreateEffect, WebhookResult]):
    """Create a webhook in a channel; webhook_execute posts through it. Its token is not given out."""

    name = "webhook_create"
    toolset = "webhooks"
    scope = "webhooks:write"
    tier = Tier.RISKY
    in_default_set = True
    bot_permissions = ("manage_webhooks",)
    actor_permissions = ("manage_webhooks",)
    reconcile = Reconcile.AUDIT_LOG
    audit_action = discord.AuditLogAction.webhook_create.value

    def needs(self, ctx: Context, arguments: WebhookCreateInput) -> tuple[Need, ...]:
        return (webhook_need(ctx, ctx.targets["channel"]),)

    def needs_of(self, ctx: Context, effect: WebhookCreateEffect) -> tuple[Need, ...]:
        return (webhook_need(ctx, effect.channel),)

    # ------------------------------------------------------------------ preview
    async def preview(self, ctx: Context, arguments: WebhookCreateInput) -> Preview[WebhookCreateEffect]:
        target = ctx.targets["channel"]
        channel = ctx.guild.channel(target.id)
        if channel is None:
            raise Refused(hidden("channel", "channel"))
        misplaced = rules.channel_takes_webhooks(channel.type)
        count = len(await home_of(ctx, target.id).webhooks()) if misplaced is None else 0
        name = arguments.name.strip()
        effect = WebhookCreateEffect(channel=target, name=name, avatar=arguments.avatar)
        changes = [Change(target=labelled(target), field="webhook", after=inline(name))]
        if arguments.avatar is not None:
            changes.append(Change(target=labelled(target), field="avatar", after=avatar_label(arguments.avatar)))
        guild = ctx.guild.discord
        return Preview(
            summary=f"Create the webhook {inline(name)} in #{inline(target.name)} in {inline(guild.name)}",
            effect=effect,
            changes=tuple(changes),
            problems=told(
                misplaced,
                rules.webhook_name_fits(name),
                rules.channel_has_room(count),
                avatar_problem(arguments.avatar),
                audit_reason_fits(ctx.audit_reason),
            ),
            unknowns=told(two_factor_may_be_missing(guild.mfa_level, RIGHTS)),
            fingerprint=_seen(ctx, effect),
            reversible=True,
        )

    async def observe(self, ctx: Context, effect: WebhookCreateEffect) -> str:
        return _seen(ctx, effect)

    # ------------------------------------------------------------------ execute
    async def execute(self, ctx: Context, effect: WebhookCreateEffect) -> WebhookResult:
        avatar = None if effect.avatar is None else decoded(effect.avatar)
        made = await _create(home_of(ctx, effect.channel.id), effect.name, avatar, ctx.audit_reason)
        return _result(made.id, effect)

    def found(self, entry: discord.AuditLogEntry, effect: WebhookCreateEffect) -> WebhookResult | None:
        webhook_id = getattr(entry.target, "id", None)
        return None if webhook_id is None else _result(webhook_id, effect)

    def inverse_of(self, effect: WebhookCreateEffect, result: WebhookResult) -> Inverse | None:
        return Inverse(
            operation="webhook_delete", arguments={"webhook": result.id, "guild": str(effect.channel.guild_id)}
        )


async def _create(channel: WebhookChannel, name: str, avatar: bytes | None, reason: str | None) -> discord.Webhook:
    return await channel.create_webhook(name=name, avatar=avatar, reason=reason)


def _seen(ctx: Context, effect: WebhookCreateEffect) -> str:
    channel = ctx.guild.channel(effect.channel.id)
    return GONE if channel is None else fingerprint({"id": channel.id, "type": channel.type.value})


def _result(webhook_id: int, effect: WebhookCreateEffect) -> WebhookResult:
    return WebhookResult(
        id=str(webhook_id), name=sanitise(effect.name, limit=rules.MAX_NAME), channel_id=str(effect.channel.id)
    )
