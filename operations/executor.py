"""The one road: every call of every face, from arguments to outcome.

resolve, gate, facts, judge (operations.decider) - preview - commit 1 - execute - commit 2 (operations.execution). What
needs a confirmation goes to the desk (operations.desk) instead.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any, TypeVar, cast

import structlog
from pydantic import ValidationError

from operations import call_ids
from operations.base import (
    Common,
    ControlOperation,
    Delegate,
    DelegateInput,
    Encoded,
    Model,
    Operation,
    Outcome,
    Preview,
    Progress,
    ReadOperation,
    Redirect,
    Status,
    WriteOperation,
    no_progress,
)
from operations.claims import Claims
from operations.decider import Decider, Prepared
from operations.desk import PlanDesk
from operations.errors import Refused
from operations.execution import Execution
from operations.failures import DISCORD_FAILED, refusal_of
from operations.guild_state import GuildVanished
from operations.inert_guilds import InertGuildWrite
from operations.invalid_arguments import InvalidArguments
from operations.journal import Journal
from operations.ledger import Phase, phase
from operations.outcomes import replayed
from operations.pauses import AutomaticPauses
from operations.plans import ASKED_BY_PROGRAM, Asking
from operations.platform_writes import PlatformWrite
from operations.read_counts import ReadCounts
from operations.ready_reads import ReadyReads, Unbroken
from operations.refusal_journal import RefusalJournal
from operations.refusals import DATABASE_DOWN, NOT_ACTIVE, SHUTTING_DOWN, Rejected
from operations.registry import Registry
from operations.seen import places_of
from operations.services import Services
from operations.taints import Taints
from policy.checks import rate_allows
from policy.model import (
    Caller,
    CallerKind,
    Decision,
    Face,
    Facts,
    Kind,
    NeedsConfirmation,
    OperationClass,
    Refuse,
    Step,
    Strength,
    Tier,
)
from storage.database import DatabaseUnavailable
from storage.limits import RateLimits

T = TypeVar("T")
Write = WriteOperation[Any, Any, Any]

TOKEN_OF_A_DRY_RUN = Refuse(
    Step.VALIDATE, "token_of_a_dry_run", "A plan_token confirms, and a dry run does nothing.", "Give dry_run=false."
)
NO_COMMON = Common()
COMMON_TYPES = {"dry_run": "boolean", "reason": "string", "idempotency_key": "string", "plan_token": "string"}

DELEGATES = {
    OperationClass.READ: "operation_read",
    OperationClass.WRITE: "operation_write",
    OperationClass.DESTROY: "operation_destroy",
}


class RoadExecutor:
    """Runs operations. The parts that it is made of are built in the composition root."""

    def __init__(
        self,
        *,
        registry: Registry,
        decider: Decider,
        services: Services,
        journal: Journal,
        refusals: RefusalJournal,
        bursts: AutomaticPauses,
        execution: Execution,
        desk: PlanDesk,
        claims: Claims,
        limits: RateLimits,
        taints: Taints,
        read_counts: ReadCounts,
        ready_reads: ReadyReads,
        audit_reason: Callable[[str, Caller, str | None], str],
        is_active: Callable[[], bool],
    ) -> None:
        self.registry = registry
        self._decider = decider
        self._services = services
        self._journal = journal
        self._refusals = refusals
        self._bursts = bursts
        self._execution = execution
        self._desk = desk
        self._claims = claims
        self._limits = limits
        self._taints = taints
        self._read_counts = read_counts
        self._ready_reads = ready_reads
        self._audit_reason = audit_reason
        self._is_active = is_active
        self._log = structlog.get_logger("guildhall.executor")

    # --------------------------------------------------------------------- run
    async def run(
        self,
        name: str,
        arguments: Mapping[str, Any],
        caller: Caller,
        *,
        progress: Progress = no_progress,
        asking: Asking | None = None,
    ) -> Outcome:
        """Runs one operation for a caller. Never raises for what a caller can cause; the outcome says it.

        ``arguments`` are untrusted JSON values. ``asking``: what the face knows of how the call came in; like the
        caller, it comes from trusted context only. A caller that is cancelled leaves a committed write running to its
        end.
        """
        return await self._run(name, arguments, caller, progress, asking or ASKED_BY_PROGRAM, Tier.READ)

    async def run_deed(self, name: str, arguments: Mapping[str, Any], caller: Caller, *, call_id: str) -> Outcome:
        """What the system does by itself (policy.system). The call's id is given, so that who asks can remember it
        before anything is sent. Raises ValueError for another caller.
        """
        if caller.kind is not CallerKind.SYSTEM:
            raise ValueError("only the system does deeds")
        return await self._run(name, arguments, caller, no_progress, ASKED_BY_PROGRAM, Tier.READ, call_id)

    def run_at_once(self, name: str, arguments: Mapping[str, Any], caller: Caller) -> Outcome | None:
        """What ``run`` would come to, for a read from memory that the same caller was allowed a moment ago. All steps
        hold anew, and it counts for limit and audit; None says nothing of the call.
        """
        operation = self.registry.get(name)
        if operation is None or not operation.from_memory:
            return None
        found = self._ready_reads.get(name, arguments, caller)
        if found is None or self._limits.hit_read(caller.identity, found[0]):
            return None
        self._read_counts.count(caller, name)
        return Outcome(Status.DONE, name, Kind.READ, call_ids.new_call_id(), data=found[1], arguments=arguments)

    async def _run(
        self,
        name: str,
        arguments: Mapping[str, Any],
        caller: Caller,
        progress: Progress,
        asking: Asking,
        least_tier: Tier,
        call_id: str = "",
    ) -> Outcome:
        call_id = call_id or call_ids.new_call_id()
        operation = self.registry.get(name)
        if operation is None or caller.face not in operation.faces:
            return await self._unknown_operation(name, call_id, caller, arguments)
        if isinstance(operation, Delegate):
            return await self._delegate(operation, call_id, arguments, caller, progress, asking)
        unbroken = Unbroken() if operation.from_memory else None
        try:
            common, given = split(operation, arguments, caller)
            parsed = operation.Input.model_validate(given)
        except ValidationError as error:
            rejected = Rejected(InvalidArguments.of(error, operation.Input, shared_by(operation)).refusal())
            return await self._rejected(operation, call_id, caller, arguments, rejected)
        if common.plan_token is not None and _redirecting(operation) is None:
            if arguments.get("dry_run") is True:
                return await self._rejected(operation, call_id, caller, arguments, Rejected(TOKEN_OF_A_DRY_RUN))
            payload_mac = self._journal.payload_mac(operation.name, arguments)
            return await self._desk.redeem(operation.name, payload_mac, common.plan_token, caller)
        # Discord's audit log never hears of a read; the tag in its header takes an HMAC.
        audit_reason = None if operation.kind is Kind.READ else self._audit_reason(call_id, caller, common.reason)
        try:
            with phase("read", call_id, caller_id=caller.identity):
                if operation.of_inert_guild:
                    prepared = await self._claims.prepare(
                        operation,
                        parsed,
                        caller,
                        call_id,
                        self._services,
                        reason=common.reason,
                        audit_reason=audit_reason,
                        progress=progress,
                    )
                else:
                    prepared = await self._decider.prepare(
                        operation,
                        parsed,
                        caller,
                        call_id,
                        self._services,
                        reason=common.reason,
                        audit_reason=audit_reason,
                        progress=progress,
                        least_tier=least_tier,
                    )
        except Rejected as rejected:
            return await self._rejected(operation, call_id, caller, arguments, rejected)
        redirect = _redirecting(operation)
        if redirect is not None:
            outcome = await self._redirect(redirect, prepared, arguments, common, progress, asking)
        else:
            outcome = await self._decided(prepared, arguments, common, asking, unbroken)
        if caller.face is not Face.AGENT:
            return outcome
        # The assistant says it again, to people who may see less than its requester.
        return replace(outcome, seen=outcome.seen | places_of(prepared, outcome))

    async def _decided(
        self,
        prepared: Prepared,
        arguments: Mapping[str, Any],
        common: Common,
        asking: Asking,
        unbroken: Unbroken | None,
    ) -> Outcome:
        """From step 5 on."""
        operation = prepared.operation
        decision = await self._judge(prepared, dry_run=common.dry_run)
        if isinstance(decision, Refuse):
            return await self._refused(prepared, arguments, decision)
        if isinstance(operation, WriteOperation):
            return await self._write(cast("Write", operation), prepared, arguments, common, decision, asking)
        return await self._observe(prepared, arguments, unbroken)

    async def _delegate(
        self,
        operation: Delegate,
        call_id: str,
        arguments: Mapping[str, Any],
        caller: Caller,
        progress: Progress,
        asking: Asking,
    ) -> Outcome:
        """operation_read, operation_write, operation_destroy: the inner call takes the whole road itself."""
        try:
            parsed = DelegateInput.model_validate(arguments)
        except ValidationError as error:
            rejected = Rejected(InvalidArguments.of(error, DelegateInput).refusal())
            return await self._rejected(operation, call_id, caller, arguments, rejected)
        inner = self.registry.get(parsed.name)
        if inner is None or isinstance(inner, Delegate) or caller.face not in inner.faces:
            return await self._unknown_operation(parsed.name, call_id, caller, arguments)
        if inner.operation_class() is not operation.delegates:
            refusal = Refuse(
                Step.VALIDATE,
                "wrong_class",
                f"{inner.name} is a {inner.operation_class().value} operation.",
                f"Call it through {DELEGATES[inner.operation_class()]}, or by its own name.",
            )
            return await self._rejected(operation, call_id, caller, arguments, Rejected(refusal))
        outcome = await self.run(inner.name, parsed.arguments, caller, progress=progress, asking=asking)
        return replace(outcome, through=operation.name)

    async def _redirect(
        self,
        operation: Redirect[Any, Any],
        prepared: Prepared,
        arguments: Mapping[str, Any],
        common: Common,
        progress: Progress,
        asking: Asking,
    ) -> Outcome:
        """The call that it stands for, as if it had been made by name."""
        ctx = prepared.ctx
        decision = await self._judge(prepared, dry_run=True)
        if isinstance(decision, Refuse):
            return await self._refused(prepared, arguments, decision)
        found = await self._asked(prepared, operation.found(ctx, prepared.arguments), "read")
        if isinstance(found, Refuse):
            return await self._refused(prepared, arguments, found)
        shared = {key: value for key, value in arguments.items() if key in Common.model_fields}
        inner = {**found.arguments, **shared, "dry_run": common.dry_run, "reason": common.reason or found.reason}
        outcome = await self._run(found.operation, inner, ctx.caller, progress, asking, operation.tier)
        return replace(outcome, through=operation.name, outer=arguments)

    async def _unknown_operation(
        self, name: str, call_id: str, caller: Caller, arguments: Mapping[str, Any]
    ) -> Outcome:
        return await self._refusals.unknown_operation(name, call_id, caller, arguments, self._too_often(caller))

    async def _rejected(
        self, operation: Operation, call_id: str, caller: Caller, arguments: Mapping[str, Any], rejected: Rejected
    ) -> Outcome:
        limited = self._too_often(caller)
        return await self._refusals.rejected(
            operation, call_id, caller, arguments, rejected if limited is None else Rejected(limited)
        )

    def _too_often(self, caller: Caller) -> Refuse | None:
        """A call that is refused before step 7 counts as a read of its caller: guessing and flooding have an end, and
        the refusal costs the same whatever exists.
        """
        retry_after = self._limits.hit_read(caller=caller.identity, guild_id=None)
        return rate_allows(Facts(now=0.0, platform_age_seconds=0.0, retry_after_seconds=retry_after))

    async def _judge(self, prepared: Prepared, *, dry_run: bool) -> Decision:
        """Steps 5-7. A preview counts like a read: it sends nothing."""
        requirement, identity = prepared.requirement, prepared.ctx.caller.identity
        if requirement.kind is Kind.READ or (requirement.kind is Kind.WRITE and dry_run):
            retry_after = self._limits.hit_read(caller=identity, guild_id=prepared.guild_id)
        elif isinstance(prepared.decide(0.0), NeedsConfirmation):
            # What is asked for is counted when it is confirmed; how much may be asked for at a time is limited, too.
            retry_after = self._limits.hit_read(caller=identity, guild_id=prepared.guild_id)
        else:
            retry_after = await self._limits.hit(
                caller=identity,
                guild_id=prepared.guild_id,
                operation_class=requirement.operation_class,
                tier=requirement.tier,
            )
            decision = prepared.decide(retry_after)
            if not isinstance(decision, Refuse):
                await self._bursts.count(prepared.ctx.caller, prepared.installation, requirement, None)
            return decision
        return prepared.decide(retry_after)

    async def _refused(self, prepared: Prepared, arguments: Mapping[str, Any], refusal: Refuse) -> Outcome:
        return await self._refusals.decided(prepared, arguments, refusal)

    # ------------------------------------------------------------------- reads
    async def _observe(self, prepared: Prepared, arguments: Mapping[str, Any], unbroken: Unbroken | None) -> Outcome:
        operation, ctx = prepared.operation, prepared.ctx
        result = await self._asked(prepared, self._read(prepared), "read")
        if isinstance(result, Refuse):
            return await self._refused(prepared, arguments, result)
        if isinstance(result, Outcome):
            return replace(result, arguments=arguments)
        self._read_counts.count(ctx.caller, operation.name)
        if unbroken is not None and unbroken.holds and isinstance(result, Encoded):
            self._ready_reads.remember(operation.name, arguments, ctx, result)
        return Outcome(Status.DONE, operation.name, operation.kind, ctx.call_id, data=result, arguments=arguments)

    async def _read(self, prepared: Prepared) -> Model | Encoded | Outcome:
        operation, ctx = prepared.operation, prepared.ctx
        if isinstance(operation, ReadOperation):
            reading = cast("ReadOperation[Any, Any]", operation)
            result: Model | Encoded = await reading.read(ctx, prepared.arguments)
            self._taints.mark(ctx.caller, reading.sources(ctx, prepared.arguments))
            return result
        if isinstance(operation, ControlOperation):
            return await cast("ControlOperation[Any, Any]", operation).control(ctx, prepared.arguments)
        raise TypeError(f"{operation.name} neither reads nor controls")

    async def _asked(self, prepared: Prepared, asking: Coroutine[Any, Any, T], name: Phase) -> T | Refuse:
        """Runs a reading phase; what Discord, the database or the operation refuses comes back as a refusal."""
        ctx = prepared.ctx
        try:
            with phase(name, ctx.call_id, caller_id=ctx.caller.identity, guild_id=prepared.guild_id):
                return await asking
        except Refused as refused:
            return refused.refusal
        except GuildVanished:
            return self._decider.vanished(prepared.guild_id)
        except DatabaseUnavailable:
            return DATABASE_DOWN
        except DISCORD_FAILED as error:
            return refusal_of(error)

    # ------------------------------------------------------------------ writes
    async def _write(
        self,
        operation: Write,
        prepared: Prepared,
        arguments: Mapping[str, Any],
        common: Common,
        decision: Decision,
        asking: Asking,
    ) -> Outcome:
        ctx = prepared.ctx
        if common.idempotency_key is not None and not common.dry_run:
            # Before the preview, which would find everything done already.
            replay = await self._replayed(operation, prepared, arguments, common.idempotency_key)
            if replay is not None:
                return replay
        asked = await self._asked(prepared, operation.preview(ctx, prepared.arguments), "preview")
        if isinstance(asked, Refuse):
            return await self._refused(prepared, arguments, asked)
        preview: Preview[Any] = asked
        strength = Strength.NONE
        if isinstance(decision, NeedsConfirmation):
            strength = decision.strength
            prepared = replace(prepared, requirement=replace(prepared.requirement, tier=decision.tier))
        tier = prepared.requirement.tier
        shown = Outcome(
            Status.PREVIEW, operation.name, Kind.WRITE, ctx.call_id, tier, preview=preview, arguments=arguments
        )
        if preview.problems and not common.dry_run:
            problems = Refuse(
                Step.DISCORD, "would_fail", " ".join(preview.problems), "Mend this and call again; nothing was sent."
            )
            return await self._refused(prepared, arguments, problems)
        if common.dry_run and (strength is Strength.NONE or preview.problems):
            return shown
        if self._execution.draining:
            return replace(shown, status=Status.REFUSED, refusal=SHUTTING_DOWN)
        # What is one transaction may be written beside the active process, too.
        if not self._is_active() and not isinstance(operation, PlatformWrite):
            return replace(shown, status=Status.REFUSED, refusal=NOT_ACTIVE)
        try:
            answer = await self._execution.shielded(
                self._commit(operation, prepared, arguments, common, preview, strength, shown, asking)
            )
        except DatabaseUnavailable:
            self._log.warning("write refused: the database does not answer", call_id=ctx.call_id)
            return replace(shown, status=Status.REFUSED, refusal=DATABASE_DOWN)
        return answer if isinstance(answer, Outcome) else await self._refused(prepared, arguments, answer)

    async def _replayed(
        self, operation: Write, prepared: Prepared, arguments: Mapping[str, Any], key: str
    ) -> Outcome | None:
        """The stored answer of a repeated call; None for a new key."""
        ctx = prepared.ctx
        shown = Outcome(
            Status.PREVIEW,
            operation.name,
            Kind.WRITE,
            ctx.call_id,
            prepared.requirement.tier,
            arguments=arguments,
        )
        try:
            found = await self._journal.replay(operation.name, ctx.caller, prepared.installation, arguments, key)
        except DatabaseUnavailable:
            return replace(shown, status=Status.REFUSED, refusal=DATABASE_DOWN)
        if found is None:
            return None
        return replayed(shown, found.call_id, found.outcome, same_payload=found.same_payload)

    async def _commit(
        self,
        operation: Write,
        prepared: Prepared,
        arguments: Mapping[str, Any],
        common: Common,
        preview: Preview[Any],
        strength: Strength,
        shown: Outcome,
        asking: Asking,
    ) -> Outcome | Refuse:
        """From commit 1 to commit 2. Raises DatabaseUnavailable when commit 1 failed: then nothing was sent."""
        ctx = prepared.ctx
        if isinstance(operation, InertGuildWrite):
            return await self._claims.commit(operation, prepared, arguments, common, preview, shown)
        # Others must agree, whoever names it himself.
        proof = None if prepared.facts.four_eyes else asking.proof
        record = self._journal.record(
            ctx.call_id,
            operation,
            prepared.requirement,
            ctx.caller,
            prepared.installation,
            preview,
            arguments,
            strength=strength,
            tainted=prepared.facts.tainted,
            sources=self._taints.sources(ctx.caller),
            reason=common.reason,
            asked=not common.dry_run and proof is None,
            origin_channel_id=asking.channel_id,
        )
        entry = self._journal.intent(record, prepared.requirement, ctx.caller, prepared.installation, arguments)
        key = None if common.dry_run else common.idempotency_key
        if strength is not Strength.NONE:
            if proof is not None:
                answer = await self._desk.propose_by_hand(
                    record, entry, preview.effect, shown, key, ctx.caller, None if common.dry_run else proof
                )
            else:
                answer = await self._desk.propose(record, entry, preview.effect, shown, key)
            return replace(answer, arguments=arguments) if isinstance(answer, Outcome) else answer
        replay = await self._journal.open_call(record, entry, key)
        if replay is not None:
            return replayed(shown, replay.call_id, replay.outcome, same_payload=replay.same_payload)
        return await self._execution.run(operation, ctx, record, preview.effect, preview.inverse, shown)

    async def drain(self, timeout_seconds: float) -> None:
        """Refuses new writes and waits for those under way; what is not done by then is taken up at the next start."""
        await self._execution.drain(timeout_seconds)


def _redirecting(operation: Operation) -> Redirect[Any, Any] | None:
    return cast("Redirect[Any, Any]", operation) if isinstance(operation, Redirect) else None


def split(operation: Operation, arguments: Mapping[str, Any], caller: Caller) -> tuple[Common, Mapping[str, Any]]:
    """The arguments common to every write, and the operation's own. Raises pydantic.ValidationError."""
    if operation.kind is not Kind.WRITE:
        return NO_COMMON, arguments
    shared = {key: value for key, value in arguments.items() if key in Common.model_fields}
    shared.setdefault("dry_run", not caller.direct_writes)
    own = {key: value for key, value in arguments.items() if key not in Common.model_fields}
    return Common.model_validate(shared), own


def shared_by(operation: Operation) -> Mapping[str, str]:
    """The arguments of every write, with their JSON types; none for another kind."""
    return COMMON_TYPES if operation.kind is Kind.WRITE else {}
