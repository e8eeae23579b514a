"""The records of a call: its row, its audit entries, its idempotency key, each phase in one transaction."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import orjson

from operations import stored_preview
from operations.audit_entries import AuditEntries
from operations.base import Inverse, Model, Operation, Outcome, Preview, SentMessage, WriteOperation
from operations.outcomes import structured
from operations.settlement import Settled
from policy.model import Caller, Installation, Refuse, Requirement, Step, Strength
from policy.taint import Source
from storage import audit, calls, idempotency, sent_messages
from storage.audit import AuditEntry
from storage.call_messages import MessagePlace
from storage.calls import CallRecord, CallState
from storage.database import Database, Session

EXECUTION_LEASE_SECONDS = 120.0
PLAN_SECONDS = 10 * 60.0
PERSON_PLAN_SECONDS = 24 * 60 * 60.0


@dataclass(frozen=True, slots=True)
class Replay:
    """What an idempotency key found: the stored outcome, or none while the first call is in flight."""

    call_id: str
    same_payload: bool
    outcome: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Applied:
    """What a platform write came to."""

    settled: Settled
    inverse: Inverse | None
    outcome: Outcome


class TakenOver(Exception):
    """Another executor holds the call by now."""


Kept = Callable[[Session], Awaitable[Model | None]]


def plan_seconds(strength: Strength) -> float:
    """How long a plan waits."""
    return PERSON_PLAN_SECONDS if strength is Strength.PERSON else PLAN_SECONDS


class Journal:
    """Writes what happened. Every method is one transaction; DatabaseUnavailable means that nothing of it was kept."""

    def __init__(
        self,
        database: Database,
        executor_id: str,
        *,
        on_commit: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.entries = AuditEntries(database.keyring, clock)
        self._database = database
        self._keyring = database.keyring
        self._executor_id = executor_id
        self._on_commit = on_commit
        self._clock = clock
        # Calls that this process opened without an idempotency key: their settling has one statement less.
        self._keyless: set[str] = set()

    # ----------------------------------------------------------------- intents
    def record(
        self,
        call_id: str,
        operation: Operation,
        requirement: Requirement,
        caller: Caller,
        installation: Installation | None,
        preview: Preview[Any],
        arguments: Mapping[str, Any],
        *,
        strength: Strength,
        tainted: bool,
        sources: frozenset[Source],
        reason: str | None,
        asked: bool = True,
        origin_channel_id: int | None = None,
    ) -> CallRecord:
        """The row of a call. With strength NONE it is executing from now on; otherwise it is a plan that waits.

        ``asked`` False: a dry run stores its plan.
        """
        now = self._clock()
        waits = strength is not Strength.NONE
        effect = preview.effect.model_dump_json()
        return CallRecord(
            call_id=call_id,
            operation=operation.name,
            state=CallState.PENDING if waits else CallState.EXECUTING,
            tier=requirement.tier,
            installation_id=installation.id if installation else None,
            workspace_id=caller.workspace_id or "",
            guild_id=installation.guild_id if installation else None,
            client_id=caller.client_id,
            user_id=caller.user_id,
            caller_kind=caller.kind,
            face=caller.face,
            reason=reason or "",
            effect=effect,
            effect_version=getattr(operation, "effect_version", 1),
            fingerprint=preview.fingerprint,
            preview=stored_preview.dump(preview, requirement),
            inverse=preview.inverse.model_dump_json() if preview.inverse else None,
            strength=strength,
            tainted=tainted,
            sources=stored_preview.dump_sources(sources),
            created_at=now,
            expires_at=now + plan_seconds(strength) if waits else None,
            executor=None if waits else self._executor_id,
            lease_until=None if waits else now + EXECUTION_LEASE_SECONDS,
            started_at=None if waits else now,
            asked=asked,
            origin_channel_id=origin_channel_id,
            payload_mac=self.payload_mac(operation.name, arguments),
            effect_mac=self._keyring.mac("plan effect", f"{operation.name}:{effect}"),
            quoted=_quoted(operation, preview.effect),
        )

    def intent(
        self,
        record: CallRecord,
        requirement: Requirement,
        caller: Caller,
        installation: Installation | None,
        arguments: Mapping[str, Any],
    ) -> AuditEntry:
        """The first entry of a call."""
        waits = record.state is CallState.PENDING
        return self.entries.entry(
            record.call_id,
            "intent",
            record.operation,
            requirement,
            caller,
            installation,
            arguments,
            status="pending" if waits else "executing",
        )

    async def open_call(self, record: CallRecord, entry: AuditEntry, idempotency_key: str | None) -> Replay | None:
        """Commit 1: the call's row and its intent, or what its idempotency key holds already."""
        async with self._database.unit_of_work() as session:
            replay = await self.reserve(session, record, idempotency_key)
            if replay is not None:
                return replay
            await calls.insert(session, self._keyring, record)
            await audit.append(session, entry)
        if idempotency_key is None:
            self._keyless.add(record.call_id)
        self._on_commit()
        return None

    async def replay(
        self,
        operation: str,
        caller: Caller,
        installation: Installation | None,
        arguments: Mapping[str, Any],
        idempotency_key: str,
    ) -> Replay | None:
        """What a key holds already, before anything is previewed for it."""
        if installation is None:
            return None
        key = idempotency.Key(installation.id, caller.user_id or 0, caller.client_id, operation, idempotency_key)
        async with self._database.read() as session:
            stored = await idempotency.look_up(session, self._keyring, key, now=self._clock())
        return None if stored is None else _replay(stored, self.payload_mac(operation, arguments))

    async def reserve(self, session: Session, record: CallRecord, idempotency_key: str | None) -> Replay | None:
        """Keeps a key for this call, or tells what it holds already."""
        if idempotency_key is None or record.installation_id is None:
            return None
        key = idempotency.Key(
            record.installation_id, record.user_id or 0, record.client_id, record.operation, idempotency_key
        )
        stored = await idempotency.reserve(
            session,
            self._keyring,
            key,
            call_id=record.call_id,
            payload_mac=record.payload_mac,
            now=record.created_at,
        )
        return None if stored is None else _replay(stored, record.payload_mac)

    def payload_mac(self, operation: str, arguments: Mapping[str, Any]) -> str:
        """Of what was asked for, without how."""
        payload = {
            key: value for key, value in arguments.items() if key not in ("dry_run", "idempotency_key", "plan_token")
        }
        canonical = orjson.dumps([operation, payload], option=orjson.OPT_SORT_KEYS, default=str)
        return self._keyring.mac("idempotency payload", canonical)

    # ---------------------------------------------------------------- outcomes
    async def settle(
        self,
        record: CallRecord,
        settled: Settled,
        inverse: Inverse | None,
        outcome: Outcome,
        sent: Sequence[SentMessage] = (),
        keep: Kept | None = None,
    ) -> Outcome | None:
        """Commit 2: outcome, state, inverse and the idempotency key's result; the outcome as it was recorded. None when
        another executor took the call over. ``keep``: what belongs to the effect in our own tables, written with it.
        """
        try:
            async with self._database.unit_of_work() as session:
                result = None if keep is None else await keep(session)
                if result is not None:
                    settled, outcome = replace(settled, result=result), replace(outcome, data=result)
                if not await self._settle(session, record, settled, inverse, outcome, sent):
                    raise TakenOver
        except TakenOver:
            return None
        self._settled(record)
        return outcome

    async def apply(self, record: CallRecord, work: Callable[[Session], Awaitable[Applied]]) -> Outcome:
        """The effect of a platform write and commit 2 in one transaction. Raises what ``work`` raises, and TakenOver;
        then nothing was kept.
        """
        async with self._database.unit_of_work() as session:
            applied = await work(session)
            if not await self._settle(session, record, applied.settled, applied.inverse, applied.outcome):
                raise TakenOver
        self._settled(record)
        return applied.outcome

    async def apply_at_once(
        self, work: Callable[[Session], Awaitable[tuple[CallRecord, AuditEntry, Applied]]]
    ) -> Outcome:
        """Intent, effect and outcome in one transaction, for a call whose effect makes what it is recorded under.
        Raises what ``work`` raises; then nothing was kept.
        """
        async with self._database.unit_of_work() as session:
            record, entry, applied = await work(session)
            await calls.insert(session, self._keyring, record)
            await audit.append(session, entry)
            await self._settle(session, record, applied.settled, applied.inverse, applied.outcome)
        self._on_commit()
        return applied.outcome

    def _settled(self, record: CallRecord) -> None:
        self._keyless.discard(record.call_id)
        self._on_commit()

    async def _settle(
        self,
        session: Session,
        record: CallRecord,
        settled: Settled,
        inverse: Inverse | None,
        outcome: Outcome,
        sent: Sequence[SentMessage] = (),
    ) -> bool:
        now = self._clock()
        entry = AuditEntry(
            call_id=record.call_id,
            entry="outcome",
            at=now,
            workspace_id=record.workspace_id,
            installation_id=record.installation_id,
            guild_id=record.guild_id,
            channel_id=None,
            caller_kind=record.caller_kind,
            face=record.face,
            client_id=record.client_id,
            user_id=record.user_id,
            operation=record.operation,
            tier=record.tier.label,
            arguments="{}",
            step=Step.EXECUTE.value,
            code="",
            reason=settled.detail,
            outward_step=Step.EXECUTE.value,
            status=settled.state.value,
            target_ids=(),
            error_code=settled.error_code,
            duration_ms=round((now - record.created_at) * 1000, 1),
        )
        kept = await calls.settle(
            session,
            self._keyring,
            record.call_id,
            executor=self._executor_id,
            state=settled.state,
            result=None if settled.result is None else settled.result.model_dump_json(exclude_none=True),
            inverse=inverse.model_dump_json() if inverse else record.inverse,
            error_code=settled.error_code,
            detail=settled.detail,
            now=now,
        )
        if kept:
            await audit.append(session, entry)
            for message in sent:
                await sent_messages.put(
                    session,
                    message_id=message.message_id,
                    channel_id=message.channel_id,
                    installation_id=record.installation_id or "",
                    user_id=record.user_id,
                    client_id=record.client_id,
                    call_id=record.call_id,
                    now=now,
                )
            if record.call_id in self._keyless:
                pass  # no key waits for what came of it
            elif settled.state is CallState.FAILED:
                # Nothing took effect: the same key may be tried again.
                await idempotency.release(session, record.call_id)
            else:
                answer = orjson.dumps(structured(outcome), default=str).decode()
                await idempotency.complete(session, self._keyring, record.call_id, answer)
        return kept

    async def complete_key(self, call_id: str, outcome: Mapping[str, Any]) -> None:
        """Keeps what a plan's call was answered, for its idempotency key."""
        async with self._database.unit_of_work() as session:
            await idempotency.complete(session, self._keyring, call_id, orjson.dumps(outcome, default=str).decode())

    async def refused(
        self,
        call_id: str,
        operation: str,
        requirement: Requirement | None,
        caller: Caller,
        installation: Installation | None,
        arguments: Mapping[str, Any],
        truth: Refuse,
        outward: Refuse,
    ) -> None:
        """A refusal, in the caller's workspace; the step that the caller was not told stands here alone."""
        entry = self.entries.entry(
            call_id,
            "decision",
            operation,
            requirement,
            caller,
            installation,
            arguments,
            status="refused",
            refusal=truth,
            outward=outward,
        )
        async with self._database.unit_of_work() as session:
            await audit.append(session, entry)
        self._on_commit()


def _quoted(operation: Operation, effect: Any) -> tuple[MessagePlace, ...]:
    if not isinstance(operation, WriteOperation):
        return ()
    write = cast("WriteOperation[Any, Any, Any]", operation)
    return tuple(MessagePlace(message.channel_id, message.message_id) for message in write.quotes(effect))


def _replay(stored: idempotency.Stored, payload_mac: str) -> Replay:
    outcome = None if stored.outcome is None else orjson.loads(stored.outcome)
    return Replay(stored.call_id, stored.payload_mac == payload_mac, outcome)
