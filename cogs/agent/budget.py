"""What the assistant may cost: tokens and money a day, reserved before a call and settled after it.

Whose budget it is (workspace, guild, role, user) and how much is left stands in a store; here is what a call costs.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from cogs.agent.history import tokens_of
from cogs.agent.messages import Request, Usage
from operations import call_ids
from policy.agent_rules import ModelChoice
from storage import usage
from storage.database import Database
from storage.usage import Account, Amount, Used

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


class Ledgers(Protocol):
    """What was used and reserved, by day (``YYYY-MM-DD``, UTC) and account. Each method is one transaction, and raises
    storage.database.DatabaseUnavailable.
    """

    async def reserve(self, reservation_id: str, day: str, accounts: Sequence[Account], amount: Amount) -> None:
        """Takes the amount from all of them, or from none: raises storage.usage.UsedUp."""
        ...

    async def settle(self, reservation_id: str, day: str, accounts: Sequence[Account], used: Amount) -> None:
        """Puts what was used in place of what was reserved."""
        ...

    async def used(self, day: str, accounts: Sequence[Account]) -> Mapping[Account, Used]: ...


class StoredLedgers:
    """In the database: one for all processes on it."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    async def reserve(self, reservation_id: str, day: str, accounts: Sequence[Account], amount: Amount) -> None:
        async with self._database.unit_of_work() as session:
            await usage.reserve(session, reservation_id, day, accounts, amount, self._clock())

    async def settle(self, reservation_id: str, day: str, accounts: Sequence[Account], used: Amount) -> None:
        async with self._database.unit_of_work() as session:
            await usage.settle(session, reservation_id, day, accounts, used)

    async def used(self, day: str, accounts: Sequence[Account]) -> Mapping[Account, Used]:
        async with self._database.read() as session:
            return await usage.used(session, day, accounts)


class Accounts(Protocol):
    """Whose budgets a member's turn uses, with the limits of now (operations.agent_accounts.AgentAccounts)."""

    def of(self, workspace_id: str, guild_id: int, user_id: int, role_ids: Sequence[int]) -> tuple[Account, ...]: ...


class OutOfBudget(Exception):
    """A call was not made."""

    def __init__(self, account: Account) -> None:
        super().__init__(account.scope)
        self.account = account


@dataclass(frozen=True, slots=True)
class Reservation:
    id: str
    day: str
    accounts: tuple[Account, ...]
    amount: Amount
    model: Model
    input_tokens: int


class Budget:
    """``small``: the model that answers when a budget is low."""

    def __init__(
        self, ledgers: Ledgers, model: Model, small: Model | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self._ledgers = ledgers
        self._model = model
        self._small = small
        self._clock = clock

    async def model(self, accounts: Sequence[Account], choice: ModelChoice = "standard") -> Model:
        """The one for a turn: it stays the same for all of it. ``choice``: the guild's."""
        if self._small is None or choice == "small":
            return self._small or self._model
        used = await self._ledgers.used(usage.day_of(self._clock()), accounts)
        low = any(account.share_left(used.get(account, Used()).taken) < LOW for account in accounts)
        return self._small if low else self._model

    async def reserve(self, accounts: tuple[Account, ...], model: Model, request: Request) -> Reservation:
        """As much as the call can cost at most. Raises OutOfBudget."""
        day, input_tokens = usage.day_of(self._clock()), estimated_input(request)
        most = Usage(input=input_tokens, output=request.max_tokens)
        amount = Amount(most.total, model.cost(most))
        reservation_id = call_ids.new_call_id()
        try:
            await self._ledgers.reserve(reservation_id, day, accounts, amount)
        except usage.UsedUp as error:
            raise OutOfBudget(error.account) from error
        return Reservation(reservation_id, day, accounts, amount, model, input_tokens)

    async def settle(self, reservation: Reservation, used: Usage) -> None:
        amount = Amount(used.total, reservation.model.cost(used))
        await self._ledgers.settle(reservation.id, reservation.day, reservation.accounts, amount)


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
