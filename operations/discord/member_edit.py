"""Changing a member's nickname."""

from __future__ import annotations

import discord
from pydantic import Field

from operations.base import Change, Context, Inverse, Model, Preview, Reconcile, WriteOperation
from operations.discord.fingerprints import GONE, fingerprint
from operations.discord.member_facts import (
    common_problems,
    common_unknowns,
    labelled,
    member_now,
    member_to_edit,
    person,
    shown,
    target_member,
)
from operations.member_rights import member_rank
from operations.preflight import members as rules
from operations.preflight import told
from operations.refs import GuildRef, MemberRef
from operations.sanitise import inline, sanitise
from policy.model import Need, Reach, Target
from policy.permissions import Bits

CHANGE, MANAGE = int(Bits.change_nickname), int(Bits.manage_nicknames)


class MemberEditInput(Model):
    member: MemberRef
    guild: GuildRef | None = None
    nickname: str = Field(max_length=100, description='"" removes it.')


class MemberEditEffect(Model):
    """``nickname`` "": none."""

    member: Target
    nickname: str


class MemberEditResult(Model):
    id: str
    username: str
    nickname: str | None = None


class EditMember(WriteOperation[MemberEditInput, MemberEditEffect, MemberEditResult]):
    """Set or remove a member's nickname: with manage_nicknames, or with change_nickname your own."""

    name = "member_edit"
    toolset = "members"
    scope = "members:write"
    open_to_members = "whoever has change_nickname renames himself; needs() asks manage_nicknames for everybody else"
    reach = Reach.AUDIENCE
    reconcile = Reconcile.AUDIT_LOG
    audit_action = discord.AuditLogAction.member_update.value
    idempotent = True

    # ------------------------------------------------------------------- rights
    def early_needs(self, guild: Target) -> tuple[Need, ...]:
        """Renaming others, oneself, or the bot."""
        return Need(guild, MANAGE, MANAGE), Need(guild, MANAGE, CHANGE), Need(guild, CHANGE, MANAGE)

    def needs(self, ctx: Context, arguments: MemberEditInput) -> tuple[Need, ...]:
        return (self._need(ctx, ctx.targets["member"]),)

    def needs_of(self, ctx: Context, effect: MemberEditEffect) -> tuple[Need, ...]:
        return (self._need(ctx, effect.member),)

    @staticmethod
    def _need(ctx: Context, member: Target) -> Need:
        """https://discord.com/developers/docs/resources/guild#modify-guild-member-json-params (nick) and
        #modify-current-member: one's own takes another permission than somebody else's, and no rank.
        """
        if member.id == ctx.guild.state.source.bot_user_id:
            return Need(member, CHANGE, MANAGE)
        if member.id == ctx.guild.user_id:
            return Need(member, MANAGE, CHANGE)
        return Need(member, MANAGE, MANAGE, outrank=True)

    # ------------------------------------------------------------------ preview
    async def preview(self, ctx: Context, arguments: MemberEditInput) -> Preview[MemberEditEffect]:
        view, target = ctx.guild, ctx.targets["member"]
        guild, member = view.discord, target_member(ctx)
        nickname, before = rules.trimmed(arguments.nickname), member.nick or ""
        what = (
            f"Give {person(target)} the nickname {inline(nickname)}"
            if nickname
            else f"Remove the nickname of {person(target)}"
        )
        return Preview(
            summary=f"{what} in {inline(guild.name)}",
            effect=MemberEditEffect(member=target, nickname=nickname),
            changes=(
                Change(
                    target=labelled(target),
                    field="nickname",
                    before=inline(before) or None,
                    after=sanitise(nickname) or None,
                ),
            ),
            problems=told(
                "Nothing would change; give another nickname." if nickname == before else None,
                rules.nickname_fits(nickname),
                rules.bot_reaches_nickname(
                    member_rank(guild, guild.me), member_rank(guild, member), is_owner=member.id == guild.owner_id
                )
                if member.id == view.user_id
                else None,
                rules.requester_outranks_bot(
                    member_rank(guild, view.actor), member_rank(guild, guild.me), is_itself=view.user_id is None
                )
                if member.id == guild.me.id
                else None,
                common_problems(ctx),
            ),
            unknowns=told(rules.nickname_may_differ(nickname), common_unknowns(ctx, MANAGE)),
            fingerprint=_seen(member),
            inverse=Inverse(
                operation="member_edit",
                arguments={"member": str(target.id), "guild": str(guild.id), "nickname": before},
            ),
            reversible=True,
        )

    async def observe(self, ctx: Context, effect: MemberEditEffect) -> str:
        return _seen(await member_now(ctx, effect.member.id))

    # ------------------------------------------------------------------ execute
    async def execute(self, ctx: Context, effect: MemberEditEffect) -> MemberEditResult:
        member = await member_to_edit(ctx, effect.member.id)
        await member.edit(nick=effect.nickname or None, reason=ctx.audit_reason)
        ctx.guild.state.forget_member(ctx.guild.id, effect.member.id)
        return _result(effect)

    def found(self, entry: discord.AuditLogEntry, effect: MemberEditEffect) -> MemberEditResult | None:
        return _result(effect) if getattr(entry.target, "id", None) == effect.member.id else None


def _seen(member: discord.Member | None) -> str:
    return GONE if member is None else fingerprint({"id": member.id, "nick": member.nick or ""})


def _result(effect: MemberEditEffect) -> MemberEditResult:
    return MemberEditResult(
        id=str(effect.member.id), username=shown(effect.member.name), nickname=shown(effect.nickname) or None
    )
