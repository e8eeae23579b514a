"""Reading the platform's own audit: who did what, through what, and what came of it."""

from __future__ import annotations

from typing import Any

import orjson
from pydantic import AwareDatetime, Field

from operations import cursors
from operations.base import Context, Model, ReadOperation
from operations.outcomes import timestamp
from operations.refs import GuildRef, MemberRef
from policy.model import Caller, Need, Step
from policy.permissions import Bits
from storage import audit
from storage.audit import AuditEntry, AuditQuery

# How many calls one listing looks at, at most, to fill its page with visible ones.
MAX_SCANNED = 1_000


class AuditListInput(Model):
    guild: GuildRef | None = None
    member: MemberRef | None = Field(default=None, description="Only calls of this person.")
    operation: str | None = Field(default=None, max_length=64)
    status: str | None = Field(default=None, max_length=20, description="Such as done, refused, pending.")
    since: AwareDatetime | None = None
    mine: bool = Field(default=False, description="Only your own, also those that reached no guild.")
    limit: int = Field(default=25, ge=1, le=100)
    cursor: str | None = None


class AuditedCaller(Model):
    """``user_id`` is absent where nobody stands behind the caller (an operator)."""

    kind: str
    face: str
    client_id: str
    user_id: str | None = None


class AuditedCall(Model):
    """One call, its entries folded. ``arguments`` are redacted: ids stay, text is its length and a keyed hash."""

    call_id: str
    at: str
    operation: str
    status: str
    by: AuditedCaller
    tier: str | None = None
    channel_id: str | None = None
    target_ids: list[str] | None = None
    arguments: dict[str, Any] | None = None
    step: str | None = None
    code: str | None = None
    reason: str | None = None
    discord_code: int | None = None
    duration_ms: float | None = None


class AuditListResult(Model):
    """Newest first. ``cursor``: for older ones, absent when there are none."""

    calls: list[AuditedCall]
    cursor: str | None = None


class ListAudit(ReadOperation[AuditListInput, AuditListResult]):
    """List what was done, refused or left unknown through Guildhall, newest first. Others' calls need view_audit_log
    and sight of the channel.
    """

    name = "audit_list"
    title = "List audited calls"
    toolset = "audit"
    scope = "audit:read"
    in_default_set = True

    def needs(self, ctx: Context, arguments: AuditListInput) -> tuple[Need, ...]:
        """Everybody may see his own calls; of others only what ``may_see`` lets through."""
        return (Need(ctx.guild_target),)

    async def read(self, ctx: Context, arguments: AuditListInput) -> AuditListResult:
        own_only = arguments.mine or not is_auditor(ctx)
        member = ctx.targets.get("member")
        before: int | None = None
        if arguments.cursor is not None:
            position = cursors.open_cursor(ctx, self.name, arguments.cursor)
            before = int(ctx.services.database.keyring.open(str(position[0]).encode()))
        found: list[AuditedCall] = []
        since = None if arguments.since is None else arguments.since.timestamp()
        scanned, last = 0, 0
        while scanned < MAX_SCANNED:
            query = AuditQuery(
                workspace_id=ctx.caller.workspace_id or "",
                guild_id=None if own_only else ctx.guild.id,
                user_id=ctx.caller.user_id if own_only else member.id if member else None,
                operation=arguments.operation,
                status=arguments.status,
                before=before,
                limit=arguments.limit,
            )
            async with ctx.services.database.read() as session:
                page = await audit.page(session, query)
            scanned += len(page.calls)
            for entries in page.calls:
                if since is not None and entries[0].at < since:
                    # They come in the order in which they began: whatever follows is older still.
                    return self._result(ctx, found, None)
                if not (_own if own_only else _audited)(ctx, entries):
                    continue
                if own_only and member is not None and member.id != ctx.caller.user_id:
                    continue
                call = folded(entries)
                if arguments.status is not None and call.status != arguments.status:
                    continue
                if len(found) == arguments.limit:
                    # A cursor says that there is more to see, so only what may be seen gives one.
                    return self._result(ctx, found, last)
                found.append(call)
                last = entries[0].id or 0
            before = page.next_before
            if before is None:
                return self._result(ctx, found, None)
        return self._result(ctx, found, before)

    def _result(self, ctx: Context, found: list[AuditedCall], older: int | None) -> AuditListResult:
        cursor = None if older is None else cursors.seal(ctx, self.name, [_hidden_position(ctx, older)])
        return AuditListResult(calls=found, cursor=cursor)


