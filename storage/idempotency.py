"""Idempotency keys: a repeated call gets the stored outcome of the first. The keys themselves are stored as MACs."""

from __future__ import annotations

import json
from dataclasses import astuple, dataclass

from sqlalchemy import bindparam, delete, select, update
from sqlmodel import col

from storage.call_record import seal, unseal_optional
from storage.crypto import Keyring
from storage.database import Session
from storage.tables import IdempotencyRecord, metadata
from storage.upserts import insert_into

KEPT_SECONDS = 24 * 3_600.0
PURPOSE = "idempotency-key"
MAC_LENGTH = 64

RECORD = metadata.tables["idempotency_record"]
_COMPLETE = update(RECORD).where(RECORD.c.call_id == bindparam("this_call_id"))


@dataclass(frozen=True, slots=True)
class Key:
    """What a key is unique within. ``user_id`` 0 for nobody."""

    installation_id: str
    user_id: int
    client_id: str
    operation: str
    key: str

    def __repr__(self) -> str:
        return f"Key({self.installation_id}, {self.operation})"


@dataclass(frozen=True, slots=True)
class Stored:
    """What was stored for a key. ``outcome`` is a JSON text; None while the first call is in flight."""

    call_id: str
    payload_mac: str
    outcome: str | None
    created_at: float


async def reserve(
    session: Session, keyring: Keyring, key: Key, *, call_id: str, payload_mac: str, now: float
) -> Stored | None:
    """None when the key is now reserved for this call; else what is there.

    What is older than 24 hours counts as absent.

    Raises storage.crypto.Unreadable.
    """
    mac, *older_macs = keyring.macs(PURPOSE, json.dumps(astuple(key)), length=MAC_LENGTH)
    if older_macs:
        # Keys of the time before a rotation are found under the older secrets.
        older = await _stored(session, keyring, older_macs, now)
        if older is not None:
            return older
    values = {
        "call_id": call_id,
        "installation_id": key.installation_id,
        "user_id": key.user_id,
        "payload_mac": payload_mac,
        "outcome": None,
        "created_at": now,
    }
    statement = insert_into(session, IdempotencyRecord).values(key_mac=mac, **values)
    reserved = await session.scalar(
        statement.on_conflict_do_update(
            index_elements=["key_mac"], set_=values, where=col(IdempotencyRecord.created_at) <= now - KEPT_SECONDS
        ).returning(col(IdempotencyRecord.call_id))
    )
    return None if reserved is not None else await _stored(session, keyring, [mac], now)


async def look_up(session: Session, keyring: Keyring, key: Key, *, now: float) -> Stored | None:
    """What is stored for a key; None for nothing of the last 24 hours. Raises storage.crypto.Unreadable."""
    return await _stored(
        session, keyring, list(keyring.macs(PURPOSE, json.dumps(astuple(key)), length=MAC_LENGTH)), now
    )


async def complete(session: Session, keyring: Keyring, call_id: str, outcome_json: str) -> None:
    """Stores the outcome for those who repeat the call."""
    await session.execute(_COMPLETE, {"this_call_id": call_id, "outcome": seal(keyring, outcome_json)})


async def release(session: Session, call_id: str) -> None:
    """Frees the key of a call that sent nothing."""
    await session.execute(delete(IdempotencyRecord).where(col(IdempotencyRecord.call_id) == call_id))


async def erase_older(session: Session, keyring: Keyring, before: float) -> int:
    """Deletes the keys of calls before this; how many there were."""
    gone = await session.scalars(
        delete(IdempotencyRecord)
        .where(col(IdempotencyRecord.created_at) <= before)
        .returning(col(IdempotencyRecord.key_mac))
    )
    return len(gone.all())


async def _stored(session: Session, keyring: Keyring, macs: list[str], now: float) -> Stored | None:
    row = await session.scalar(
        select(IdempotencyRecord)
        .where(col(IdempotencyRecord.key_mac).in_(macs), col(IdempotencyRecord.created_at) > now - KEPT_SECONDS)
        .execution_options(populate_existing=True)
    )
    if row is None:
        return None
    return Stored(row.call_id, row.payload_mac, unseal_optional(keyring, row.outcome), row.created_at)
