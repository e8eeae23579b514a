"""Removing a member from a guild."""

from __future__ import annotations

import discord

from operations import case_records
from operations.base import Change, Context, Model, Preview, Reconcile, WriteOperation
from operations.discord.member_facts import (
    common_problems,
    common_unknowns,
    held_roles,
    labelled,
    member_now,
    membership_seen,
    person,
    shown,
    standing,
    target_member,
)
from operations.preflight import told
from operations.refs import GuildRef, MemberRef
from operations.sanitise import inline
from policy.model import Need, Target, Tier
from policy.permissions import Bits
from storage.call_record import CallRecord
from storage.cases import CaseKind
from storage.session import Session


class MemberKickInput(Model):
    member: MemberRef
    guild: GuildRef | None = None


class MemberKickEffect(Model):
    member: Target


class MemberKickResult(Model):
    id: str
    username: str


class KickMember(WriteOperation[MemberKickInput, MemberKickEffect, MemberKickResult]):
    """Remove a member from the guild; they may come back by an invite, without their roles."""

    name = "member_kick"
    toolset = "members"
    scope = "members:moderate"
    tier = Tier.CRITICAL
    in_default_set = True
    one_click = True
    bot_permissions = ("kick_members",)
    actor_permissions = ("kick_members",)
    reconcile = Reconcile.AUDIT_LOG
    audit_action = discord.AuditLogAction.kick.value

    def needs(self, ctx: Context, arguments: MemberKickInput) -> tuple[Need, ...]:
        return (self.need(ctx.targets["member"], outrank=True),)

    def needs_of(self, ctx: Context, effect: MemberKickEffect) -> tuple[Need, ...]:
        return (self.need(effect.member, outrank=True),)

    async def preview(self, ctx: Context, arguments: MemberKickInput) -> Preview[MemberKickEffect]:
        target, guild = ctx.targets["member"], ctx.guild.discord
        member = target_member(ctx)
        roles = [inline(role.name) for role in held_roles(guild, member)]
        changes = [Change(target=labelled(target), field="member", before=True, after=False)]
        if roles:
            changes.append(Change(target=labelled(target), field="roles", before=roles, after=[]))
        return Preview(
            summary=f"Kick {person(target)} from {inline(guild.name)}: {standing(guild, member, ctx.now)}",
            effect=MemberKickEffect(member=target),
            changes=tuple(changes),
            problems=told(common_problems(ctx)),
            unknowns=common_unknowns(ctx, int(Bits.kick_members)),
            fingerprint=membership_seen(member),
            reversible=False,
        )

    async def observe(self, ctx: Context, effect: MemberKickEffect) -> str:
        return membership_seen(await member_now(ctx, effect.member.id))

    async def execute(self, ctx: Context, effect: MemberKickEffect) -> MemberKickResult:
        await ctx.guild.discord.kick(discord.Object(effect.member.id), reason=ctx.audit_reason)
        ctx.guild.state.forget_member(ctx.guild.id, effect.member.id)
        return _result(effect)

    def found(self, entry: discord.AuditLogEntry, effect: MemberKickEffect) -> MemberKickResult | None:
        return _result(effect) if getattr(entry.target, "id", None) == effect.member.id else None

    async def keep(
        self, session: Session, call: CallRecord, effect: MemberKickEffect, result: MemberKickResult
    ) -> None:
        await case_records.keep(session, call, CaseKind.KICK, effect.member.id)


def _result(effect: MemberKickEffect) -> MemberKickResult:
    return MemberKickResult(id=str(effect.member.id), username=shown(effect.member.name))
