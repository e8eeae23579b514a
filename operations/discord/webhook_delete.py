"""Deleting a webhook."""

from __future__ import annotations

import discord

from operations.base import Change, Context, Model, Preview, Reconcile, WriteOperation
from operations.discord.webhook_create import WebhookResult
from operations.discord.webhook_facts import RIGHTS, fetched, known, labelled, observed, spoken, webhook_need
from operations.preflight import told
from operations.preflight.guilds import audit_reason_fits, two_factor_may_be_missing
from operations.preflight.webhooks import MAX_NAME
from operations.refs import ChannelRef, GuildRef, WebhookRef
from operations.sanitise import inline, sanitise
from policy.model import Need, Target, Tier


class WebhookDeleteInput(Model):
    webhook: WebhookRef
    channel: ChannelRef | None = None
    guild: GuildRef | None = None


class WebhookDeleteEffect(Model):
    webhook: Target


class DeleteWebhook(WriteOperation[WebhookDeleteInput, WebhookDeleteEffect, WebhookResult]):
    """Delete a webhook: whatever posts through it stops working. Its messages stay. This cannot be undone."""

    name = "webhook_delete"
    toolset = "webhooks"
    scope = "webhooks:write"
    tier = Tier.CRITICAL
    in_default_set = True
    bot_permissions = ("manage_webhooks",)
    actor_permissions = ("manage_webhooks",)
    reconcile = Reconcile.AUDIT_LOG
    audit_action = discord.AuditLogAction.webhook_delete.value
    idempotent = True

    def needs(self, ctx: Context, arguments: WebhookDeleteInput) -> tuple[Need, ...]:
        return (webhook_need(ctx, ctx.targets["webhook"]),)

    def needs_of(self, ctx: Context, effect: WebhookDeleteEffect) -> tuple[Need, ...]:
        return (webhook_need(ctx, effect.webhook),)

    async def preview(self, ctx: Context, arguments: WebhookDeleteInput) -> Preview[WebhookDeleteEffect]:
        target = ctx.targets["webhook"]
        now = await known(ctx, target)
        guild, home = ctx.guild.discord, ctx.guild.channel(now.channel_id)
        where = "" if home is None else f" of #{inline(home.name)}"
        whose = "" if now.has_token else f", a {now.kind_name.replace('_', ' ')} webhook that I cannot execute,"
        return Preview(
            summary=f"Delete {spoken(target)}{whose}{where} in {inline(guild.name)}",
            effect=WebhookDeleteEffect(webhook=target),
            changes=(Change(target=labelled(target), field="exists", before=True, after=False),),
            problems=told(audit_reason_fits(ctx.audit_reason)),
            unknowns=told(two_factor_may_be_missing(guild.mfa_level, RIGHTS)),
            fingerprint=now.fingerprint,
            reversible=False,
        )

    async def observe(self, ctx: Context, effect: WebhookDeleteEffect) -> str:
        return await observed(ctx, effect.webhook)

    async def execute(self, ctx: Context, effect: WebhookDeleteEffect) -> WebhookResult:
        webhook = await fetched(ctx, effect.webhook)
        await webhook.delete(reason=ctx.audit_reason)
        return _result(effect)

    def found(self, entry: discord.AuditLogEntry, effect: WebhookDeleteEffect) -> WebhookResult | None:
        return _result(effect) if getattr(entry.target, "id", None) == effect.webhook.id else None


def _result(effect: WebhookDeleteEffect) -> WebhookResult:
    return WebhookResult(
        id=str(effect.webhook.id),
        name=sanitise(effect.webhook.name, limit=MAX_NAME),
        channel_id=str(effect.webhook.channel_id),
    )
