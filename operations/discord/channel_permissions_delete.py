"""Removing one permission overwrite of a channel."""

from __future__ import annotations

from typing import Any

import discord

from operations.base import Context, Inverse, Preview, Reconcile, WriteOperation
from operations.discord import channel_overwrites as overwrites
from operations.discord.channel_kinds import kind_of, spoken
from operations.discord.channel_overwrites import OverwriteEffect, OverwriteResult, OverwrittenChannel, subject_of
from operations.discord.channel_threads import refuse_threads_without_overwrites
from operations.discord.overwrites import OverwriteSubject
from operations.discord.role_kinds import called
from operations.discord.role_writes import common_problems, common_unknowns
from operations.errors import Refused
from operations.preflight import told
from operations.preflight.overwrites import Overwrite, overwrite_bits_are_known
from operations.refusals import hidden
from operations.sanitise import inline
from policy.model import Need, Tier
from policy.permissions import names_of


class ChannelPermissionsDeleteInput(OverwriteSubject, OverwrittenChannel):
    pass


class ChannelPermissionsDeleteEffect(OverwriteEffect):
    """``allow`` and ``deny``: the overwrite that goes."""


class DeleteChannelPermissions(
    WriteOperation[ChannelPermissionsDeleteInput, ChannelPermissionsDeleteEffect, OverwriteResult]
):
    """Remove the overwrite of one role or member from a channel, so that roles alone count for it again."""

    name = "channel_permissions_delete"
    toolset = "channels"
    scope = "channels:write"
    tier = Tier.RISKY
    in_default_set = True
    # https://discord.com/developers/docs/resources/channel#delete-channel-permission
    bot_permissions = ("manage_roles",)
    actor_permissions = ("manage_roles",)
    reconcile = Reconcile.AUDIT_LOG
    audit_action = discord.AuditLogAction.overwrite_delete.value
    idempotent = True

    # ------------------------------------------------------------------- rights
    def needs(self, ctx: Context, arguments: ChannelPermissionsDeleteInput) -> tuple[Need, ...]:
        target, subject = ctx.targets["channel"], subject_of(ctx)
        channel = ctx.guild.discord.get_channel(target.id)
        known = None if channel is None else overwrites.overwrite_for(channel, subject.id)
        return overwrites.needs_for(ctx, self.need(target), subject, 0 if known is None else known.bits)

    def needs_of(self, ctx: Context, effect: ChannelPermissionsDeleteEffect) -> tuple[Need, ...]:
        return overwrites.needs_for(ctx, self.need(effect.channel), effect.subject, effect.allow | effect.deny)

    # ------------------------------------------------------------------ preview
    async def preview(
        self, ctx: Context, arguments: ChannelPermissionsDeleteInput
    ) -> Preview[ChannelPermissionsDeleteEffect]:
        view, target, subject = ctx.guild, ctx.targets["channel"], subject_of(ctx)
        found = view.channel(target.id)
        if found is None:
            raise Refused(hidden("channel", "channel"))
        channel = refuse_threads_without_overwrites(found)
        known = overwrites.overwrite_for(channel, subject.id)
        before = known or Overwrite()
        effect = ChannelPermissionsDeleteEffect(
            channel=target, type=kind_of(channel), subject=subject, allow=before.allow, deny=before.deny
        )
        where = f"{spoken(target, channel.type)} of {inline(view.discord.name)}"
        later = overwrites.aftermath(view, channel, subject, None)
        return Preview(
            summary=f"Remove the permission overwrite of {called(subject)} from {where}",
            effect=effect,
            changes=(overwrites.overwrite_change(target, subject, known, None), *later.changes),
            problems=told(
                None if known is not None else f"Nothing would change; {called(subject)} has no overwrite there.",
                common_problems(ctx),
            ),
            unknowns=common_unknowns(ctx),
            fingerprint=overwrites.seen(view, target.id, subject.id),
            inverse=_inverse(effect),
            reversible=later.keeps_hold and _inverse(effect) is not None,
        )

    async def observe(self, ctx: Context, effect: ChannelPermissionsDeleteEffect) -> str:
        return overwrites.seen(ctx.guild, effect.channel.id, effect.subject.id)

    # ------------------------------------------------------------------ execute
    async def execute(self, ctx: Context, effect: ChannelPermissionsDeleteEffect) -> OverwriteResult:
        await overwrites.set_overwrite(ctx, effect.channel.id, effect.subject, None)
        return _result(effect)

    def found(self, entry: discord.AuditLogEntry, effect: ChannelPermissionsDeleteEffect) -> OverwriteResult | None:
        return _result(effect) if overwrites.is_of(entry, effect.channel.id, effect.subject.id) else None


def _inverse(effect: ChannelPermissionsDeleteEffect) -> Inverse | None:
    """None for an overwrite that did nothing, or that has permissions without a name here: no call makes those."""
    was = Overwrite(effect.allow, effect.deny)
    if not was.bits or overwrite_bits_are_known(was) is not None:
        return None
    arguments: dict[str, Any] = {
        "channel": str(effect.channel.id),
        "guild": str(effect.channel.guild_id),
        effect.subject.kind: str(effect.subject.id),
    }
    lists = {"allow": effect.allow, "deny": effect.deny}
    arguments |= {name: list(names_of(value)) for name, value in lists.items() if value}
    return Inverse(operation="channel_permissions_edit", arguments=arguments)


def _result(effect: ChannelPermissionsDeleteEffect) -> OverwriteResult:
    return overwrites.result_of(effect.channel, effect.subject, Overwrite())
