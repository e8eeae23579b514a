"""What the agent used of which budget, by day: reserved before a call, settled after it, given back where it died.

``reserve`` is one transaction of conditional upserts: in however many processes, no limit is passed.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import ColumnElement, and_, delete, select, true, tuple_, update
from sqlmodel import col

from storage.crypto import Keyring
from storage.session import Session
from storage.tables import UsageRecord, UsageReservation
from storage.upserts import insert_into

Scope = Literal["workspace", "guild", "role", "user"]
RESERVED_SECONDS = 900.0
"""Longer than any call to a model lasts."""


@dataclass(frozen=True, slots=True)
class Amount:
    """``micros``: millionths of a dollar."""

    tokens: int = 0
    micros: int = 0


@dataclass(frozen=True, slots=True)
class Account:
    """A budget of one day. ``subject_id``: the guild, role or user. ``tokens`` or ``micros`` None: without a limit."""

    scope: Scope
    id: str
    workspace_id: str
    subject_id: int | None = None
    tokens: int | None = None
    micros: int | None = None

    def allows(self, used: Amount, more: Amount) -> bool:
        return (self.tokens is None or used.tokens + more.tokens <= self.tokens) and (
            self.micros is None or used.micros + more.micros <= self.micros
        )

    def share_left(self, used: Amount) -> float:
        """Of what runs out first, 0 to 1."""
        shares = [1.0]
        if self.tokens is not None:
            shares.append(1 - used.tokens / self.tokens if self.tokens else 0.0)
        if self.micros is not None:
            shares.append(1 - used.micros / self.micros if self.micros else 0.0)
        return max(0.0, min(shares))


class UsedUp(Exception):
    """An account does not allow it: what was written must be rolled back."""

    def __init__(self, account: Account) -> None:
        super().__init__(account.scope)
        self.account = account


@dataclass(frozen=True, slots=True)
class Used:
    """``reserved``: of calls under way, on top of what was used."""

    used: Amount = Amount()
    reserved: Amount = Amount()

    @property
    def taken(self) -> Amount:
        return Amount(self.used.tokens + self.reserved.tokens, self.used.micros + self.reserved.micros)


async def reserve(
    session: Session, reservation_id: str, day: str, accounts: Collection[Account], amount: Amount, now: float
) -> None:
    """Takes the amount from all accounts, or raises UsedUp."""
    await give_back_expired(session, now)
    # In one order: two that take from the same accounts must not wait for each other.
    for account in sorted(accounts, key=lambda each: (each.scope, each.id)):
        if not account.allows(Amount(), amount):
            raise UsedUp(account)
        tokens = col(UsageRecord.tokens) + col(UsageRecord.reserved_tokens) + amount.tokens
        micros = col(UsageRecord.micros) + col(UsageRecord.reserved_micros) + amount.micros
        limits: list[ColumnElement[bool]] = []
        if account.tokens is not None:
            limits.append(tokens <= account.tokens)
        if account.micros is not None:
            limits.append(micros <= account.micros)
        statement = insert_into(session, UsageRecord).values(
            **_new(day, account) | {"reserved_tokens": amount.tokens, "reserved_micros": amount.micros}
        )
        taken = await session.scalar(
            statement.on_conflict_do_update(
                index_elements=["day", "scope", "account_id"],
                set_={
                    "reserved_tokens": col(UsageRecord.reserved_tokens) + amount.tokens,
                    "reserved_micros": col(UsageRecord.reserved_micros) + amount.micros,
                },
                where=and_(true(), *limits),
            ).returning(col(UsageRecord.account_id))
        )
        if taken is None:
            raise UsedUp(account)
    session.add(
        UsageReservation(
            id=reservation_id,
            day=day,
            accounts=json.dumps([[account.scope, account.id] for account in accounts]),
            tokens=amount.tokens,
            micros=amount.micros,
            expires_at=now + RESERVED_SECONDS,
        )
    )
    await session.flush()


async def settle(
    session: Session, reservation_id: str, day: str, accounts: Collection[Account], amount: Amount
) -> None:
    """What was used in place of what was reserved; a reservation that has expired was given back before."""
    await _give_back(session, [reservation_id])
    if not amount.tokens and not amount.micros:
        return
    for account in sorted(accounts, key=lambda each: (each.scope, each.id)):
        statement = insert_into(session, UsageRecord).values(
            **_new(day, account) | {"tokens": amount.tokens, "micros": amount.micros}
        )
        await session.execute(
            statement.on_conflict_do_update(
                index_elements=["day", "scope", "account_id"],
                set_={
                    "tokens": col(UsageRecord.tokens) + amount.tokens,
                    "micros": col(UsageRecord.micros) + amount.micros,
                },
            )
        )


async def give_back_expired(session: Session, now: float) -> int:
    """The reservations of calls whose process died; how many."""
    wanted = select(col(UsageReservation.id)).where(col(UsageReservation.expires_at) <= now)
    ids = list((await session.scalars(wanted)).all())
    return await _give_back(session, ids) if ids else 0


async def used(session: Session, day: str, accounts: Sequence[Account]) -> Mapping[Account, Used]:
    keys = [(day, account.scope, account.id) for account in accounts]
    wanted = select(UsageRecord).where(
        tuple_(col(UsageRecord.day), col(UsageRecord.scope), col(UsageRecord.account_id)).in_(keys)
    )
    rows = {(row.scope, row.account_id): row for row in await session.scalars(wanted)}
    return {account: _of(rows.get((account.scope, account.id))) for account in accounts}


# --------------------------------------------------------------------- the keeper's
async def erase_older(session: Session, keyring: Keyring, before: float) -> int:
    """The days that ended by then; how many rows."""
    gone = await session.execute(
        delete(UsageRecord)
        .where(col(UsageRecord.day) < day_of(before))
        .returning(col(UsageRecord.day))
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())


async def forget_person(session: Session, workspace_id: str, user_id: int, today: str) -> int:
    """Of the days before: what he uses today still counts."""
    gone = await session.execute(
        delete(UsageRecord)
        .where(
            col(UsageRecord.workspace_id) == workspace_id,
            col(UsageRecord.scope) == "user",
            col(UsageRecord.subject_id) == user_id,
            col(UsageRecord.day) < today,
        )
        .returning(col(UsageRecord.day))
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())


def day_of(at: float) -> str:
    """``YYYY-MM-DD``, UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")


