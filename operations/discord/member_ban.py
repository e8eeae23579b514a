"""Banning somebody, member or not, for good or for a time."""

from __future__ import annotations

import datetime
from typing import Self

import discord
from pydantic import AwareDatetime, Field, model_validator

from operations import bans, case_records
from operations.ban_ends import FOR_GOOD, Ending, end_of, said
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
from operations.errors import Refused
from operations.outcomes import timestamp
from operations.preflight import told
from operations.preflight.members import (
    MAX_BAN_SECONDS,
    MAX_DELETE_MESSAGE_SECONDS,
    MIN_BAN_SECONDS,
    ban_has_a_length,
    messages_go_with_a_new_ban,
    outside_bans_may_be_exhausted,
)
from operations.refs import GuildRef, UserRef
from operations.sanitise import inline
from policy.model import Need, Refuse, Step, Target, Tier
from policy.permissions import Bits
from storage import temporary_effects
from storage.call_record import CallRecord
from storage.cases import CaseKind
from storage.session import Session


class MemberBanInput(Model):
    member: UserRef
    guild: GuildRef | None = None
    delete_message_seconds: int = Field(
        default=0, ge=0, le=MAX_DELETE_MESSAGE_SECONDS, description="Also delete their messages of that time."
    )
    duration_seconds: int | None = Field(
        default=None, ge=MIN_BAN_SECONDS, le=MAX_BAN_SECONDS, description="A temporary ban, ended by itself."
    )
    until: AwareDatetime | None = Field(default=None, description="Its end, instead of duration_seconds.")

    @model_validator(mode="after")
    def _one_end(self) -> Self:
        if self.duration_seconds is not None and self.until is not None:
            raise ValueError("give duration_seconds or until, not both")
        return self


class MemberBanEffect(Model):
    """``duration_seconds`` counts from the execution; without it and ``until`` the ban stays. ``banned``: already, so
    that only its end changes; ``listed_reason``: what Discord's list says of that ban.
    """

    member: Target
    delete_message_seconds: int
    duration_seconds: int | None = None
    until: datetime.datetime | None = None
    banned: bool = False
    listed_reason: str | None = None


class MemberBanResult(Model):
    """``ends_at``: of a temporary ban."""

    id: str
    username: str
    deleted_message_seconds: int
    ends_at: str | None = None


class BanMember(WriteOperation[MemberBanInput, MemberBanEffect, MemberBanResult]):
    """Ban a member, or by id anybody; they cannot join again before member_unban, or before a temporary ban has ended.
    Of somebody who is banned already the end changes.
    """

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
        guild = ctx.guild.discord
        ban, before = await bans.ban_of(guild, target.id), await _end_before(ctx, target.id)
        end = Ending(arguments.duration_seconds, arguments.until)
        member = ctx.guild.state.known_member(guild, target.id)
        known = f"no member, {account_age(target.id, ctx.now)}"
        if member is not None:
            known = standing(guild, member, ctx.now)
        also = f" and delete their messages of the last {spoken(seconds)}" if seconds else ""
        what = said(person(target), inline(guild.name), end, banned=ban is not None, before=before, now=ctx.now)
        return Preview(
            summary=f"{what}{also}: {known}{_lost(is_member=member is not None, deletes=bool(seconds))}",
            effect=MemberBanEffect(
                member=target,
                delete_message_seconds=seconds,
                duration_seconds=end.duration_seconds,
                until=end.until,
                banned=ban is not None,
                listed_reason=None if ban is None else ban.reason or "",
            ),
            changes=_changes(guild, target, member, seconds, banned=ban is not None, ends=(before, end.told(ctx.now))),
            problems=told(
                _nothing(target, end, before) if ban is not None else None,
                None if end.until is None else ban_has_a_length(end.until.timestamp() - ctx.now),
                messages_go_with_a_new_ban(seconds, banned=ban is not None),
                common_problems(ctx),
            ),
            unknowns=told(
                outside_bans_may_be_exhausted(is_member=member is not None or ban is not None),
                common_unknowns(ctx, int(Bits.ban_members)),
            ),
            fingerprint=_seen(target, banned=ban is not None, ends_at=before),
            inverse=_inverse(target, guild.id, banned=ban is not None, until=before),
            # An unban gives back neither the membership nor what was deleted.
            reversible=member is None and not seconds,
        )

    async def observe(self, ctx: Context, effect: MemberBanEffect) -> str:
        """Whether he is a member does not matter: also whoever left meanwhile is to be banned."""
        entry = await bans.ban_of(ctx.guild.discord, effect.member.id)
        return _seen(effect.member, banned=entry is not None, ends_at=await _end_before(ctx, effect.member.id))

    # ------------------------------------------------------------------ execute
    async def execute(self, ctx: Context, effect: MemberBanEffect) -> MemberBanResult:
        if effect.until is not None and effect.until.timestamp() <= ctx.now:
            raise Refused(END_HAS_PASSED)
        if effect.banned:
            # The ban is there; when it ends is Guildhall's own to remember.
            return _result(effect)
        await ctx.guild.discord.ban(
            discord.Object(effect.member.id),
            reason=ctx.audit_reason,
            delete_message_seconds=effect.delete_message_seconds,
        )
        ctx.guild.state.forget_member(ctx.guild.id, effect.member.id)
        return _result(effect)

    def found(self, entry: discord.AuditLogEntry, effect: MemberBanEffect) -> MemberBanResult | None:
        return _result(effect) if getattr(entry.target, "id", None) == effect.member.id else None

    def stands(self, effect: MemberBanEffect) -> MemberBanResult | None:
        """Where nothing is sent, nothing can be lost."""
        return _result(effect) if effect.banned else None

    async def keep(
        self, session: Session, call: CallRecord, effect: MemberBanEffect, result: MemberBanResult
    ) -> MemberBanResult | None:
        installation_id, user_id, began_at = call.installation_id, effect.member.id, call.began_at
        ends_at = Ending(effect.duration_seconds, effect.until).ends_at(began_at)
        await case_records.keep(session, call, CaseKind.BAN, user_id, expires_at=ends_at)
        if installation_id is None:
            return None
        if ends_at is None:
            await temporary_effects.cancel(session, installation_id, user_id, began_at)
            return None
        await temporary_effects.begin(
            session,
            installation_id,
            user_id,
            call_id=call.call_id,
            ends_at=ends_at,
            reason=effect.listed_reason,
            now=began_at,
        )
        return result.model_copy(update={"ends_at": timestamp(ends_at)})


