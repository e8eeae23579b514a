"""Entries of the audit, from what a call is and from what people make of a plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from policy.model import Caller, CallerKind, Installation, Refuse, Requirement, Target
from policy.redaction import JSON, OMITTED, redact
from storage import audit
from storage.audit import AuditEntry
from storage.calls import CallRecord
from storage.crypto import Keyring

# Of longer arguments an entry keeps the plain values alone, and of those as many as fit.
MAX_ARGUMENTS_CHARACTERS = 16_384


class AuditEntries:
    """Builds entries; whoever changes something writes them in the same transaction."""

    def __init__(self, keyring: Keyring, clock: Callable[[], float]) -> None:
        self._keyring = keyring
        self._clock = clock

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

    @staticmethod
    def move(record: CallRecord, status: str, by: Caller | None, now: float, detail: str = "") -> AuditEntry:
        """What somebody made of a plan, among the entries of its call."""
        return AuditEntry(
            call_id=record.call_id,
            entry="decision",
            at=now,
            workspace_id=record.workspace_id,
            installation_id=record.installation_id,
            guild_id=record.guild_id,
            caller_kind=CallerKind.SYSTEM if by is None else by.kind,
            face=record.face if by is None else by.face,
            client_id=record.client_id if by is None else by.client_id,
            user_id=None if by is None else by.user_id,
            operation=record.operation,
            tier=record.tier.label,
            reason=detail,
            status=status,
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
