"""One entry of the audit, whole; and undoing what it tells of."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from operations import stored_preview
from operations.base import Context, Inverse, Model, ReadOperation, Redirect
from operations.errors import Refused
from operations.outcomes import timestamp
from operations.platform.audit import AuditedCall, folded, is_masked, may_see
from operations.refs import GuildRef
from policy.model import Face, Need, Refuse, Requirement, Step, Target
from policy.taint import Source
from storage import audit, calls
from storage.audit import AuditEntry
from storage.calls import CallRecord, CallState

UNKNOWN_CALL = Refuse(
    Step.RESOLVE,
    "unknown_call",
    "There is no such call that you may see.",
    "audit_list shows the calls that you may see.",
)
# Arguments of an inverse that hold text of members; names are no such text.
TEXTS = frozenset({"topic", "description", "content", "embeds", "nickname", "new_reason"})
CALL = Field(min_length=1, max_length=64, description="Its call_id.")


class AuditedStep(Model):
    """One entry of a call: what was asked, decided or came of it, and who did that."""

    at: str
    entry: str
    status: str
    user_id: str | None = None
    step: str | None = None
    code: str | None = None
    reason: str | None = None


class AuditGetInput(Model):
    call: str = CALL
    guild: GuildRef | None = None


class AuditGetResult(Model):
    """``revertible``: audit_revert can undo it."""

    call: AuditedCall
    steps: list[AuditedStep]
    revertible: bool


class GetAudit(ReadOperation[AuditGetInput, AuditGetResult]):
    """Read one audited call whole: who asked, who confirmed, what came of it, and whether it can be undone."""

    name = "audit_get"
    title = "Read an audited call"
    toolset = "audit"
    scope = "audit:read"

    def needs(self, ctx: Context, arguments: AuditGetInput) -> tuple[Need, ...]:
        """As for audit_list: one's own calls, and of others what ``may_see`` lets through."""
        return (Need(ctx.guild_target),)

    async def read(self, ctx: Context, arguments: AuditGetInput) -> AuditGetResult:
        entries = await visible_entries(ctx, arguments.call)
        record = await _record(ctx, arguments.call)
        return AuditGetResult(
            call=folded(entries),
            steps=[_step(entry, masked=is_masked((entry,)) or is_masked(entries)) for entry in entries],
            revertible=record is not None and record.state is CallState.DONE and record.inverse is not None,
        )


def _step(entry: AuditEntry, *, masked: bool) -> AuditedStep:
    return AuditedStep(
        at=timestamp(entry.at),
        entry=entry.entry,
        status=entry.status,
        user_id=None if entry.user_id is None else str(entry.user_id),
        step=entry.outward_step or entry.step or None,
        code="unknown" if masked else entry.code or None,
        reason=None if masked else entry.reason or None,
    )


class AuditRevertInput(Model):
    call: str = CALL
    guild: GuildRef | None = None


class AuditRevertResult(Model):
    """The result of the call that undoes it: its own fields stand in there."""

    result: dict[str, Any] | None = None


class RevertAudit(Redirect[AuditRevertInput, AuditRevertResult]):
    """Undo what an audited call did, where it can be undone, by a new call with your own rights."""

    name = "audit_revert"
    title = "Undo an audited call"
    toolset = "audit"
    scope = "audit:write"
    open_to_members = "The call that it stands for asks for its own rights."
    # So does the pause: of that call.
    works_paused = True

    def needs(self, ctx: Context, arguments: AuditRevertInput) -> tuple[Need, ...]:
        return (Need(ctx.guild_target),)

    def requirement(self, ctx: Context, arguments: AuditRevertInput) -> Requirement:
        return self.base_requirement(self.needs(ctx, arguments))

    async def found(self, ctx: Context, arguments: AuditRevertInput) -> Inverse:
        await visible_entries(ctx, arguments.call)
        record = await _record(ctx, arguments.call)
        if record is None or record.state is not CallState.DONE:
            raise Refused(_cannot("It had no effect that could be undone."))
        if record.inverse is None:
            raise Refused(_cannot("What it did cannot be undone, or is too long ago."))
        inverse = Inverse.model_validate_json(record.inverse)
        if TEXTS & inverse.arguments.keys():
            # What it restores was written by somebody, and the preview shows it.
            ctx.services.decisions.taint(ctx.caller, _written_in(record))
        undoing = ctx.services.registry.get(inverse.operation)
        if undoing is None:
            raise Refused(_cannot(f"Nothing undoes {record.operation} here."))
        if ctx.caller.face not in undoing.faces:
            raise Refused(_elsewhere(record.operation, undoing.faces))
        return inverse.model_copy(update={"reason": f"Undoes {record.call_id}"})


def _written_in(record: CallRecord) -> frozenset[Source]:
    """Where the text of a call and of its inverse comes from: what its requester had read, and what it touched."""
    guild_id = record.guild_id or 0
    touched = {target.channel_id or _channel_id(target) for target in stored_preview.load(record.preview).targets}
    places = {Source(guild_id, channel_id) for channel_id in touched if channel_id is not None}
    return stored_preview.load_sources(record.sources) | frozenset(places or {Source(guild_id)})


def _channel_id(target: Target) -> int | None:
    return target.id if target.kind in ("channel", "category", "thread") else None


def _elsewhere(operation: str, faces: frozenset[Face]) -> Refuse:
    """Whatever is not offered here is not undone here either."""
    return Refuse(
        Step.SCOPE,
        "face",
        f"{operation} is not undone through this.",
        f"Undo it through: {', '.join(sorted(face.value for face in faces))}.",
    )


def _cannot(reason: str) -> Refuse:
    return Refuse(Step.EXECUTE, "not_revertible", reason, "audit_get says whether a call can be undone.")


async def visible_entries(ctx: Context, call_id: str) -> tuple[AuditEntry, ...]:
    """The entries of a call that the caller may see. Raises Refused: unknown, whatever there is."""
    async with ctx.services.database.read() as session:
        entries = await audit.entries(session, ctx.caller.workspace_id or "", call_id)
    if not entries or not may_see(ctx, entries):
        raise Refused(UNKNOWN_CALL)
    return entries


async def _record(ctx: Context, call_id: str) -> CallRecord | None:
    async with ctx.services.database.read() as session:
        record = await calls.get(session, ctx.services.database.keyring, call_id)
    return record if record is not None and record.guild_id == ctx.guild.id else None
