"""The records of a call: its row, its audit entries, its idempotency key, each phase in one transaction."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from operations.base import Inverse, Operation, Preview, SentMessage
from policy.model import Caller, CallerKind, Installation, Refuse, Requirement, Step, Strength, Target
from policy.redaction import JSON, OMITTED, redact
from policy.taint import Source
from storage import audit, calls, idempotency, sent_messages
from storage.audit import AuditEntry
from storage.calls import CallRecord, CallState
from storage.database import Database

EXECUTION_LEASE_SECONDS = 120.0
PLAN_SECONDS = 10 * 60.0
PERSON_PLAN_SECONDS = 24 * 60 * 60.0
# Of longer arguments an entry keeps the plain values alone, and of those as many as fit.
MAX_ARGUMENTS_CHARACTERS = 16_384


@dataclass(frozen=True, slots=True)
class Replay:
    """What an idempotency key found: the stored outcome, or none while the first call is in flight."""

    call_id: str
    same_payload: bool
    outcome: Mapping[str, Any] | None


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
        self._database = database
        self._keyring = database.keyring
        self._executor_id = executor_id
        self._on_commit = on_commit
        self._clock = clock

    # ----------------------------------------------------------------- intents
    async def open_call(
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
        idempotency_key: str | None,
    ) -> Replay | CallRecord:
        """Commit 1: the call's row and its intent, or what its idempotency key holds already.

        With strength NONE the call is executing from now on; otherwise it is a plan that waits.
        """
        now = self._clock()
        waits = strength is not Strength.NONE
        record = CallRecord(
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
            effect=preview.effect.model_dump_json(),
            effect_version=getattr(operation, "effect_version", 1),
            fingerprint=preview.fingerprint,
            preview=orjson.dumps(
                {
                    "summary": preview.summary,
                    "changes": [change.model_dump(mode="json") for change in preview.changes],
                    "unknowns": list(preview.unknowns),
                    "reversible": preview.reversible,
                }
            ).decode(),
            inverse=preview.inverse.model_dump_json() if preview.inverse else None,
            strength=strength,
            tainted=tainted,
            sources=orjson.dumps([[source.guild_id, source.channel_id, source.gate] for source in sources]).decode(),
            created_at=now,
            expires_at=now + (PERSON_PLAN_SECONDS if strength is Strength.PERSON else PLAN_SECONDS) if waits else None,
            executor=None if waits else self._executor_id,
            lease_until=None if waits else now + EXECUTION_LEASE_SECONDS,
        )
        entry = self.entry(
            call_id,
            "intent",
            operation.name,
            requirement,
            caller,
            installation,
            arguments,
            status="pending" if waits else "executing",
        )
        async with self._database.unit_of_work() as session:
            if idempotency_key is not None and installation is not None:
                key = idempotency.Key(
                    installation.id, caller.user_id or 0, caller.client_id, operation.name, idempotency_key
                )
                payload = self._payload_mac(operation.name, arguments)
                stored = await idempotency.reserve(
                    session, self._keyring, key, call_id=call_id, payload_mac=payload, now=now
                )
                if stored is not None:
                    outcome = None if stored.outcome is None else orjson.loads(stored.outcome)
                    return Replay(stored.call_id, stored.payload_mac == payload, outcome)
            await calls.insert(session, self._keyring, record)
            await audit.append(session, entry)
        self._on_commit()
        return record

    def _payload_mac(self, operation: str, arguments: Mapping[str, Any]) -> str:
        payload = {
            key: value for key, value in arguments.items() if key not in ("dry_run", "idempotency_key", "plan_token")
        }
        canonical = orjson.dumps([operation, payload], option=orjson.OPT_SORT_KEYS, default=str)
        return self._keyring.mac("idempotency payload", canonical)

    # ---------------------------------------------------------------- outcomes
    async def settle(
        self,
        record: CallRecord,
        state: CallState,
        *,
        result: str | None,
        inverse: Inverse | None,
        outcome: Mapping[str, Any],
        error_code: int | None,
        detail: str,
        sent: Sequence[SentMessage] = (),
    ) -> bool:
        """Commit 2: outcome, state, inverse and the idempotency key's result. False when another executor took the
        call over.
        """
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
            reason=detail,
            outward_step=Step.EXECUTE.value,
            status=state.value,
            target_ids=(),
            error_code=error_code,
            duration_ms=round((now - record.created_at) * 1000, 1),
        )
        async with self._database.unit_of_work() as session:
            settled = await calls.settle(
                session,
                self._keyring,
                record.call_id,
                executor=self._executor_id,
                state=state,
                result=result,
                inverse=inverse.model_dump_json() if inverse else record.inverse,
                error_code=error_code,
                detail=detail,
                now=now,
            )
            if settled:
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
                if state is CallState.FAILED:
                    # Nothing took effect: the same key may be tried again.
                    await idempotency.release(session, record.call_id)
                else:
                    await idempotency.complete(
                        session, self._keyring, record.call_id, orjson.dumps(outcome, default=str).decode()
                    )
        self._on_commit()
        return settled

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
        entry = self.entry(
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

    def entry(
        self,
        call_id: str,
        kind: audit.EntryKind,
        operation: str,
        requirement: Requirement | None,
        caller: Caller,
        installation: Installation | None,
        arguments: Mapping[str, Any],
        *,
        status: str,
        refusal: Refuse | None = None,
        outward: Refuse | None = None,
    ) -> AuditEntry:
        targets = tuple(need.target for need in requirement.needs) if requirement else ()
        redacted = redact(arguments, keyed_hash=lambda text: self._keyring.mac("audit text", text, length=16))
        return AuditEntry(
            call_id=call_id,
            entry=kind,
            at=self._clock(),
            workspace_id=caller.workspace_id or "",
            installation_id=installation.id if installation else None,
            guild_id=installation.guild_id if installation else None,
            channel_id=_channel(targets),
            caller_kind=caller.kind,
            face=caller.face,
            client_id=caller.client_id,
            user_id=None if caller.kind is CallerKind.OPERATOR else caller.user_id,
            operation=operation,
            tier=requirement.tier.label if requirement else "",
            arguments=_bounded(redacted),
            step=refusal.step.value if refusal else "",
            code=refusal.code if refusal else "",
            reason=refusal.reason if refusal else "",
            outward_step=outward.step.value if outward else "",
            status=status,
            target_ids=tuple(target.id for target in targets),
            error_code=None,
            duration_ms=None,
        )


def _bounded(redacted: Mapping[str, JSON]) -> str:
    """Redacted arguments as JSON. Where some are left out, their number stands under ``…``."""
    text = orjson.dumps(redacted, default=str).decode()
    if len(text) <= MAX_ARGUMENTS_CHARACTERS:
        return text
    kept: dict[str, JSON] = {}
    room = MAX_ARGUMENTS_CHARACTERS
    for name, value in redacted.items():
        room -= 0 if isinstance(value, dict | list) else len(name) + len(orjson.dumps(value, default=str)) + 4
        if isinstance(value, dict | list) or room < 32:
            continue
        kept[name] = value
    return orjson.dumps({**kept, OMITTED: len(redacted) - len(kept)}, default=str).decode()


def _channel(targets: tuple[Target, ...]) -> int | None:
    for target in targets:
        if target.channel_id is not None:
            return target.channel_id
        if target.kind in ("channel", "thread"):
            return target.id
    return None
