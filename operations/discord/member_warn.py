"""Warning a member: a case, and a direct message where one is wanted."""

from __future__ import annotations

from dataclasses import replace

import discord

from operations import call_ids, case_records
from operations.base import Change, Context, Model, Preview, Reconcile, WriteOperation
from operations.discord.member_facts import common_problems, labelled, person, shown, standing, target_member
from operations.errors import Refused, translate
from operations.member_rights import member_rank
from operations.preflight import members as rules
from operations.preflight import told
from operations.refs import GuildRef, MemberRef
from operations.sanitise import inline, sanitise
from policy.model import Need, Reach, Refuse, Requirement, Step, Target
from storage.call_record import CallRecord
from storage.cases import CaseKind, Notice
from storage.session import Session

# https://discord.com/developers/docs/topics/opcodes-and-status-codes#json-json-error-codes: "Cannot send messages to
# this user", and "Cannot send messages to this user due to having no mutual guilds".
CLOSED_TO_US = frozenset({50007, 50278})
NO_REASON = Refuse(
    Step.VALIDATE, "reason_missing", "A warning says what for.", "Give `reason`; the member and the case will bear it."
)


class MemberWarnInput(Model):
    member: MemberRef
    guild: GuildRef | None = None
    notify: bool = True


class MemberWarnEffect(Model):
    member: Target
    reason: str
    notify: bool


class MemberWarnResult(Model):
    """``case``: its number. ``notice``: what became of the direct message: sent, closed (the member takes none), failed
    or unknown; absent where none was wanted. ``notice_problem``: why it failed.
    """

    id: str
    username: str
    case: int | None = None
    notice: str | None = None
    notice_problem: str | None = None


class WarnMember(WriteOperation[MemberWarnInput, MemberWarnEffect, MemberWarnResult]):
    """Warn a member: opens a case with the reason and, unless notify is false, tells the member by direct message.
    Where those are closed the case stands.
    """

    name = "member_warn"
    title = "Warn a member"
    toolset = "moderation"
    scope = "moderation:write"
    reconcile = Reconcile.NONCE
    reader_permissions = ("moderate_members",)
    actor_permissions = ("moderate_members",)

    # ------------------------------------------------------------------- rights
    def needs(self, ctx: Context, arguments: MemberWarnInput) -> tuple[Need, ...]:
        return (self.need(ctx.targets["member"]),)

    def needs_of(self, ctx: Context, effect: MemberWarnEffect) -> tuple[Need, ...]:
        return (self.need(effect.member),)

    def requirement(self, ctx: Context, arguments: MemberWarnInput) -> Requirement:
        return self._reaching(self.base_requirement(self.needs(ctx, arguments)), notify=arguments.notify)

    def requirement_of(self, ctx: Context, effect: MemberWarnEffect) -> Requirement:
        return self._reaching(self.base_requirement(self.needs_of(ctx, effect)), notify=effect.notify)

    @staticmethod
    def _reaching(requirement: Requirement, *, notify: bool) -> Requirement:
        """Without a message it stays among moderators."""
        return requirement if notify else replace(requirement, reach=Reach.AUDIENCE)

    # ------------------------------------------------------------------ preview
    async def preview(self, ctx: Context, arguments: MemberWarnInput) -> Preview[MemberWarnEffect]:
        target, guild = ctx.targets["member"], ctx.guild.discord
        reason = (ctx.reason or "").strip()
        if not reason:
            raise Refused(NO_REASON)
        member = target_member(ctx)
        label = labelled(target)
        changes = [Change(target=label, field="case", after=f"warn: {sanitise(reason)}")]
        if arguments.notify:
            changes.append(Change(target=label, field="direct message", after=message(guild.name, reason)))
        how = "by direct message" if arguments.notify else "without telling them"
        return Preview(
            summary=f"Warn {person(target)} in {inline(guild.name)} {how}: {standing(guild, member, ctx.now)}",
            effect=MemberWarnEffect(member=target, reason=reason, notify=arguments.notify),
            changes=tuple(changes),
            problems=told(
                rules.bots_take_no_warning(is_bot=member.bot),
                rules.requester_outranks(
                    member_rank(guild, ctx.guild.actor),
                    member_rank(guild, member),
                    inline(target.name),
                    is_owner=target.id == guild.owner_id,
                ),
                common_problems(ctx),
            ),
            unknowns=("Whether the member takes direct messages is not known; the case stands in any case.",)
            if arguments.notify
            else (),
        )

    # ------------------------------------------------------------------ execute
    async def execute(self, ctx: Context, effect: MemberWarnEffect) -> MemberWarnResult:
        if not effect.notify:
            return _result(effect, Notice.NONE)
        guild = ctx.guild.discord
        member = await ctx.guild.state.member(guild, effect.member.id, 60)
        if member is None:
            return _result(effect, Notice.FAILED, "The member has left meanwhile.")
        try:
            await member.send(
                message(guild.name, effect.reason),
                nonce=call_ids.nonce(ctx.call_id),
                allowed_mentions=discord.AllowedMentions.none(),
                suppress_embeds=True,
            )
        except discord.DiscordServerError:
            # Whether it was sent is not known: the nonce tells.
            raise
        except discord.Forbidden as error:
            closed = error.code in CLOSED_TO_US
            return _result(effect, Notice.CLOSED if closed else Notice.FAILED, translate(error).reason)
        except (discord.HTTPException, discord.RateLimited) as error:
            return _result(effect, Notice.FAILED, translate(error).reason)
        return _result(effect, Notice.SENT)

    def stands(self, effect: MemberWarnEffect) -> MemberWarnResult:
        return _result(effect, Notice.UNKNOWN if effect.notify else Notice.NONE)

    async def keep(
        self, session: Session, call: CallRecord, effect: MemberWarnEffect, result: MemberWarnResult
    ) -> MemberWarnResult:
        number = await case_records.keep(
            session,
            call,
            CaseKind.WARN,
            effect.member.id,
            reason=effect.reason,
            notice=Notice(result.notice or ""),
        )
        return result.model_copy(update={"case": number})


def message(guild_name: str, reason: str) -> str:
    """What the member reads. It doesn't say who: the moderators answer for each other."""
    return f"The moderators of **{inline(guild_name)}** have warned you:\n{sanitise(reason)}"


def _result(effect: MemberWarnEffect, notice: Notice, problem: str | None = None) -> MemberWarnResult:
    return MemberWarnResult(
        id=str(effect.member.id),
        username=shown(effect.member.name),
        notice=notice.value or None,
        notice_problem=problem,
    )
