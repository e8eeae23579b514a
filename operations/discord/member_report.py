"""Reporting a member or a message to the moderators."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from operations import case_records
from operations.base import Change, Context, Model, Preview
from operations.discord.member_facts import labelled, person
from operations.discord.message_places import messageable, reading_need
from operations.errors import Refused
from operations.platform_writes import PlatformWrite
from operations.preflight import told
from operations.refs import ChannelRef, GuildRef, MemberRef, MessageRef
from operations.sanitise import inline, sanitise
from policy.model import Need, Reach, Refuse, Step, Target
from storage import cases
from storage.cases import CaseKind, NewCase
from storage.session import Session

REPORTS = 5
WINDOW_SECONDS = 3_600.0
REPORTED_ALREADY = Refuse(
    Step.EXECUTE,
    "reported_already",
    "You have reported this already, and the moderators have not closed it yet.",
    "Wait for them; what you said stands.",
)


class MemberReportInput(Model):
    """``member`` or ``message``."""

    member: MemberRef | None = None
    message: MessageRef | None = Field(default=None, description="Its id with its channel, or its jump link.")
    channel: ChannelRef | None = None
    guild: GuildRef | None = None
    text: str = Field(default="", max_length=case_records.MAX_TEXT, description="What is wrong.")

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        if (self.member is None) == (self.message is None):
            raise ValueError("give either member or message")
        if self.member is not None and not self.text.strip():
            raise ValueError("text is missing: say what is wrong")
        return self


class MemberReportEffect(Model):
    """``user_id``: who is reported (None: a webhook's message). ``message``: what of his."""

    user_id: int | None
    member: Target | None
    message: Target | None
    text: str


class MemberReportResult(Model):
    """Nothing more is told: cases are for moderators."""

    reported: bool


class ReportMember(PlatformWrite[MemberReportInput, MemberReportEffect, MemberReportResult]):
    """Report a member, or a message, to the moderators of the guild. They see who reported; the reported one doesn't.
    The message itself is not copied.
    """

    name = "member_report"
    title = "Report to the moderators"
    toolset = "moderation"
    scope = "moderation:write"
    reach = Reach.AUDIENCE
    reader_permissions = ("moderate_members",)
    open_to_members = "Any member may turn to the moderators about somebody here, or a message that he can read."

    # ------------------------------------------------------------------- rights
    def needs(self, ctx: Context, arguments: MemberReportInput) -> tuple[Need, ...]:
        return self._needs(ctx, ctx.targets.get("member"), ctx.targets.get("message"))

    def needs_of(self, ctx: Context, effect: MemberReportEffect) -> tuple[Need, ...]:
        return self._needs(ctx, effect.member, effect.message)

    def _needs(self, ctx: Context, member: Target | None, message: Target | None) -> tuple[Need, ...]:
        """What one can't read one can't report."""
        if message is not None:
            return (reading_need(ctx, message),)
        return (self.need(member or ctx.guild_target),)

    # ------------------------------------------------------------------ preview
    async def preview(self, ctx: Context, arguments: MemberReportInput) -> Preview[MemberReportEffect]:
        member, message = ctx.targets.get("member"), ctx.targets.get("message")
        user_id = None if member is None else member.id
        summary = "Report to the moderators"
        target = "" if member is None else labelled(member)
        if message is not None:
            found = await messageable(ctx.guild, message.channel_id or 0).fetch_message(message.id)
            user_id = None if found.webhook_id is not None else found.author.id
            target = f"message {message.id}"
            summary += f" the message {message.id} of @{inline(found.author.name)}"
        elif member is not None:
            summary += f" {person(member)}"
        effect = MemberReportEffect(user_id=user_id, member=member, message=message, text=arguments.text.strip())
        async with ctx.services.database.read() as session:
            await _check(ctx, session, effect)
        return Preview(
            summary=f"{summary} in {inline(ctx.guild.discord.name)}",
            effect=effect,
            changes=(Change(target=target, field="report", after=sanitise(effect.text) or "(no text)"),),
            problems=told("You can't report yourself." if user_id == ctx.guild.user_id else None),
        )

    # -------------------------------------------------------------------- apply
    async def apply(self, ctx: Context, session: Session, effect: MemberReportEffect) -> MemberReportResult:
        where = case_records.installation_id(ctx)
        # Two reports at once must not both find that there is room for one.
        await cases.lock(session, where)
        await _check(ctx, session, effect)
        await cases.add(
            session,
            NewCase(
                installation_id=where,
                kind=CaseKind.REPORT,
                created_at=ctx.now,
                user_id=effect.user_id,
                moderator_id=ctx.caller.user_id,
                reason=effect.text,
                channel_id=None if effect.message is None else effect.message.channel_id,
                message_id=None if effect.message is None else effect.message.id,
                call_id=ctx.call_id,
            ),
        )
        return MemberReportResult(reported=True)


async def _check(ctx: Context, session: Session, effect: MemberReportEffect) -> None:
    """Raises Refused for too many reports, and for one that waits already."""
    reporter_id, where = ctx.caller.user_id, case_records.installation_id(ctx)
    if reporter_id is None:
        return
    message_id = None if effect.message is None else effect.message.id
    if await cases.has_open_report(session, where, reporter_id, user_id=effect.user_id, message_id=message_id):
        raise Refused(REPORTED_ALREADY)
    recent = await cases.reports_by(session, where, reporter_id, ctx.now - WINDOW_SECONDS)
    if len(recent) >= REPORTS:
        retry_after = max(1.0, recent[-REPORTS] + WINDOW_SECONDS - ctx.now)
        raise Refused(
            Refuse(
                Step.RATE,
                "too_many_reports",
                f"You have reported {REPORTS} times within an hour.",
                f"Come back in {retry_after / 60:.0f} minutes; in an emergency write to a moderator.",
                retry_after_seconds=retry_after,
            )
        )
