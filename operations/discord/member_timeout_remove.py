"""Ending a member's timeout early."""

from __future__ import annotations

import discord

from operations import case_records
from operations.base import Change, Context, Model, Preview, Reconcile, WriteOperation
from operations.discord.member_facts import (
    common_problems,
    common_unknowns,
    labelled,
    member_now,
    member_to_edit,
    person,
    running_end,
    shown,
    target_member,
    timeout_seen,
)
from operations.discord.member_timeout import inverse_to
from operations.outcomes import timestamp
from operations.preflight import told
from operations.refs import GuildRef, MemberRef
from operations.sanitise import inline
from policy.model import Need, Target
from policy.permissions import Bits
from storage.call_record import CallRecord
from storage.cases import CaseKind
from storage.session import Session


class MemberTimeoutRemoveInput(Model):
    member: MemberRef
    guild: GuildRef | None = None


class MemberTimeoutRemoveEffect(Model):
    member: Target


class MemberTimeoutRemoveResult(Model):
    id: str
    username: str


class RemoveMemberTimeout(
    WriteOperation[MemberTimeoutRemoveInput, MemberTimeoutRemoveEffect, MemberTimeoutRemoveResult]
):
    """End a member's timeout now."""

    name = "member_timeout_remove"
    toolset = "members"
    scope = "members:moderate"
    bot_permissions = ("moderate_members",)
    actor_permissions = ("moderate_members",)
    reconcile = Reconcile.AUDIT_LOG
    audit_action = discord.AuditLogAction.member_update.value
    idempotent = True

    def needs(self, ctx: Context, arguments: MemberTimeoutRemoveInput) -> tuple[Need, ...]:
        return (self.need(ctx.targets["member"], outrank=True),)

    def needs_of(self, ctx: Context, effect: MemberTimeoutRemoveEffect) -> tuple[Need, ...]:
        return (self.need(effect.member, outrank=True),)

    async def preview(self, ctx: Context, arguments: MemberTimeoutRemoveInput) -> Preview[MemberTimeoutRemoveEffect]:
        target, guild = ctx.targets["member"], ctx.guild.discord
        member = target_member(ctx)
        running = running_end(member, ctx.now)
        before = None if running is None else timestamp(running.timestamp())
        return Preview(
            summary=f"End the timeout of {person(target)} in {inline(guild.name)}, which lasts until {before or 'now'}",
            effect=MemberTimeoutRemoveEffect(member=target),
            changes=(Change(target=labelled(target), field="timed_out_until", before=before, after=None),),
            problems=told(
                f"Nothing would change; @{inline(target.name)} is not timed out." if running is None else None,
                common_problems(ctx),
            ),
            unknowns=common_unknowns(ctx, int(Bits.moderate_members)),
            fingerprint=timeout_seen(member, ctx.now),
            inverse=None if running is None else inverse_to(running, target, guild.id),
            reversible=running is not None,
        )

    async def observe(self, ctx: Context, effect: MemberTimeoutRemoveEffect) -> str:
        return timeout_seen(await member_now(ctx, effect.member.id), ctx.now)

    async def execute(self, ctx: Context, effect: MemberTimeoutRemoveEffect) -> MemberTimeoutRemoveResult:
        member = await member_to_edit(ctx, effect.member.id)
        await member.edit(timed_out_until=None, reason=ctx.audit_reason)
        ctx.guild.state.forget_member(ctx.guild.id, effect.member.id)
        return _result(effect)

    def found(
        self, entry: discord.AuditLogEntry, effect: MemberTimeoutRemoveEffect
    ) -> MemberTimeoutRemoveResult | None:
        return _result(effect) if getattr(entry.target, "id", None) == effect.member.id else None

    async def keep(
        self, session: Session, call: CallRecord, effect: MemberTimeoutRemoveEffect, result: MemberTimeoutRemoveResult
    ) -> None:
        await case_records.keep(session, call, CaseKind.TIMEOUT_REMOVE, effect.member.id)


def _result(effect: MemberTimeoutRemoveEffect) -> MemberTimeoutRemoveResult:
    return MemberTimeoutRemoveResult(id=str(effect.member.id), username=shown(effect.member.name))
