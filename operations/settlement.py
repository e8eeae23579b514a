"""Executing an effect once, and finding out what became of it when Discord's answer is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import discord
import structlog

from operations import call_ids
from operations.base import Context, Model, Reconcile, WriteOperation
from operations.errors import Failure, Refused, translate
from operations.guild_state import GuildVanished
from operations.ledger import Ledger, OutcomeUnknown, Priority, SendRefused, phase
from operations.partial import PartlyDone
from operations.transport_errors import unwrap
from policy.model import Caller, Tier
from storage.calls import CallState

EXECUTE_TIMEOUT_SECONDS = 45.0
# Discord drops a second message with the same nonce "within the past few minutes"; two are safe.
NONCE_WINDOW_SECONDS = 120.0
# Discord writes its audit log shortly after the effect.
AUDIT_LOG_PAUSES_SECONDS = (0.2, 0.8, 2.0)

NOT_APPLIED = "Guildhall was interrupted before anything was changed."

Operation = WriteOperation[Any, Any, Any]


@dataclass(frozen=True, slots=True)
class Settled:
    """What an execution came to: DONE with its result, FAILED (nothing took effect) or UNKNOWN.

    ``partial``: of several requests the first took effect, and a later one did not; ``result`` says how far it came,
    where the operation tells. ``asked``: False when Discord could not even be asked what became of it, so that asking
    later may help.
    """

    state: CallState
    result: Model | None = None
    detail: str = ""
    remedy: str = ""
    error_code: int | None = None
    partial: bool = False
    asked: bool = True


class Settlement:
    """Executes effects. ``tag_mac``: the MAC that makes the tag in Discord's audit log unforgeable."""

    def __init__(
        self,
        tag_mac: Callable[[str], str],
        *,
        now: Callable[[], float],
        audit_log_pauses_seconds: Sequence[float] = AUDIT_LOG_PAUSES_SECONDS,
    ) -> None:
        self._tag_mac = tag_mac
        self._now = now
        self._pauses = tuple(audit_log_pauses_seconds)
        self._log = structlog.get_logger("guildhall.settlement")

    async def execute(self, operation: Operation, ctx: Context, effect: Model, started_at: float) -> Settled:
        """One attempt; when the answer is lost, the way that the operation declares to find it again."""
        settled = await self._attempt(operation, ctx, effect)
        if settled.state is not CallState.UNKNOWN or settled.partial:
            return settled
        return await self.reconcile(operation, ctx, effect, started_at, settled.detail)

    async def _attempt(self, operation: Operation, ctx: Context, effect: Model) -> Settled:
        ledger: Ledger | None = None
        try:
            with phase(
                "execute",
                ctx.call_id,
                caller_id=_caller_key(ctx.caller),
                guild_id=ctx.guild.id,
                priority=_priority(operation),
            ) as ledger:
                async with asyncio.timeout(EXECUTE_TIMEOUT_SECONDS):
                    result = await operation.execute(ctx, effect)
        except PartlyDone as partly:
            settled = self._ended(operation, ctx, partly.__cause__ or partly, ledger)
            detail = f"{partly} Then: {settled.detail}"
            return replace(settled, state=CallState.UNKNOWN, result=partly.result, detail=detail, partial=True)
        except Exception as error:  # noqa: BLE001 - all of them: the call must not be left without an outcome
            return self._ended(operation, ctx, error, ledger)
        return Settled(CallState.DONE, result)

    def _ended(self, operation: Operation, ctx: Context, error: BaseException, ledger: Ledger | None) -> Settled:
        """What an error says of the attempt that it ended."""
        match error:
            case Refused():
                return Settled(_lost(ledger), detail=error.refusal.reason, remedy=error.refusal.remedy)
            case discord.DiscordServerError():
                return Settled(_lost(ledger), detail=translate(error).reason, error_code=error.status)
            case discord.HTTPException() | discord.RateLimited():
                return _failed(translate(error), ledger)
            case GuildVanished():
                return Settled(_lost(ledger), detail="The guild or the membership was lost meanwhile.")
            case aiohttp.ClientError() | OutcomeUnknown() | SendRefused() | TimeoutError() | OSError():
                return self._broken(unwrap(error), ledger)
            case _:
                self._log.error("execution raised", operation=operation.name, call_id=ctx.call_id, exc_info=error)
                return Settled(_lost(ledger), detail="Guildhall made a mistake; its log has the details.")

    def _broken(self, error: BaseException, ledger: Ledger | None) -> Settled:
        if isinstance(error, SendRefused):
            return Settled(_lost(ledger), detail=str(error))
        if isinstance(error, OutcomeUnknown):
            return Settled(CallState.UNKNOWN, detail="Discord's answer was lost.")
        return Settled(_lost(ledger), detail=f"The connection to Discord broke ({type(error).__name__}).")

    async def reconcile(
        self, operation: Operation, ctx: Context, effect: Model, started_at: float, detail: str
    ) -> Settled:
        """Finds a lost answer again. Sends nothing but a message with its own nonce, within Discord's window."""
        asked = True
        try:
            match operation.reconcile:
                case Reconcile.NONCE:
                    found = await self._by_nonce(operation, ctx, effect, started_at)
                    asked = found is not None or self._now() - started_at > NONCE_WINDOW_SECONDS
                case Reconcile.AUDIT_LOG:
                    found = await self._by_audit_log(operation, ctx, effect)
                case Reconcile.READ_BACK:
                    found = await self._by_reading_back(operation, ctx, effect)
                case Reconcile.ATOMIC:
                    # Its row would be settled, had it been done.
                    return Settled(CallState.FAILED, detail=NOT_APPLIED, remedy="Ask for it again.")
                case Reconcile.NONE:
                    found = None
        except PartlyDone as partly:
            return Settled(CallState.UNKNOWN, partly.result, detail=str(partly), partial=True)
        except (
            aiohttp.ClientError,
            discord.DiscordException,
            GuildVanished,
            OutcomeUnknown,
            SendRefused,
            OSError,
        ) as error:
            self._log.warning(
                "reconciliation failed",
                operation=operation.name,
                call_id=ctx.call_id,
                error=type(unwrap(error)).__name__,
            )
            found, asked = None, False
        if found is not None and found.state is not CallState.UNKNOWN:
            return found
        if found is None:
            found = Settled(CallState.UNKNOWN, detail=detail or "Discord's answer was lost.", asked=asked)
        standing = operation.stands(effect)
        return found if standing is None else replace(found, state=CallState.DONE, result=standing)

    async def _by_nonce(self, operation: Operation, ctx: Context, effect: Model, started_at: float) -> Settled | None:
        for pause in self._pauses:
            if self._now() - started_at > NONCE_WINDOW_SECONDS:
                return None
            settled = await self._attempt(operation, ctx, effect)
            if settled.state is CallState.DONE or settled.partial:
                return settled
            if settled.state is CallState.FAILED:
                # That this attempt failed tells nothing of the one whose answer was lost.
                detail = f"Discord's answer was lost, and the second attempt failed: {settled.detail}"
                return replace(settled, state=CallState.UNKNOWN, detail=detail)
            await asyncio.sleep(pause)
        return None

    async def _by_audit_log(self, operation: Operation, ctx: Context, effect: Model) -> Settled | None:
        for pause in self._pauses:
            for action in operation.audit_actions():
                found = await self._logged(operation, ctx, effect, discord.AuditLogAction(action))
                if found is not None:
                    return found
            await asyncio.sleep(pause)
        return None

    async def _logged(
        self, operation: Operation, ctx: Context, effect: Model, action: discord.AuditLogAction
    ) -> Settled | None:
        guild = ctx.guild.discord
        with phase("read", ctx.call_id, caller_id=_caller_key(ctx.caller), guild_id=guild.id):
            async for entry in guild.audit_logs(limit=100, action=action, user=guild.me):
                if not self._is_ours(entry, ctx.call_id):
                    continue
                result = operation.found(entry, effect)
                if result is not None:
                    return Settled(CallState.DONE, result, detail="Found in Discord's audit log.")
        return None

    async def _by_reading_back(self, operation: Operation, ctx: Context, effect: Model) -> Settled | None:
        with phase("read", ctx.call_id, caller_id=_caller_key(ctx.caller), guild_id=ctx.guild.id):
            result = await operation.read_back(ctx, effect)
        return None if result is None else Settled(CallState.DONE, result, detail="Found by looking at it again.")

    def _is_ours(self, entry: discord.AuditLogEntry, call_id: str) -> bool:
        matched = call_ids.TAG.match(entry.reason or "")
        return matched is not None and matched[1] == call_id and matched[2] == self._tag_mac(call_id)


def _failed(failure: Failure, ledger: Ledger | None) -> Settled:
    """Discord refused a request: nothing took effect, unless one before it did."""
    if ledger is None or not ledger.done:
        return Settled(CallState.FAILED, detail=failure.reason, remedy=failure.remedy, error_code=failure.code)
    return Settled(
        CallState.UNKNOWN,
        detail=f"A part of it took effect; then: {failure.reason}",
        remedy=failure.remedy,
        error_code=failure.code,
        partial=True,
    )


def _lost(ledger: Ledger | None) -> CallState:
    """Nothing left this process: it failed. Something did: whether it took effect is unknown."""
    return CallState.FAILED if ledger is None or ledger.sent == 0 else CallState.UNKNOWN


def _priority(operation: Operation) -> Priority | None:
    """Moderation, and what a person has confirmed, does not wait behind what can."""
    return Priority.FIRST if operation.tier >= Tier.RISKY else None


def _caller_key(caller: Caller) -> str:
    return caller.identity
