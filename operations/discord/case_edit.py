"""Changing what a case says, and whether it still waits."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from operations import case_records
from operations.base import Change, Context, Inverse, Model, Preview
from operations.case_records import CaseStateName
from operations.discord.fingerprints import fingerprint
from operations.errors import Refused
from operations.platform_writes import PlatformWrite
from operations.preflight import told
from operations.refs import GuildRef
from operations.sanitise import sanitise
from policy.model import Need, Reach, Refuse, Step
from storage import cases
from storage.cases import CaseEdit, CaseKind, CaseRecord, CaseState
from storage.session import Session

CHANGED = Refuse(
    Step.EXECUTE,
    "case_changed",
    "Somebody else has changed the case meanwhile; nothing of yours was written.",
    "Read it again with case_get, then edit it.",
)


class CaseEditInput(Model):
    case: int = Field(ge=1, le=2_147_483_647, description="Its number.")
    guild: GuildRef | None = None
    new_reason: str | None = Field(
        default=None, max_length=case_records.MAX_TEXT, description="Replaces the reason; empty removes it."
    )
    note: str | None = Field(
        default=None, min_length=1, max_length=case_records.MAX_TEXT, description="Added for moderators."
    )
    state: CaseStateName | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.new_reason is None and self.note is None and self.state is None:
            raise ValueError("give new_reason, note or state")
        return self


class CaseEditEffect(Model):
    """``seen_at``: when the case had last been edited."""

    case_id: str
    case: int
    seen_at: float | None
    new_reason: str | None
    note: str | None
    state: CaseStateName | None


class CaseEditResult(Model):
    case: int
    state: str


class EditCase(PlatformWrite[CaseEditInput, CaseEditEffect, CaseEditResult]):
    """Edit a moderation case: its reason, a note added for moderators, open or closed. Who changed what stays in the
    audit.
    """

    name = "case_edit"
    title = "Edit a moderation case"
    toolset = "moderation"
    scope = "moderation:write"
    reach = Reach.AUDIENCE
    reader_permissions = ("moderate_members",)
    actor_permissions = ("moderate_members",)

    def needs_of(self, ctx: Context, effect: CaseEditEffect) -> tuple[Need, ...]:
        return (self.need(ctx.guild_target),)

    async def preview(self, ctx: Context, arguments: CaseEditInput) -> Preview[CaseEditEffect]:
        async with ctx.services.database.read() as session:
            case = await case_records.find(ctx, session, arguments.case)
        readable = await case_records.is_readable(ctx, case)
        new_reason = arguments.new_reason if arguments.new_reason != case.reason or not readable else None
        state = arguments.state if arguments.state != case.state.value else None
        is_text = arguments.new_reason is not None
        changes = _changes(case, new_reason, arguments.note, state, readable=readable)
        return Preview(
            summary=f"Edit case {case.number} ({case.kind.value}): {', '.join(change.field for change in changes)}"
            if changes
            else f"Edit case {case.number} ({case.kind.value})",
            effect=CaseEditEffect(
                case_id=case.id,
                case=case.number,
                seen_at=case.edited_at,
                new_reason=new_reason,
                note=arguments.note,
                state=state,
            ),
            changes=changes,
            problems=told(
                None if changes else "Nothing would change; the case says so already.",
                "A case about you is for other moderators to edit." if case.user_id == ctx.guild.user_id else None,
                "You don't see the channel that this case is about, so its reason is not yours to replace."
                if is_text and not readable and not case_records.is_about_reader(ctx, case)
                else None,
                "What a member reported stays as he wrote it; add a note instead."
                if is_text and case.kind is CaseKind.REPORT
                else None,
            ),
            fingerprint=_seen(case),
            inverse=None if arguments.note is not None else _inverse(ctx, case, new_reason, state),
            reversible=arguments.note is None,
        )

    async def observe(self, ctx: Context, effect: CaseEditEffect) -> str:
        async with ctx.services.database.read() as session:
            return _seen(await case_records.find(ctx, session, effect.case))

    async def apply(self, ctx: Context, session: Session, effect: CaseEditEffect) -> CaseEditResult:
        if effect.new_reason is not None or effect.state is not None:
            change = CaseEdit(
                case_id=effect.case_id,
                by=ctx.caller.user_id,
                at=ctx.now,
                seen_at=effect.seen_at,
                reason=effect.new_reason,
                state=None if effect.state is None else CaseState(effect.state),
            )
            if not await cases.edit(session, change):
                raise Refused(CHANGED)
        if effect.note is not None:
            await cases.add_note(session, effect.case_id, ctx.caller.user_id, effect.note, ctx.now)
        case = await case_records.find(ctx, session, effect.case)
        return CaseEditResult(case=case.number, state=case.state.value)


def _changes(
    case: CaseRecord, new_reason: str | None, note: str | None, state: CaseStateName | None, *, readable: bool
) -> tuple[Change, ...]:
    """Others' words are told by their length."""
    target = f"case {case.number}"
    found: list[Change] = []
    if new_reason is not None:
        before = f"{len(case.reason):,} characters" if case.reason and readable else None
        found.append(Change(target=target, field="reason", before=before, after=sanitise(new_reason) or None))
    if note is not None:
        found.append(Change(target=target, field="note", after=sanitise(note)))
    if state is not None:
        found.append(Change(target=target, field="state", before=case.state.value, after=state))
    return tuple(found)


def _inverse(ctx: Context, case: CaseRecord, new_reason: str | None, state: CaseStateName | None) -> Inverse:
    arguments: dict[str, object] = {"guild": str(ctx.guild.id), "case": case.number}
    if new_reason is not None:
        arguments["new_reason"] = case.reason
    if state is not None:
        arguments["state"] = case.state.value
    return Inverse(operation="case_edit", arguments=arguments)


def _seen(case: CaseRecord) -> str:
    return fingerprint({"case": case.number, "state": case.state.value, "edited_at": case.edited_at})
