"""What the assistant may cost: tokens and money a day, reserved before a call and settled after it.

Whose budget it is (workspace, guild, role, user) and how much is left stands in a store; here is what a call costs.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, Protocol

from cogs.agent.history import tokens_of
from cogs.agent.messages import Request, Usage

Scope = Literal["workspace", "guild", "role", "user"]
MICROS = 1_000_000
# https://platform.claude.com/docs/en/about-claude/pricing: of the price of input tokens.
CACHE_WRITE, CACHE_READ = 1.25, 0.1
TOKENS_OF_AN_IMAGE = 4_800
LOW = 0.2
"""With less than this share left of any budget, the smaller model answers, where one is configured."""


@dataclass(frozen=True, slots=True)
class Model:
    """Prices in USD for a million tokens."""

    name: str
    input_price: float
    output_price: float

    def cost(self, usage: Usage) -> int:
        """In millionths of a dollar, rounded up."""
        read = usage.input + CACHE_WRITE * usage.cache_written + CACHE_READ * usage.cache_read
        return math.ceil(read * self.input_price + usage.output * self.output_price)


@dataclass(frozen=True, slots=True)
class Amount:
    tokens: int = 0
    micros: int = 0


@dataclass(frozen=True, slots=True)
class Account:
    """A budget of one day. ``tokens`` or ``micros`` None: without a limit."""

    scope: Scope
    id: str
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


class Ledgers(Protocol):
    """What was used and reserved, by day (``YYYY-MM-DD``, UTC) and account. Each method is one transaction, and raises
    storage.database.DatabaseUnavailable.
    """

    async def reserve(self, day: str, accounts: Sequence[Account], amount: Amount) -> Account | None:
        """Adds the amount to all of them, or to none: then the account that is used up."""
        ...

    async def settle(self, day: str, accounts: Sequence[Account], reserved: Amount, used: Amount) -> None:
        """Puts what was used in place of what was reserved."""
        ...

    async def used(self, day: str, accounts: Sequence[Account]) -> Mapping[Account, Amount]: ...


class Accounts(Protocol):
    """Whose budgets a member's turn uses, with the limits of now."""

    def of(self, workspace_id: str, guild_id: int, user_id: int, role_ids: Sequence[int]) -> tuple[Account, ...]: ...


@dataclass(frozen=True, slots=True)
class DailyLimits:
    """One for each scope; None: without a limit. Implements Accounts."""

    workspace_cost_usd: float | None = None
    guild_cost_usd: float | None = None
    user_tokens: int | None = None

    def of(self, workspace_id: str, guild_id: int, user_id: int, role_ids: Sequence[int]) -> tuple[Account, ...]:
        return (
            Account("workspace", workspace_id, None, _micros(self.workspace_cost_usd)),
            Account("guild", f"{workspace_id}:{guild_id}", None, _micros(self.guild_cost_usd)),
            Account("user", f"{workspace_id}:{user_id}", self.user_tokens),
        )


class OutOfBudget(Exception):
    """A call was not made."""

    def __init__(self, account: Account) -> None:
        super().__init__(account.scope)
        self.account = account


@dataclass(frozen=True, slots=True)
class Reservation:
    day: str
    accounts: tuple[Account, ...]
    amount: Amount
    model: Model
    input_tokens: int


class Budget:
    """``small``: the model that answers when a budget is low."""

    def __init__(self, ledgers: Ledgers, model: Model, small: Model | None = None) -> None:
        self._ledgers = ledgers
        self._model = model
        self._small = small

    async def model(self, accounts: Sequence[Account]) -> Model:
        """The one for a turn: it stays the same for all of it."""
        if self._small is None:
            return self._model
        used = await self._ledgers.used(_today(), accounts)
        low = any(account.share_left(used.get(account, Amount())) < LOW for account in accounts)
        return self._small if low else self._model

    async def reserve(self, accounts: tuple[Account, ...], model: Model, request: Request) -> Reservation:
        """As much as the call can cost at most. Raises OutOfBudget."""
        day, input_tokens = _today(), estimated_input(request)
        most = Usage(input=input_tokens, output=request.max_tokens)
        amount = Amount(most.total, model.cost(most))
        exhausted = await self._ledgers.reserve(day, accounts, amount)
        if exhausted is not None:
            raise OutOfBudget(exhausted)
        return Reservation(day, accounts, amount, model, input_tokens)

    async def settle(self, reservation: Reservation, usage: Usage) -> None:
        amount = Amount(usage.total, reservation.model.cost(usage))
        await self._ledgers.settle(reservation.day, reservation.accounts, reservation.amount, amount)


class MemoryLedgers:
    """Kept until the process ends: today's and yesterday's."""

    def __init__(self) -> None:
        self._days: dict[str, dict[tuple[Scope, str], Amount]] = {}

    async def reserve(self, day: str, accounts: Sequence[Account], amount: Amount) -> Account | None:
        kept = self._day(day)
        for account in accounts:
            if not account.allows(kept.get(_key(account), Amount()), amount):
                return account
        self._add(day, accounts, amount.tokens, amount.micros)
        return None

    async def settle(self, day: str, accounts: Sequence[Account], reserved: Amount, used: Amount) -> None:
        self._add(day, accounts, used.tokens - reserved.tokens, used.micros - reserved.micros)

    async def used(self, day: str, accounts: Sequence[Account]) -> Mapping[Account, Amount]:
        kept = self._day(day)
        return {account: kept.get(_key(account), Amount()) for account in accounts}

    def _day(self, day: str) -> dict[tuple[Scope, str], Amount]:
        kept = self._days.setdefault(day, {})
        for old in sorted(self._days)[:-2]:
            del self._days[old]
        return kept

    def _add(self, day: str, accounts: Sequence[Account], tokens: int, micros: int) -> None:
        kept = self._day(day)
        for account in accounts:
            known = kept.get(_key(account), Amount())
            kept[_key(account)] = Amount(max(0, known.tokens + tokens), max(0, known.micros + micros))


def estimated_input(request: Request) -> int:
    """Tokens of a request, estimated from its text; an image counts as the largest."""
    images = 0
    total = tokens_of(request.system) + sum(tokens_of(json.dumps(tool)) for tool in request.tools)
    for message in request.messages:
        for block in message["content"]:
            if block.get("type") == "image":
                images += 1
            else:
                total += tokens_of(json.dumps(block, ensure_ascii=False))
    return total + images * TOKENS_OF_AN_IMAGE


def _key(account: Account) -> tuple[Scope, str]:
    return account.scope, account.id


def _micros(usd: float | None) -> int | None:
    return None if usd is None else round(usd * MICROS)


def _today() -> str:
    return datetime.fromtimestamp(time.time(), UTC).strftime("%Y-%m-%d")
