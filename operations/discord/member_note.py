"""Noting something about a member, for moderators alone."""

from __future__ import annotations

from pydantic import Field

from operations import case_records
from operations.base import Change, Context, Model, Preview
from operations.discord.member_facts import labelled, person, shown
from operations.platform_writes import PlatformWrite
from operations.preflight import told
from operations.refs import GuildRef, MemberRef
from operations.sanitise import inline, sanitise
from policy.model import Need, Reach, Target
from storage import cases
from storage.cases import CaseKind, NewCase
from storage.session import Session


class MemberNoteInput(Model):
    member: MemberRef
    guild: GuildRef | None = None
    text: str = Field(min_length=1, max_length=case_records.MAX_TEXT)


class MemberNoteEffect(Model):
    member: Target
    text: str


class MemberNoteResult(Model):
    """``case``: its number."""

    id: str
    username: str
    case: int


class NoteMember(PlatformWrite[MemberNoteInput, MemberNoteEffect, MemberNoteResult]):
    """Note something about a member, as a case. The member never sees it."""

    name = "member_note"
    title = "Note something about a member"
    toolset = "moderation"
    scope = "moderation:write"
    reach = Reach.AUDIENCE
    reader_permissions = ("moderate_members",)
    actor_permissions = ("moderate_members",)

    def needs(self, ctx: Context, arguments: MemberNoteInput) -> tuple[Need, ...]:
        return (self.need(ctx.targets["member"]),)

    def needs_of(self, ctx: Context, effect: MemberNoteEffect) -> tuple[Need, ...]:
        return (self.need(effect.member),)

    async def preview(self, ctx: Context, arguments: MemberNoteInput) -> Preview[MemberNoteEffect]:
        target = ctx.targets["member"]
        return Preview(
            summary=f"Note {len(arguments.text):,} characters about {person(target)}"
            f" in {inline(ctx.guild.discord.name)}",
            effect=MemberNoteEffect(member=target, text=arguments.text),
            changes=(Change(target=labelled(target), field="case", after=f"note: {sanitise(arguments.text)}"),),
            problems=told(
                "You would never see a note about yourself." if target.id == ctx.guild.user_id else None,
            ),
        )

    async def apply(self, ctx: Context, session: Session, effect: MemberNoteEffect) -> MemberNoteResult:
        number = await cases.add(
            session,
            NewCase(
                installation_id=case_records.installation_id(ctx),
                kind=CaseKind.NOTE,
                created_at=ctx.now,
                user_id=effect.member.id,
                moderator_id=ctx.caller.user_id,
                reason=effect.text,
                call_id=ctx.call_id,
            ),
        )
        return MemberNoteResult(id=str(effect.member.id), username=shown(effect.member.name), case=number)
