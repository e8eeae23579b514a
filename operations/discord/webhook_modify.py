"""Changing a webhook, and moving it to another channel."""

from __future__ import annotations

from typing import Any, Self

import discord
from pydantic import Field, model_validator

from operations.base import Change, Context, Inverse, Model, Preview, Reconcile, WriteOperation
from operations.discord.webhook_avatars import MAX_ENCODED, avatar_label, avatar_problem, decoded
from operations.discord.webhook_create import WebhookResult
from operations.discord.webhook_facts import (
    RIGHTS,
    WebhookFacts,
    channel_label,
    fetched,
    home_of,
    known,
    labelled,
    observed,
    spoken,
    webhook_need,
)
from operations.errors import Refused
from operations.preflight import told
from operations.preflight import webhooks as rules
from operations.preflight.guilds import audit_reason_fits, two_factor_may_be_missing
from operations.refs import ChannelRef, GuildRef, WebhookRef
from operations.refusals import hidden
from operations.sanitise import inline, sanitise
from policy.model import Need, Target, Tier


class WebhookModifyInput(Model):
    webhook: WebhookRef
    channel: ChannelRef | None = None
    guild: GuildRef | None = None
    name: str | None = Field(default=None, min_length=1, max_length=rules.MAX_NAME)
    avatar: str | None = Field(default=None, max_length=MAX_ENCODED, description="Base64 of a picture.")
    remove_avatar: bool = False
    move_to: ChannelRef | None = Field(default=None, description="Channel to move it to.")

    @model_validator(mode="after")
    def _one_avatar(self) -> Self:
        if self.remove_avatar and self.avatar is not None:
            raise ValueError("give either avatar or remove_avatar")
        return self


class WebhookModifyEffect(Model):
    """Only what changes is set. ``avatar``: base64."""

    webhook: Target
    name: str | None = None
    avatar: str | None = None
    remove_avatar: bool = False
    move_to: Target | None = None

    @property
    def changed(self) -> list[str]:
        avatar = self.avatar is not None or self.remove_avatar
        given = (("name", self.name is not None), ("avatar", avatar), ("channel", self.move_to is not None))
        return [field for field, changes in given if changes]


class WebhookModifyResult(WebhookResult):
    """``changed``: name, avatar, channel."""

    changed: list[str]


class ModifyWebhook(WriteOperation[WebhookModifyInput, WebhookModifyEffect, WebhookModifyResult]):
    """Change a webhook's name or avatar, or move it to another channel, where you need manage_webhooks as well."""

    name = "webhook_modify"
    toolset = "webhooks"
    scope = "webhooks:write"
    tier = Tier.RISKY
    in_default_set = True
    bot_permissions = ("manage_webhooks",)
    actor_permissions = ("manage_webhooks",)
    reconcile = Reconcile.AUDIT_LOG
    audit_action = discord.AuditLogAction.webhook_update.value
    idempotent = True

    def needs(self, ctx: Context, arguments: WebhookModifyInput) -> tuple[Need, ...]:
        return _needs(ctx, ctx.targets["webhook"], ctx.targets.get("move_to"))

    def needs_of(self, ctx: Context, effect: WebhookModifyEffect) -> tuple[Need, ...]:
        return _needs(ctx, effect.webhook, effect.move_to)

    # ------------------------------------------------------------------ preview
    async def preview(self, ctx: Context, arguments: WebhookModifyInput) -> Preview[WebhookModifyEffect]:
        target = ctx.targets["webhook"]
        now = await known(ctx, target)
        effect = _effect(target, now, arguments, ctx.targets.get("move_to"))
        place = await _place_problems(ctx, effect.move_to)
        guild = ctx.guild.discord
        inverse = _inverse(now, effect)
        return Preview(
            summary=_summary(ctx, effect),
            effect=effect,
            changes=_changes(ctx, now, effect),
            problems=told(
                None if effect.changed else "Nothing would change; give a field with a new value.",
                None if effect.name is None else rules.webhook_name_fits(effect.name),
                avatar_problem(effect.avatar),
                place,
                audit_reason_fits(ctx.audit_reason),
            ),
            unknowns=told(two_factor_may_be_missing(guild.mfa_level, RIGHTS)),
            fingerprint=now.fingerprint,
            inverse=inverse,
            reversible=inverse is not None,
        )

    async def observe(self, ctx: Context, effect: WebhookModifyEffect) -> str:
        return await observed(ctx, effect.webhook)

    # ------------------------------------------------------------------ execute
    async def execute(self, ctx: Context, effect: WebhookModifyEffect) -> WebhookModifyResult:
        webhook = await fetched(ctx, effect.webhook)
        options: dict[str, Any] = {}
        if effect.name is not None:
            options["name"] = effect.name
        if effect.avatar is not None:
            options["avatar"] = decoded(effect.avatar)
        elif effect.remove_avatar:
            options["avatar"] = None
        if effect.move_to is not None:
            options["channel"] = home_of(ctx, effect.move_to.id)
        await webhook.edit(reason=ctx.audit_reason, **options)
        return _result(effect)

    def found(self, entry: discord.AuditLogEntry, effect: WebhookModifyEffect) -> WebhookModifyResult | None:
        return _result(effect) if getattr(entry.target, "id", None) == effect.webhook.id else None


