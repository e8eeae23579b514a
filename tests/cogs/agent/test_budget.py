"""What a call may cost is reserved before it, and what it did cost is kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from cogs.agent.budget import Budget, Model, OutOfBudget, Reservation, StoredLedgers, estimated_input
from cogs.agent.messages import Request, Usage
from storage.database import Database
from storage.usage import Account, Amount, Scope
from tests import databases
from tests.storage import rows

MODEL, SMALL = Model("large", 2.0, 10.0), Model("small", 1.0, 5.0)
ASKED = Request("large", "system", (), [{"role": "user", "content": [{"type": "text", "text": "x" * 3000}]}], 1000)


def test_a_call_costs_by_kind_of_token() -> None:
    assert MODEL.cost(Usage(1_000_000, 0)) == 2_000_000
    assert MODEL.cost(Usage(0, 1_000_000)) == 10_000_000
    assert MODEL.cost(Usage(cache_read=1_000_000, cache_written=1_000_000)) == 2_700_000
    assert MODEL.cost(Usage(1, 0)) == 2


def test_an_estimate_is_not_less_than_a_token_in_three_bytes() -> None:
    assert 1000 <= estimated_input(ASKED) <= 1200
    image = Request("m", "", (), [{"role": "user", "content": [{"type": "image"}]}], 1)
    assert estimated_input(image) >= 4800


@pytest_asyncio.fixture
async def stored(tmp_path: Path) -> AsyncGenerator[Stored]:
    async with Database.open(f"sqlite+aiosqlite:///{tmp_path / 'budget.db'}", databases.new_keyring()) as database:
        yield Stored(StoredLedgers(database), (await rows.installed(database)).workspace_id)


@dataclass(frozen=True)
class Stored:
    ledgers: StoredLedgers
    workspace_id: str

    def account(self, scope: Scope, tokens: int | None = None, micros: int | None = None) -> Account:
        return Account(scope, f"{self.workspace_id}:1", self.workspace_id, 1, tokens, micros)

    async def taken(self, reservation: Reservation, account: Account) -> Amount:
        return (await self.ledgers.used(reservation.day, (account,)))[account].taken


async def test_what_was_reserved_is_given_back_but_for_what_was_used(stored: Stored) -> None:
    account = stored.account("user", 5000)
    budget = Budget(stored.ledgers, MODEL)
    reservation = await budget.reserve((account,), MODEL, ASKED)
    assert (await stored.taken(reservation, account)).tokens >= 2000
    await budget.settle(reservation, Usage(100, 20))
    assert await stored.taken(reservation, account) == Amount(120, 400)


async def test_budgets_hold_under_concurrent_calls_and_are_taken_from_all_or_none(stored: Stored) -> None:
    budget = Budget(stored.ledgers, MODEL)
    user, guild = stored.account("user", 100_000), stored.account("guild", micros=25_000)

    found = await asyncio.gather(
        *(budget.reserve((user, guild), MODEL, ASKED) for _ in range(10)), return_exceptions=True
    )
    refused = [each.account for each in found if isinstance(each, OutOfBudget)]
    assert (len(found) - len(refused), set(refused)) == (2, {guild})
    again = await budget.reserve((user,), MODEL, ASKED)
    assert (await stored.taken(again, user)).tokens < 4 * 2200


async def test_the_smaller_model_answers_when_little_is_left_or_the_guild_chose_it(stored: Stored) -> None:
    account = stored.account("user", 10_000)
    budget = Budget(stored.ledgers, MODEL, SMALL)
    assert await budget.model((account,)) == MODEL
    assert await budget.model((account,), "small") == SMALL
    reservation = await budget.reserve((account,), MODEL, ASKED)
    await budget.settle(reservation, Usage(8500))
    assert await budget.model((account,)) == SMALL
    assert await Budget(stored.ledgers, MODEL).model((account,), "small") == MODEL


@pytest.mark.parametrize(("tokens", "micros"), [(0, None), (None, 0)])
async def test_a_budget_of_nothing_allows_nothing(stored: Stored, tokens: int | None, micros: int | None) -> None:
    left = stored.account("guild", tokens, micros)
    with pytest.raises(OutOfBudget):
        await Budget(stored.ledgers, MODEL).reserve((left,), MODEL, ASKED)
    assert left.share_left(Amount()) == 0