def _hidden_position(ctx: Context, position: int) -> str:
    """Positions count the calls of everybody; sealed, they tell nobody how many those are."""
    return ctx.services.database.keyring.seal(str(position)).decode()


def is_auditor(ctx: Context) -> bool:
    return bool(ctx.guild.bits() & (Bits.view_audit_log | Bits.administrator))


def may_see(ctx: Context, entries: tuple[AuditEntry, ...]) -> bool:
    """Everybody sees his own calls; of others, in this guild, whoever may read its audit log and sees the channel."""
    return _own(ctx, entries) or (is_auditor(ctx) and _audited(ctx, entries))


def _own(ctx: Context, entries: tuple[AuditEntry, ...]) -> bool:
    first = entries[0]
    if not is_own(ctx.caller, first):
        return False
    if first.guild_id == ctx.guild.id and first.installation_id is not None:
        # Of an installation that has ended nothing is left to be seen.
        installation = ctx.services.facts.snapshot.installations.get(ctx.guild.id)
        return installation is not None and first.installation_id == installation.id
    # What was answered as unknown belongs to no guild that the caller knows of.
    return first.guild_id is None or is_masked(entries)


def _audited(ctx: Context, entries: tuple[AuditEntry, ...]) -> bool:
    installation = ctx.services.facts.snapshot.installations.get(ctx.guild.id)
    if installation is None or entries[0].installation_id != installation.id:
        return False
    channel_id = next((entry.channel_id for entry in entries if entry.channel_id is not None), None)
    if channel_id is None:
        return True
    channel = ctx.guild.channel(channel_id)
    # A channel that is gone was seen by whoever may read the audit log; one that is there must be visible now.
    return channel is None or ctx.guild.sees(channel)


def is_masked(entries: tuple[AuditEntry, ...]) -> bool:
    """Whether the caller was told of no object: then nobody is told here which ones there were."""
    last = entries[-1]
    return last.outward_step == Step.RESOLVE.value or bool(last.outward_step and last.outward_step != last.step)


def is_own(caller: Caller, entry: AuditEntry) -> bool:
    """The caller's own: of the same person, or of the same client where nobody stands behind it."""
    if caller.user_id is None:
        return entry.client_id == caller.client_id
    return entry.user_id == caller.user_id


def folded(entries: tuple[AuditEntry, ...]) -> AuditedCall:
    """One row for one call: its first entry says what was asked, its last one what came of it.

    Where the caller was told less than the truth (something hidden), so is every reader of this list: the true step
    would tell that the object exists. The command line of the host shows it.
    """
    first, last = entries[0], entries[-1]
    masked = is_masked(entries)
    return AuditedCall(
        call_id=first.call_id,
        at=timestamp(first.at),
        operation=first.operation,
        status=last.status,
        by=AuditedCaller(
            kind=first.caller_kind.value,
            face=first.face.value,
            client_id=first.client_id,
            user_id=None if first.user_id is None else str(first.user_id),
        ),
        tier=first.tier or None,
        channel_id=None if masked or first.channel_id is None else str(first.channel_id),
        target_ids=None if masked or not first.target_ids else [str(target_id) for target_id in first.target_ids],
        arguments=orjson.loads(first.arguments) or None,
        step=last.outward_step or last.step or None,
        code="unknown" if masked else last.code or None,
        reason=None if masked else last.reason or None,
        discord_code=last.error_code,
        duration_ms=last.duration_ms,
    )
