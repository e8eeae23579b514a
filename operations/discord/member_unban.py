"""Ending a ban."""

from __future__ import annotations

import discord

from operations import bans, case_records
from operations.ban_ends import end_of
from operations.base import Change, Context, Inverse, Model, Preview, Reconcile, WriteOperation
from operations.discord.fingerprints import GONE, fingerprint
from operations.discord.member_facts import (
    account_age,
    common_problems,
    common_unknowns,
    labelled,
    person,
    shown,
)
from operations.outcomes import timestamp
from operations.preflight import told
from operations.refs import BannedRef, GuildRef
from operations.sanitise import inline
from policy.model import CallerKind, Need, Target, Tier
from policy.permissions import Bits
from storage import temporary_effects
from storage.call_record import CallRecord
from storage.cases import CaseKind
from storage.session import Session


class MemberUnbanInput(Model):
    member: BannedRef
    guild: GuildRef | None = None


class MemberUnbanEffect(Model):
    member: Target


class MemberUnbanResult(Model):
    id: str
    username: str


class UnbanMember(WriteOperation[MemberUnbanInput, MemberUnbanEffect, MemberUnbanResult]):
    """End the ban of a user, by id or exact username; they may join again by an invite."""

    name = "member_unban"
    toolset = "members"
    scope = "members:moderate"
    tier = Tier.RISKY
    in_default_set = True
    bot_permissions = ("ban_members",)
    actor_permissions = ("ban_members",)
    reconcile = Reconcile.AUDIT_LOG
    audit_action = discord.AuditLogAction.unban.value

    def needs(self, ctx: Context, arguments: MemberUnbanInput) -> tuple[Need, ...]:
        return (self.need(ctx.targets["member"]),)

    def needs_of(self, ctx: Context, effect: MemberUnbanEffect) -> tuple[Need, ...]:
        return (self.need(effect.member),)

    async def preview(self, ctx: Context, arguments: MemberUnbanInput) -> Preview[MemberUnbanEffect]:
        target, guild = ctx.targets["member"], ctx.guild.discord
        ending = await end_of(ctx, target.id)
        again = {"member": str(target.id), "guild": str(guild.id)}
        early = ""
        if ending is not None and ending.ends_at > ctx.now:
            again["until"] = timestamp(ending.ends_at)
            early = f", before its end at {again['until']}"
        return Preview(
            summary=f"Unban {person(target)} in {inline(guild.name)}{early}: {account_age(target.id, ctx.now)}",
            effect=MemberUnbanEffect(member=target),
            changes=(Change(target=labelled(target), field="banned", before=True, after=False),),
            problems=told(common_problems(ctx)),
            unknowns=common_unknowns(ctx, int(Bits.ban_members)),
            fingerprint=_seen(target),
            inverse=Inverse(operation="member_ban", arguments=again),
            reversible=True,
        )

    async def observe(self, ctx: Context, effect: MemberUnbanEffect) -> str:
        entry = await bans.ban_of(ctx.guild.discord, effect.member.id)
        return GONE if entry is None else _seen(effect.member)

    async def execute(self, ctx: Context, effect: MemberUnbanEffect) -> MemberUnbanResult:
        await ctx.guild.discord.unban(discord.Object(effect.member.id), reason=ctx.audit_reason)
        return _result(effect)

    def found(self, entry: discord.AuditLogEntry, effect: MemberUnbanEffect) -> MemberUnbanResult | None:
        return _result(effect) if getattr(entry.target, "id", None) == effect.member.id else None

    async def keep(
        self, session: Session, call: CallRecord, effect: MemberUnbanEffect, result: MemberUnbanResult
    ) -> None:
        """A case; and nothing has to end the ban any more."""
        if call.installation_id is not None:
            by_itself = call.caller_kind is CallerKind.SYSTEM
            await temporary_effects.cancel(
                session, call.installation_id, effect.member.id, call.began_at, ended=by_itself
            )
        await case_records.keep(session, call, CaseKind.UNBAN, effect.member.id)


def _seen(target: Target) -> str:
    return fingerprint({"id": target.id, "banned": True})


def _result(effect: MemberUnbanEffect) -> MemberUnbanResult:
    return MemberUnbanResult(id=str(effect.member.id), username=shown(effect.member.name))
