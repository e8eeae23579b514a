"""A call as its row says it, opened."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from policy.model import CallerKind, Face, Strength, Tier
from storage.call_messages import MessagePlace
from storage.crypto import Keyring
from storage.tables import Call


class CallState(StrEnum):
    """``pending → executing → done | failed | unknown``.

    ``confirmed``: accepted by a process that isn't the active one, which claims it. The others end a plan unexecuted.
    """

    PENDING = "pending"
    CONFIRMED = "confirmed"
    EXECUTING = "executing"
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    DENIED = "denied"
    REFUSED = "refused"

    @property
    def terminal(self) -> bool:
        return self not in OPEN_STATES


OPEN_STATES = frozenset({CallState.PENDING, CallState.CONFIRMED, CallState.EXECUTING})
WAITING_STATES = frozenset({CallState.PENDING, CallState.CONFIRMED})


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """One write. ``effect``, ``preview``, ``inverse``, ``result`` and ``sources`` are JSON texts.

    ``reason``, ``effect``, ``preview``, ``inverse``, ``result`` and ``detail`` are sealed in the table, and empty or
    None here once they were erased. ``strength`` is the proof that was asked for. ``asked`` is False for a plan that a
    dry run stored. ``confirmed_by`` is who confirmed it, or who denied it. Times are seconds since the epoch.
    ``quoted``: messages whose text the effect or the inverse holds; given to ``insert``, and not read back.
    """

    call_id: str
    operation: str
    state: CallState
    tier: Tier
    installation_id: str | None
    workspace_id: str
    guild_id: int | None
    client_id: str
    user_id: int | None
    caller_kind: CallerKind
    face: Face
    reason: str
    effect: str
    effect_version: int
    fingerprint: str
    preview: str
    inverse: str | None = None
    result: str | None = None
    strength: Strength = Strength.NONE
    tainted: bool = False
    sources: str = "[]"
    created_at: float
    expires_at: float | None = None
    executor: str | None = None
    lease_until: float | None = None
    started_at: float | None = None
    settled_at: float | None = None
    confirmed_by: int | None = None
    card_guild_id: int | None = None
    card_channel_id: int | None = None
    card_message_id: int | None = None
    card_state: str | None = None
    asked: bool = True
    payload_mac: str = ""
    effect_mac: str = ""
    origin_channel_id: int | None = None
    error_code: int | None = None
    detail: str = ""
    quoted: tuple[MessagePlace, ...] = ()

    @property
    def began_at(self) -> float:
        """When its effect may have been sent first; for one that waits, when it was asked for."""
        return self.created_at if self.started_at is None else self.started_at


def seal(keyring: Keyring, text: str) -> bytes:
    return keyring.seal(text) if text else b""


def seal_optional(keyring: Keyring, text: str | None) -> bytes | None:
    return None if text is None else seal(keyring, text)


def unseal(keyring: Keyring, sealed: bytes) -> str:
    """Raises storage.crypto.Unreadable."""
    return keyring.open(sealed) if sealed else ""


def unseal_optional(keyring: Keyring, sealed: bytes | None) -> str | None:
    return None if sealed is None else unseal(keyring, sealed)


def to_row(keyring: Keyring, record: CallRecord) -> dict[str, object]:
    """The columns of a record."""
    return {
        "call_id": record.call_id,
        "operation": record.operation,
        "state": record.state.value,
        "tier": int(record.tier),
        "installation_id": record.installation_id,
        "workspace_id": record.workspace_id,
        "guild_id": record.guild_id,
        "client_id": record.client_id,
        "user_id": record.user_id,
        "caller_kind": record.caller_kind.value,
        "face": record.face.value,
        "reason": seal(keyring, record.reason),
        "effect": seal(keyring, record.effect),
        "effect_version": record.effect_version,
        "fingerprint": record.fingerprint,
        "preview": seal(keyring, record.preview),
        "inverse": seal_optional(keyring, record.inverse),
        "result": seal_optional(keyring, record.result),
        "strength": int(record.strength),
        "tainted": record.tainted,
        "sources": record.sources,
        "created_at": record.created_at,
        "expires_at": record.expires_at,
        "executor": record.executor,
        "lease_until": record.lease_until,
        "started_at": record.started_at,
        "settled_at": record.settled_at,
        "confirmed_by": record.confirmed_by,
        "card_guild_id": record.card_guild_id,
        "card_channel_id": record.card_channel_id,
        "card_message_id": record.card_message_id,
        "card_state": record.card_state,
        "asked": record.asked,
        "payload_mac": record.payload_mac,
        "effect_mac": record.effect_mac,
        "origin_channel_id": record.origin_channel_id,
        "error_code": record.error_code,
        "detail": seal(keyring, record.detail),
    }


def from_row(keyring: Keyring, row: Call) -> CallRecord:
    """Raises storage.crypto.Unreadable."""
    return CallRecord(
        call_id=row.call_id,
        operation=row.operation,
        state=CallState(row.state),
        tier=Tier(row.tier),
        installation_id=row.installation_id,
        workspace_id=row.workspace_id,
        guild_id=row.guild_id,
        client_id=row.client_id,
        user_id=row.user_id,
        caller_kind=CallerKind(row.caller_kind),
        face=Face(row.face),
        reason=unseal(keyring, row.reason),
        effect=unseal(keyring, row.effect),
        effect_version=row.effect_version,
        fingerprint=row.fingerprint,
        preview=unseal(keyring, row.preview),
        inverse=unseal_optional(keyring, row.inverse),
        result=unseal_optional(keyring, row.result),
        strength=Strength(row.strength),
        tainted=row.tainted,
        sources=row.sources,
        created_at=row.created_at,
        expires_at=row.expires_at,
        executor=row.executor,
        lease_until=row.lease_until,
        started_at=row.started_at,
        settled_at=row.settled_at,
        confirmed_by=row.confirmed_by,
        card_guild_id=row.card_guild_id,
        card_channel_id=row.card_channel_id,
        card_message_id=row.card_message_id,
        card_state=row.card_state,
        asked=row.asked,
        payload_mac=row.payload_mac,
        effect_mac=row.effect_mac,
        origin_channel_id=row.origin_channel_id,
        error_code=row.error_code,
        detail=unseal(keyring, row.detail),
    )
