"""Banning somebody, member or not."""

from __future__ import annotations

import discord
from pydantic import Field

from operations import bans, case_records
from operations.base import Change, Context, Inverse, Model, Preview, Reconcile, WriteOperation
from operations.discord.fingerprints import fingerprint
from operations.discord.member_facts import (
    account_age,
    common_problems,
    common_unknowns,
    held_roles,
    labelled,
    person,
    shown,
    standing,
)
from operations.durations import spoken
from operations.preflight import told
from operations.preflight.members import MAX_DELETE_MESSAGE_SECONDS, outside_bans_may_be_exhausted
from operations.refs import GuildRef, UserRef
from operations.sanitise import inline
from policy.model import Need, Target, Tier
from policy.permissions import Bits
from storage.call_record import CallRecord
from storage.cases import CaseKind
from storage.session import Session


class MemberBanInput(Model):
    member: UserRef
    guild: GuildRef | None = None
    delete_message_seconds: int = Field(
        default=0, ge=0, le=MAX_DELETE_MESSAGE_SECONDS, description="Also delete their messages of that time."
    )


class MemberBanEffect(Model):
    member: Target
    delete_message_seconds: int


class MemberBanResult(Model):
    id: str
    username: str
    deleted_message_seconds: int


class BanMember(WriteOperation[MemberBanInput, MemberBanEffect, MemberBanResult]):
    """Ban a member, or by id anybody; they cannot join again before member_unban."""

    name = "member_ban"
    toolset = "members"
    scope = "members:moderate"
    tier = Tier.CRITICAL
    in_default_set = True
    one_click = True
    bot_permissions = ("ban_members",)
    actor_permissions = ("ban_members",)
    reconcile = Reconcile.AUDIT_LOG
    audit_action = discord.AuditLogAction.ban.value
    idempotent = True

    # ------------------------------------------------------------------- rights
    def needs(self, ctx: Context, arguments: MemberBanInput) -> tuple[Need, ...]:
        return (self.need(ctx.targets["member"], outrank=True),)

    def needs_of(self, ctx: Context, effect: MemberBanEffect) -> tuple[Need, ...]:
        return (self.need(effect.member, outrank=True),)

    # ------------------------------------------------------------------ preview
    async def preview(self, ctx: Context, arguments: MemberBanInput) -> Preview[MemberBanEffect]:
        target, seconds = ctx.targets["member"], arguments.delete_message_seconds
        banned = await bans.ban_of(ctx.guild.discord, target.id) is not None
        guild = ctx.guild.discord
        member = ctx.guild.state.known_member(guild, target.id)
        label = labelled(target)
        changes = [Change(target=label, field="banned", before=banned, after=True)]
        if member is None:
            known = f"no member, {account_age(target.id, ctx.now)}"
        else:
            known = standing(guild, member, ctx.now)
            changes.append(Change(target=label, field="member", before=True, after=False))
            if roles := [inline(role.name) for role in held_roles(guild, member)]:
                changes.append(Change(target=label, field="roles", before=roles, after=[]))
        also = ""
        if seconds:
            also = f" and delete their messages of the last {spoken(seconds)}"
            changes.append(
                Change(target=label, field=f"messages of the last {spoken(seconds)}", before="kept", after="deleted")
            )
        return Preview(
            summary=f"Ban {person(target)} from {inline(guild.name)}{also}: {known}"
            f"{_lost(is_member=member is not None, deletes=bool(seconds))}",
            effect=MemberBanEffect(member=target, delete_message_seconds=seconds),
            changes=tuple(changes),
            problems=told(
                f"Nothing would change; @{inline(target.name)} is banned already." if banned else None,
                common_problems(ctx),
            ),
            unknowns=told(
                outside_bans_may_be_exhausted(is_member=member is not None),
                common_unknowns(ctx, int(Bits.ban_members)),
            ),
            fingerprint=_seen(target, banned=banned),
            inverse=Inverse(operation="member_unban", arguments={"member": str(target.id), "guild": str(guild.id)}),
            # An unban gives back neither the membership nor what was deleted.
            reversible=member is None and not seconds,
        )

    async def observe(self, ctx: Context, effect: MemberBanEffect) -> str:
        """Whether he is a member does not matter: also whoever left meanwhile is to be banned."""
        entry = await bans.ban_of(ctx.guild.discord, effect.member.id)
        return _seen(effect.member, banned=entry is not None)

    # ------------------------------------------------------------------ execute
    async def execute(self, ctx: Context, effect: MemberBanEffect) -> MemberBanResult:
        await ctx.guild.discord.ban(
            discord.Object(effect.member.id),
            reason=ctx.audit_reason,
            delete_message_seconds=effect.delete_message_seconds,
        )
        ctx.guild.state.forget_member(ctx.guild.id, effect.member.id)
        return _result(effect)

    def found(self, entry: discord.AuditLogEntry, effect: MemberBanEffect) -> MemberBanResult | None:
        return _result(effect) if getattr(entry.target, "id", None) == effect.member.id else None

    async def keep(self, session: Session, call: CallRecord, effect: MemberBanEffect, result: MemberBanResult) -> None:
        await case_records.keep(session, call, CaseKind.BAN, effect.member.id)


def _lost(*, is_member: bool, deletes: bool) -> str:
    """What an unban does not bring back, as the end of a summary."""
    lost = [*(["the membership with its roles"] if is_member else []), *(["the deleted messages"] if deletes else [])]
    if not lost:
        return ""
    return f"; an unban does not bring back {' and '.join(lost)}"


def _seen(target: Target, *, banned: bool) -> str:
    return fingerprint({"id": target.id, "banned": banned})


def _result(effect: MemberBanEffect) -> MemberBanResult:
    return MemberBanResult(
        id=str(effect.member.id),
        username=shown(effect.member.name),
        deleted_message_seconds=effect.delete_message_seconds,
    )