def _needs(ctx: Context, webhook: Target, move_to: Target | None) -> tuple[Need, ...]:
    return tuple(webhook_need(ctx, target) for target in (webhook, move_to) if target is not None)


def _effect(
    target: Target, now: WebhookFacts, arguments: WebhookModifyInput, move_to: Target | None
) -> WebhookModifyEffect:
    name = None if arguments.name is None else arguments.name.strip()
    return WebhookModifyEffect(
        webhook=target,
        name=None if name == now.name else name,
        avatar=arguments.avatar,
        remove_avatar=arguments.remove_avatar and now.avatar is not None,
        move_to=None if move_to is None or move_to.id == now.channel_id else move_to,
    )


async def _place_problems(ctx: Context, move_to: Target | None) -> str | None:
    if move_to is None:
        return None
    channel = ctx.guild.channel(move_to.id)
    if channel is None:
        raise Refused(hidden("move_to", "channel"))
    misplaced = rules.channel_takes_webhooks(channel.type)
    if misplaced is not None:
        return misplaced
    return rules.channel_has_room(len(await home_of(ctx, move_to.id).webhooks()))


def _summary(ctx: Context, effect: WebhookModifyEffect) -> str:
    what, guild = spoken(effect.webhook), inline(ctx.guild.discord.name)
    fields = [field for field in effect.changed if field != "channel"]
    if effect.move_to is None:
        return f"Change {' and '.join(fields) or 'nothing'} of {what} in {guild}"
    also = f" and change its {' and '.join(fields)}" if fields else ""
    return f"Move {what} to #{inline(effect.move_to.name)}{also} in {guild}"


def _changes(ctx: Context, now: WebhookFacts, effect: WebhookModifyEffect) -> tuple[Change, ...]:
    target = labelled(effect.webhook)
    changes: list[Change] = []
    if effect.name is not None:
        changes.append(Change(target=target, field="name", before=inline(now.name), after=inline(effect.name)))
    if effect.avatar is not None or effect.remove_avatar:
        after = None if effect.avatar is None else avatar_label(effect.avatar)
        changes.append(Change(target=target, field="avatar", before=now.avatar_url, after=after))
    if effect.move_to is not None:
        home = ctx.guild.channel(now.channel_id)
        before = str(now.channel_id) if home is None else channel_label(home)
        after = f"{effect.move_to.id} #{inline(effect.move_to.name)}"
        changes.append(Change(target=target, field="channel", before=before, after=after))
    return tuple(changes)


def _inverse(now: WebhookFacts, effect: WebhookModifyEffect) -> Inverse | None:
    """None where a picture would be lost: Discord keeps none that is replaced."""
    replaces = effect.avatar is not None or effect.remove_avatar
    if replaces and now.avatar is not None:
        return None
    arguments: dict[str, Any] = {"webhook": str(now.id), "guild": str(now.guild_id)}
    if effect.name is not None:
        arguments["name"] = now.name
    if replaces:
        arguments["remove_avatar"] = True
    if effect.move_to is not None:
        arguments["move_to"] = str(now.channel_id)
    return Inverse(operation="webhook_modify", arguments=arguments)


def _result(effect: WebhookModifyEffect) -> WebhookModifyResult:
    channel_id = effect.webhook.channel_id if effect.move_to is None else effect.move_to.id
    return WebhookModifyResult(
        id=str(effect.webhook.id),
        name=sanitise(effect.name or effect.webhook.name, limit=rules.MAX_NAME),
        channel_id=str(channel_id),
        changed=effect.changed,
    )