END_HAS_PASSED = Refuse(
    Step.EXECUTE, "end_has_passed", "The end of that ban has passed meanwhile.", "Give a later one, or none."
)


async def _end_before(ctx: Context, user_id: int) -> str | None:
    """When the ban that is there ends by itself."""
    ending = await end_of(ctx, user_id)
    return None if ending is None else timestamp(ending.ends_at)


def _changes(
    guild: discord.Guild,
    target: Target,
    member: discord.Member | None,
    delete_message_seconds: int,
    *,
    banned: bool,
    ends: tuple[str | None, str],
) -> tuple[Change, ...]:
    label, (before, after) = labelled(target), ends
    changes = [Change(target=label, field="banned", before=banned, after=True)]
    if after != FOR_GOOD or before is not None:
        was = (FOR_GOOD if banned else None) if before is None else before
        changes.append(Change(target=label, field="banned until", before=was, after=after))
    if member is not None:
        changes.append(Change(target=label, field="member", before=True, after=False))
        if roles := [inline(role.name) for role in held_roles(guild, member)]:
            changes.append(Change(target=label, field="roles", before=roles, after=[]))
    if delete_message_seconds:
        field = f"messages of the last {spoken(delete_message_seconds)}"
        changes.append(Change(target=label, field=field, before="kept", after="deleted"))
    return tuple(changes)


def _nothing(target: Target, end: Ending, before: str | None) -> str | None:
    """``before``: when the ban that is there ends."""
    if not end.is_never or before is not None:
        return None
    return f"Nothing would change; @{inline(target.name)} is banned already."


def _inverse(target: Target, guild_id: int, *, banned: bool, until: str | None) -> Inverse:
    """Of a new ban its end; of a change of its end the one that it had."""
    arguments = {"member": str(target.id), "guild": str(guild_id)}
    if not banned:
        return Inverse(operation="member_unban", arguments=arguments)
    return Inverse(operation="member_ban", arguments=arguments | ({} if until is None else {"until": until}))


def _lost(*, is_member: bool, deletes: bool) -> str:
    """What an unban does not bring back, as the end of a summary."""
    lost = [*(["the membership with its roles"] if is_member else []), *(["the deleted messages"] if deletes else [])]
    if not lost:
        return ""
    return f"; an unban does not bring back {' and '.join(lost)}"


def _seen(target: Target, *, banned: bool, ends_at: str | None) -> str:
    return fingerprint({"id": target.id, "banned": banned, "end": ends_at})


def _result(effect: MemberBanEffect) -> MemberBanResult:
    return MemberBanResult(
        id=str(effect.member.id),
        username=shown(effect.member.name),
        deleted_message_seconds=effect.delete_message_seconds,
    )
