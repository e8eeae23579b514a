"""Plans: calls that await a confirmation. How they are found, counted, asked for, shown on cards, and ended."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, or_, select
from sqlmodel import col

from policy.model import CallerKind, Face, Strength, Tier
from storage import audit
from storage.audit import AuditEntry
from storage.call_record import OPEN_STATES, CallRecord, CallState
from storage.calls import ARGUMENTS_KEPT_SECONDS, IF_WAITING, WAITING, changed, records, update_returning
from storage.crypto import Keyring
from storage.revisions import Noun, bump
from storage.session import Session
from storage.tables import Call


@dataclass(frozen=True, slots=True)
class CardPlace:
    """The message that asks for a confirmation; ``guild_id`` None: in a DM."""

    guild_id: int | None
    channel_id: int
    message_id: int


# ------------------------------------------------------------------- looking
async def find(
    session: Session,
    keyring: Keyring,
    *,
    client_id: str,
    installation_id: str,
    effect_mac: str,
    fingerprint: str,
    now: float,
) -> CallRecord | None:
    """The waiting plan of this caller for this very effect in this very world. Raises storage.crypto.Unreadable."""
    found = await records(
        session,
        keyring,
        col(Call.installation_id) == installation_id,
        col(Call.effect_mac) == effect_mac,
        col(Call.client_id) == client_id,
        col(Call.fingerprint) == fingerprint,
        col(Call.state) == CallState.PENDING.value,
        _unexpired(now),
        limit=1,
    )
    return found[0] if found else None


async def denied_at(
    session: Session,
    *,
    installation_id: str,
    user_id: int | None,
    client_id: str,
    effect_mac: str,
    since: float,
) -> float | None:
    """When this effect was last denied to this person (to this client, where nobody stands behind it)."""
    asker = col(Call.client_id) == client_id if user_id is None else col(Call.user_id) == user_id
    newest: float | None = await session.scalar(
        select(func.max(col(Call.settled_at))).where(
            col(Call.installation_id) == installation_id,
            col(Call.effect_mac) == effect_mac,
            asker,
            col(Call.state) == CallState.DENIED.value,
            col(Call.settled_at) > since,
        )
    )
    return newest


async def waiting(
    session: Session,
    keyring: Keyring,
    *,
    state: CallState = CallState.PENDING,
    workspace_id: str | None = None,
    installation_id: str | None = None,
    client_id: str | None = None,
    limit: int = 100,
) -> list[CallRecord]:
    """Calls in an open state, oldest first. Raises storage.crypto.Unreadable."""
    of = _of(client_id, installation_id, None, workspace_id)
    return await records(session, keyring, col(Call.state) == state.value, *of, limit=limit)


async def open_ids(
    session: Session,
    *,
    now: float,
    asked: bool = True,
    client_id: str | None = None,
    user_id: int | None = None,
    workspace_id: str | None = None,
    installation_id: str | None = None,
) -> list[str]:
    """The plans of a caller or a guild that wait, oldest first, expired ones aside. ``asked`` False: those that dry
    runs stored.
    """
    found = await session.scalars(
        select(col(Call.call_id))
        .where(
            col(Call.state).in_(WAITING),
            _unexpired(now),
            col(Call.asked).is_(asked),
            *_of(client_id, installation_id, user_id, workspace_id),
        )
        .order_by(col(Call.created_at), col(Call.call_id))
    )
    return list(found.all())


def _of(
    client_id: str | None = None,
    installation_id: str | None = None,
    user_id: int | None = None,
    workspace_id: str | None = None,
) -> list[ColumnElement[bool]]:
    wanted = (
        (col(Call.client_id), client_id),
        (col(Call.installation_id), installation_id),
        (col(Call.user_id), user_id),
        (col(Call.workspace_id), workspace_id),
    )
    return [column == value for column, value in wanted if value is not None]


def _unexpired(now: float) -> ColumnElement[bool]:
    return or_(col(Call.expires_at).is_(None), col(Call.expires_at) > now)


# --------------------------------------------------------------------- cards
async def ask(session: Session, call_id: str, *, expires_at: float) -> bool:
    """A plan that a dry run stored is asked for from now on."""
    return await changed(session, IF_WAITING, this_id=call_id, asked=True, expires_at=expires_at)


async def raise_strength(session: Session, call_id: str, strength: Strength) -> bool:
    """A waiting plan takes a stronger proof from now on."""
    return await changed(session, IF_WAITING, this_id=call_id, strength=int(strength))


async def place_card(session: Session, call_id: str, place: CardPlace) -> bool:
    """Remembers where a waiting plan's card is."""
    return await changed(
        session,
        IF_WAITING,
        this_id=call_id,
        card_guild_id=place.guild_id,
        card_channel_id=place.channel_id,
        card_message_id=place.message_id,
        card_state=CallState.PENDING.value,
    )