# --------------------------------------------------------------------------- inside
def _new(day: str, account: Account) -> dict[str, object]:
    return {
        "day": day,
        "scope": account.scope,
        "account_id": account.id,
        "workspace_id": account.workspace_id,
        "subject_id": account.subject_id,
        "tokens": 0,
        "micros": 0,
        "reserved_tokens": 0,
        "reserved_micros": 0,
    }


async def _give_back(session: Session, ids: list[str]) -> int:
    gone = await session.execute(
        delete(UsageReservation)
        .where(col(UsageReservation.id).in_(ids))
        .returning(
            col(UsageReservation.day),
            col(UsageReservation.accounts),
            col(UsageReservation.tokens),
            col(UsageReservation.micros),
        )
        .execution_options(synchronize_session=False)
    )
    rows = gone.all()
    for day, accounts, tokens, micros in rows:
        for scope, account_id in sorted(json.loads(accounts)):
            await session.execute(
                update(UsageRecord)
                .where(
                    col(UsageRecord.day) == day,
                    col(UsageRecord.scope) == scope,
                    col(UsageRecord.account_id) == account_id,
                )
                .values(
                    reserved_tokens=col(UsageRecord.reserved_tokens) - tokens,
                    reserved_micros=col(UsageRecord.reserved_micros) - micros,
                )
                .execution_options(synchronize_session=False)
            )
    return len(rows)


def _of(row: UsageRecord | None) -> Used:
    if row is None:
        return Used()
    return Used(Amount(row.tokens, row.micros), Amount(row.reserved_tokens, row.reserved_micros))
