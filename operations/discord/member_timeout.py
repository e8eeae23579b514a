"""Keeping a member from writing, speaking and reacting for a time."""

from __future__ import annotations

import datetime
from typing import Self

import discord
from pydantic import AwareDatetime, Field, model_validator

from operations import case_records
from operations.base import Change, Context, Inverse, Model, Preview, Reconcile, WriteOperation
from operations.discord.member_facts import (
    common_problems,
    common_unknowns,
    labelled,
    member_now,
    member_to_edit,
    person,
    running_end,
    shown,
    standing,
    target_member,
    timeout_seen,
)
from operations.durations import spoken
from operations.errors import Refused
from operations.member_rights import role_bits
from operations.outcomes import timestamp
from operations.preflight import members as rules
from operations.preflight import told
from operations.refs import GuildRef, MemberRef
from operations.sanitise import inline
from policy.model import Need, Refuse, Step, Target, Tier
from policy.permissions import Bits
from storage.call_record import CallRecord
from storage.cases import CaseKind
from storage.session import Session


class MemberTimeoutInput(Model):
    member: MemberRef
    guild: GuildRef | None = None
    duration_seconds: int | None = Field(default=None, ge=1, le=rules.MAX_TIMEOUT_SECONDS)
    until: AwareDatetime | None = Field(default=None, description="Its end, instead of duration_seconds.")

    @model_validator(mode="after")
    def _one_end(self) -> Self:
        if (self.duration_seconds is None) == (self.until is None):
            raise ValueError("give either duration_seconds or until")
        return self


class MemberTimeoutEffect(Model):
    """One of both is set. ``duration_seconds`` counts from the execution."""

    member: Target
    duration_seconds: int | None = None
    until: datetime.datetime | None = None


class MemberTimeoutResult(Model):
    id: str
    username: str
    timed_out_until: str | None = None


class TimeoutMember(WriteOperation[MemberTimeoutInput, MemberTimeoutEffect, MemberTimeoutResult]):
    """Time a member out, for up to 28 days: they can read, but not write, speak or react. It replaces a running one."""

    name = "member_timeout"
    toolset = "members"
    scope = "members:moderate"
    tier = Tier.RISKY
    in_default_set = True
    bot_permissions = ("moderate_members",)
    actor_permissions = ("moderate_members",)
    reconcile = Reconcile.AUDIT_LOG
    audit_action = discord.AuditLogAction.member_update.value

    # ------------------------------------------------------------------- rights
    def needs(self, ctx: Context, arguments: MemberTimeoutInput) -> tuple[Need, ...]:
        return (self.need(ctx.targets["member"], outrank=True),)

    def needs_of(self, ctx: Context, effect: MemberTimeoutEffect) -> tuple[Need, ...]:
        return (self.need(effect.member, outrank=True),)

    # ------------------------------------------------------------------ preview
    async def preview(self, ctx: Context, arguments: MemberTimeoutInput) -> Preview[MemberTimeoutEffect]:
        target, guild = ctx.targets["member"], ctx.guild.discord
        member = target_member(ctx)
        running = running_end(member, ctx.now)
        if arguments.until is None:
            length = spoken(arguments.duration_seconds or 0)
            what, after = f"for {length}", f"{length} from then on"
        else:
            after = timestamp(arguments.until.timestamp())
            what = f"until {after}"
        instead = "" if running is None else f", instead of until {timestamp(running.timestamp())}"
        return Preview(
            summary=(
                f"Time out {person(target)} {what}{instead} in {inline(guild.name)}: {standing(guild, member, ctx.now)}"
            ),
            effect=MemberTimeoutEffect(
                member=target, duration_seconds=arguments.duration_seconds, until=arguments.until
            ),
            changes=(
                Change(
                    target=labelled(target),
                    field="timed_out_until",
                    before=None if running is None else timestamp(running.timestamp()),
                    after=after,
                ),
            ),
            problems=told(
                None if arguments.until is None else _end_problem(arguments.until, running, ctx.now),
                rules.target_is_not_administrator(role_bits(guild, member), inline(target.name)),
                common_problems(ctx),
            ),
            unknowns=common_unknowns(ctx, int(Bits.moderate_members)),
            fingerprint=timeout_seen(member, ctx.now),
            inverse=inverse_to(running, target, guild.id),
            reversible=True,
        )

    async def observe(self, ctx: Context, effect: MemberTimeoutEffect) -> str:
        return timeout_seen(await member_now(ctx, effect.member.id), ctx.now)

    # ------------------------------------------------------------------ execute
    async def execute(self, ctx: Context, effect: MemberTimeoutEffect) -> MemberTimeoutResult:
        end = effect.until
        if end is None:
            # Whole seconds, so that the end can be said and given back exactly.
            end = datetime.datetime.fromtimestamp(int(ctx.now) + (effect.duration_seconds or 0), datetime.UTC)
        if end.timestamp() <= ctx.now:
            raise Refused(END_HAS_PASSED)
        member = await member_to_edit(ctx, effect.member.id)
        await member.edit(timed_out_until=end, reason=ctx.audit_reason)
        ctx.guild.state.forget_member(ctx.guild.id, effect.member.id)
        return _result(effect, end)

    def found(self, entry: discord.AuditLogEntry, effect: MemberTimeoutEffect) -> MemberTimeoutResult | None:
        if getattr(entry.target, "id", None) != effect.member.id:
            return None
        return _result(effect, getattr(entry.after, "timed_out_until", None))

    async def keep(
        self, session: Session, call: CallRecord, effect: MemberTimeoutEffect, result: MemberTimeoutResult
    ) -> None:
        await case_records.keep(session, call, CaseKind.TIMEOUT, effect.member.id, expires_at=_ends_at(result))


END_HAS_PASSED = Refuse(
    Step.EXECUTE, "end_has_passed", "The end of the timeout has passed meanwhile.", "Give a later one."
)


def inverse_to(running: datetime.datetime | None, target: Target, guild_id: int) -> Inverse:
    """What brings back the timeout that was in force, or that there was none."""
    named = {"member": str(target.id), "guild": str(guild_id)}
    if running is None:
        return Inverse(operation="member_timeout_remove", arguments=named)
    return Inverse(operation="member_timeout", arguments={**named, "until": running.isoformat()})


def _end_problem(end: datetime.datetime, running: datetime.datetime | None, now: float) -> str | None:
    if end == running:
        return "Nothing would change; the running timeout ends then."
    return rules.timeout_has_a_length(end.timestamp() - now)


def _ends_at(result: MemberTimeoutResult) -> float | None:
    """Seconds since the epoch."""
    end = result.timed_out_until
    return None if end is None else datetime.datetime.fromisoformat(end).timestamp()


def _result(effect: MemberTimeoutEffect, end: datetime.datetime | None) -> MemberTimeoutResult:
    return MemberTimeoutResult(
        id=str(effect.member.id),
        username=shown(effect.member.name),
        timed_out_until=None if end is None else timestamp(end.timestamp()),
    )
