"""Changing one permission overwrite of a channel."""

from __future__ import annotations

from typing import Any, Self

import discord
from pydantic import Field, model_validator

from operations.base import Context, Inverse, Preview, Reconcile, WriteOperation
from operations.discord import channel_overwrites as overwrites
from operations.discord.channel_kinds import kind_of, spoken
from operations.discord.channel_overwrites import OverwriteEffect, OverwriteResult, OverwrittenChannel, subject_of
from operations.discord.channel_threads import refuse_threads_without_overwrites
from operations.discord.overwrites import OverwriteInput, PermissionName
from operations.discord.role_kinds import called
from operations.discord.role_writes import common_problems, common_unknowns
from operations.errors import Refused
from operations.preflight import told
from operations.preflight.overwrites import (
    Overwrite,
    overwrite_bits,
    overwrite_bits_are_known,
    overwrite_count_fits,
)
from operations.refusals import hidden
from operations.sanitise import inline
from policy.model import Need, Target, Tier
from policy.permissions import bits, names_of


class ChannelPermissionsEditInput(OverwriteInput, OverwrittenChannel):
    clear: tuple[PermissionName, ...] = Field(default=(), description="Left to roles again.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        named = [*self.allow, *self.deny, *self.clear]
        if len({*self.allow}) + len({*self.deny}) + len({*self.clear}) > len({*named}):
            raise ValueError("each permission is either allowed, denied or cleared")
        return self


class ChannelPermissionsEditEffect(OverwriteEffect):
    """``allow`` and ``deny``: the whole overwrite afterwards. ``before_…``: as it was; ``existed``: whether any was."""

    before_allow: int = 0
    before_deny: int = 0
    existed: bool = False

    @property
    def before(self) -> Overwrite:
        return Overwrite(self.before_allow, self.before_deny)

    @property
    def after(self) -> Overwrite:
        return Overwrite(self.allow, self.deny)


class EditChannelPermissions(
    WriteOperation[ChannelPermissionsEditInput, ChannelPermissionsEditEffect, OverwriteResult]
):
    """Allow, deny or clear permissions of one role or member in a channel; permissions not named stay as they are."""

    name = "channel_permissions_edit"
    toolset = "channels"
    scope = "channels:write"
    tier = Tier.RISKY
    in_default_set = True
    # "Requires the MANAGE_ROLES permission." https://discord.com/developers/docs/resources/channel#edit-channel-permissions
    bot_permissions = ("manage_roles",)
    actor_permissions = ("manage_roles",)
    reconcile = Reconcile.AUDIT_LOG
    audit_action = (
        discord.AuditLogAction.overwrite_create.value,
        discord.AuditLogAction.overwrite_update.value,
    )
    idempotent = True

    # ------------------------------------------------------------------- rights
    def needs(self, ctx: Context, arguments: ChannelPermissionsEditInput) -> tuple[Need, ...]:
        target, subject = ctx.targets["channel"], subject_of(ctx)
        channel = ctx.guild.discord.get_channel(target.id)
        before = None if channel is None else overwrites.overwrite_for(channel, subject.id)
        return self._needs(ctx, target, subject, before or Overwrite(), _after(before or Overwrite(), arguments))

    def needs_of(self, ctx: Context, effect: ChannelPermissionsEditEffect) -> tuple[Need, ...]:
        return self._needs(ctx, effect.channel, effect.subject, effect.before, effect.after)

    def _needs(
        self, ctx: Context, channel: Target, subject: Target, before: Overwrite, after: Overwrite
    ) -> tuple[Need, ...]:
        edit = overwrite_bits(before, after)
        return overwrites.needs_for(ctx, self.need(channel), subject, edit.changed | edit.named)

    # ------------------------------------------------------------------ preview
    async def preview(
        self, ctx: Context, arguments: ChannelPermissionsEditInput
    ) -> Preview[ChannelPermissionsEditEffect]:
        view, target, subject = ctx.guild, ctx.targets["channel"], subject_of(ctx)
        found = view.channel(target.id)
        if found is None:
            raise Refused(hidden("channel", "channel"))
        channel = refuse_threads_without_overwrites(found)
        known = overwrites.overwrite_for(channel, subject.id)
        before = known or Overwrite()
        after = _after(before, arguments)
        effect = ChannelPermissionsEditEffect(
            channel=target,
            type=kind_of(channel),
            subject=subject,
            allow=after.allow,
            deny=after.deny,
            before_allow=before.allow,
            before_deny=before.deny,
            existed=known is not None,
        )
        later = overwrites.aftermath(view, channel, subject, after)
        count = len(overwrites.overwrites_of(channel)) + (known is None)
        return Preview(
            summary=(
                f"Change what {called(subject)} may do in {spoken(target, channel.type)} of "
                f"{inline(view.discord.name)}{_said(before, after)}"
            ),
            effect=effect,
            changes=(overwrites.overwrite_change(target, subject, known, after), *later.changes),
            problems=told(
                None if after != before else "Nothing would change; name a permission that is not so yet.",
                overwrite_bits_are_known(after),
                overwrite_count_fits(count),
                common_problems(ctx),
            ),
            unknowns=common_unknowns(ctx),
            fingerprint=overwrites.seen(view, target.id, subject.id),
            inverse=_inverse(effect),
            reversible=later.keeps_hold,
        )

    async def observe(self, ctx: Context, effect: ChannelPermissionsEditEffect) -> str:
        return overwrites.seen(ctx.guild, effect.channel.id, effect.subject.id)

    # ------------------------------------------------------------------ execute
    async def execute(self, ctx: Context, effect: ChannelPermissionsEditEffect) -> OverwriteResult:
        await overwrites.set_overwrite(ctx, effect.channel.id, effect.subject, effect.after)
        return _result(effect)

    def found(self, entry: discord.AuditLogEntry, effect: ChannelPermissionsEditEffect) -> OverwriteResult | None:
        return _result(effect) if overwrites.is_of(entry, effect.channel.id, effect.subject.id) else None


def _after(before: Overwrite, arguments: ChannelPermissionsEditInput) -> Overwrite:
    allow, deny, clear = bits(*arguments.allow), bits(*arguments.deny), bits(*arguments.clear)
    return Overwrite((before.allow | allow) & ~(deny | clear), (before.deny | deny) & ~(allow | clear))


def _said(before: Overwrite, after: Overwrite) -> str:
    parts = (
        ("allow", after.allow & ~before.allow),
        ("deny", after.deny & ~before.deny),
        ("clear", before.bits & ~after.bits),
    )
    said = [f"{verb} {', '.join(names_of(value))}" for verb, value in parts if value]
    return f": {'; '.join(said)}" if said else ""


def _inverse(effect: ChannelPermissionsEditEffect) -> Inverse:
    arguments: dict[str, Any] = {
        "channel": str(effect.channel.id),
        "guild": str(effect.channel.guild_id),
        effect.subject.kind: str(effect.subject.id),
    }
    if not effect.existed:
        return Inverse(operation="channel_permissions_delete", arguments=arguments)
    before, after = effect.before, effect.after
    lists = {
        "allow": before.allow & ~after.allow,
        "deny": before.deny & ~after.deny,
        "clear": after.bits & ~before.bits,
    }
    arguments |= {name: list(names_of(value)) for name, value in lists.items() if value}
    return Inverse(operation="channel_permissions_edit", arguments=arguments)


def _result(effect: ChannelPermissionsEditEffect) -> OverwriteResult:
    return overwrites.result_of(effect.channel, effect.subject, effect.after)