async def without_card(session: Session, keyring: Keyring, *, now: float) -> list[CallRecord]:
    """Pending plans that a person was asked for and whose card is not known to stand anywhere."""
    return await records(
        session,
        keyring,
        col(Call.state) == CallState.PENDING.value,
        col(Call.asked).is_(True),
        col(Call.strength) == int(Strength.PERSON),
        col(Call.card_message_id).is_(None),
        _unexpired(now),
        limit=100,
    )


async def with_stale_card(session: Session, keyring: Keyring) -> list[CallRecord]:
    """Ended plans whose card does not show it yet."""
    return await records(
        session,
        keyring,
        col(Call.card_message_id).is_not(None),
        col(Call.card_state) != col(Call.state),
        col(Call.state).not_in([state.value for state in OPEN_STATES]),
        limit=100,
    )


async def card_shows(session: Session, call_id: str, state: CallState) -> None:
    """Remembers what a plan's card shows."""
    await update_returning(session, col(Call.call_id) == call_id, card_state=state.value)


# -------------------------------------------------------------------- ending
async def due(session: Session, keyring: Keyring, now: float) -> list[CallRecord]:
    """Plans past their expiry, also those that nobody took up after they were confirmed. Raises
    storage.crypto.Unreadable.
    """
    return await records(session, keyring, col(Call.state).in_(WAITING), col(Call.expires_at) <= now, limit=100)


async def expire(session: Session, call_ids: Collection[str], now: float) -> None:
    """Ends pending plans before their time."""
    await _end(session, CallState.EXPIRED, now, col(Call.call_id).in_(call_ids))


async def cancel(session: Session, call_ids: Collection[str], now: float) -> list[str]:
    """Cancels those of these plans that still wait; their ids."""
    return await _end(session, CallState.CANCELLED, now, col(Call.call_id).in_(call_ids))


async def _end(
    session: Session, state: CallState, now: float, *conditions: ColumnElement[bool], detail: bytes = b"", why: str = ""
) -> list[str]:
    """Ends waiting plans that nobody decided on, and says so in the audit; their ids. ``detail``: ``why``, sealed."""
    ended = await update_returning(
        session,
        col(Call.state).in_(WAITING),
        *conditions,
        state=state.value,
        settled_at=now,
        erase_at=now + ARGUMENTS_KEPT_SECONDS,
        detail=detail,
    )
    if ended:
        rows = await session.scalars(
            select(Call).where(col(Call.call_id).in_(ended)).execution_options(populate_existing=True)
        )
        await audit.append(session, *[_entry(row, state, now, why) for row in rows])
        await bump(session, Noun.CALLS)
    return ended


def _entry(row: Call, state: CallState, now: float, why: str) -> AuditEntry:
    return AuditEntry(
        call_id=row.call_id,
        entry="decision",
        at=now,
        workspace_id=row.workspace_id,
        installation_id=row.installation_id,
        guild_id=row.guild_id,
        caller_kind=CallerKind.SYSTEM,
        face=Face(row.face),
        client_id=row.client_id,
        operation=row.operation,
        tier=Tier(row.tier).label,
        reason=why,
        status=state.value,
    )


async def cancel_plans_of(
    session: Session,
    *,
    now: float,
    user_id: int | None = None,
    client_id: str | None = None,
    installation_id: str | None = None,
    workspace_id: str | None = None,
    created_until: float | None = None,
    keyring: Keyring | None = None,
    why: str = "",
) -> list[str]:
    """Cancels the waiting plans that match all that is given; their ids. Raises ValueError when nothing is given.

    ``why``: told on their cards, where a keyring to seal it with is given.
    """
    wanted = (
        (col(Call.user_id), user_id),
        (col(Call.client_id), client_id),
        (col(Call.installation_id), installation_id),
        (col(Call.workspace_id), workspace_id),
    )
    conditions = [column == value for column, value in wanted if value is not None]
    if not conditions:
        raise ValueError("Say whose plans are to be cancelled.")
    if created_until is not None:
        conditions.append(col(Call.created_at) <= created_until)
    detail = keyring.seal(why) if keyring is not None and why else b""
    return await _end(session, CallState.CANCELLED, now, *conditions, detail=detail, why=why)
