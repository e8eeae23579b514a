"""Deleting an invite."""

from __future__ import annotations

import discord

from operations.base import Change, Context, Model, Preview, Reconcile, WriteOperation
from operations.discord.fingerprints import GONE, fingerprint
from operations.discord.invites import invite_need
from operations.errors import Refused
from operations.preflight import told
from operations.preflight.guilds import audit_reason_fits, two_factor_may_be_missing
from operations.preflight.invites import invite_is_not_vanity
from operations.refs import GuildRef, InviteRef
from operations.refusals import hidden
from operations.sanitise import inline
from policy.model import Need, Refuse, Step, Target, Tier
from policy.permissions import Bits


class InviteDeleteInput(Model):
    invite: InviteRef
    guild: GuildRef | None = None


class InviteDeleteEffect(Model):
    invite: Target


class InviteDeleteResult(Model):
    code: str
    channel_id: str


class DeleteInvite(WriteOperation[InviteDeleteInput, InviteDeleteEffect, InviteDeleteResult]):
    """Delete an invite by its code or link: nobody joins by it any more. Needs manage_channels in its channel, or
    manage_guild. This cannot be undone.
    """

    name = "invite_delete"
    title = "Delete an invite"
    toolset = "invites"
    scope = "invites:write"
    tier = Tier.RISKY
    in_default_set = True
    bot_permissions = ("manage_channels",)
    actor_permissions = ("manage_channels",)
    reconcile = Reconcile.AUDIT_LOG
    audit_action = discord.AuditLogAction.invite_delete.value
    idempotent = True

    def needs(self, ctx: Context, arguments: InviteDeleteInput) -> tuple[Need, ...]:
        return (invite_need(ctx.guild, ctx.targets["invite"]),)

    def needs_of(self, ctx: Context, effect: InviteDeleteEffect) -> tuple[Need, ...]:
        return (invite_need(ctx.guild, effect.invite),)

    async def preview(self, ctx: Context, arguments: InviteDeleteInput) -> Preview[InviteDeleteEffect]:
        target = ctx.targets["invite"]
        seen = await self.observe(ctx, InviteDeleteEffect(invite=target))
        if seen == GONE:
            raise Refused(hidden("invite", "invite"))
        guild, channel = ctx.guild.discord, ctx.guild.channel(target.id)
        where = "" if channel is None else f" to #{inline(channel.name)}"
        return Preview(
            summary=f"Delete the invite {target.name}{where} in {inline(guild.name)}",
            effect=InviteDeleteEffect(invite=target),
            changes=(Change(target=f"invite {target.name}", field="exists", before=True, after=False),),
            problems=told(
                invite_is_not_vanity(target.name, guild.vanity_url_code), audit_reason_fits(ctx.audit_reason)
            ),
            unknowns=told(two_factor_may_be_missing(guild.mfa_level, Bits.manage_channels)),
            fingerprint=seen,
            reversible=False,
        )

    async def observe(self, ctx: Context, effect: InviteDeleteEffect) -> str:
        """That it is there, and leads to the same channel: how often it was used changes nothing."""
        invite = await ctx.guild.state.source.fetch_invite(effect.invite.name)
        if invite is None or invite.channel is None or invite.guild is None or invite.guild.id != ctx.guild.id:
            return GONE
        return fingerprint({"code": invite.code, "channel": invite.channel.id})

    async def execute(self, ctx: Context, effect: InviteDeleteEffect) -> InviteDeleteResult:
        invite = await ctx.guild.state.source.fetch_invite(effect.invite.name)
        if invite is None or invite.channel is None or invite.channel.id != effect.invite.channel_id:
            raise Refused(INVITE_GONE)
        await invite.delete(reason=ctx.audit_reason)
        return _result(effect)

    def found(self, entry: discord.AuditLogEntry, effect: InviteDeleteEffect) -> InviteDeleteResult | None:
        # Invites have no id: the log names them among the changes.
        return _result(effect) if getattr(entry.changes.before, "code", None) == effect.invite.name else None


INVITE_GONE = Refuse(
    Step.EXECUTE,
    "invite_gone",
    "The invite has expired, was used up or was deleted meanwhile.",
    "invite_list shows the invites of this guild.",
)


def _result(effect: InviteDeleteEffect) -> InviteDeleteResult:
    return InviteDeleteResult(code=effect.invite.name, channel_id=str(effect.invite.id))
