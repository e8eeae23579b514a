"""What a call may cost is reserved before it, and what it did cost is kept."""

from __future__ import annotations

import asyncio

import pytest

from cogs.agent.budget import Account, Amount, Budget, DailyLimits, MemoryLedgers, Model, OutOfBudget, estimated_input
from cogs.agent.messages import Request, Usage

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


async def test_what_was_reserved_is_given_back_but_for_what_was_used() -> None:
    ledgers, account = MemoryLedgers(), Account("user", "u", tokens=5000)
    budget = Budget(ledgers, MODEL)
    reservation = await budget.reserve((account,), MODEL, ASKED)
    (reserved,) = (await ledgers.used(reservation.day, (account,))).values()
    assert reserved.tokens >= 2000
    await budget.settle(reservation, Usage(100, 20))
    assert (await ledgers.used(reservation.day, (account,)))[account] == Amount(120, 400)


async def test_budgets_hold_under_concurrent_calls_and_are_taken_from_all_or_none() -> None:
    ledgers = MemoryLedgers()
    budget = Budget(ledgers, MODEL)
    user, guild = Account("user", "u", tokens=100_000), Account("guild", "g", micros=25_000)

    found = await asyncio.gather(
        *(budget.reserve((user, guild), MODEL, ASKED) for _ in range(10)), return_exceptions=True
    )
    refused = [each.account for each in found if isinstance(each, OutOfBudget)]
    assert (len(found) - len(refused), set(refused)) == (2, {guild})
    day = (await budget.reserve((user,), MODEL, ASKED)).day
    assert (await ledgers.used(day, (user,)))[user].tokens < 4 * 2200


async def test_the_smaller_model_answers_when_little_is_left() -> None:
    ledgers, account = MemoryLedgers(), Account("user", "u", tokens=10_000)
    budget = Budget(ledgers, MODEL, SMALL)
    assert await budget.model((account,)) == MODEL
    reservation = await budget.reserve((account,), MODEL, ASKED)
    await budget.settle(reservation, Usage(8500))
    assert await budget.model((account,)) == SMALL
    assert await Budget(ledgers, MODEL).model((account,)) == MODEL


@pytest.mark.parametrize("left", [Account("user", "u", tokens=0), Account("guild", "g", micros=0)])
async def test_a_budget_of_nothing_allows_nothing(left: Account) -> None:
    with pytest.raises(OutOfBudget):
        await Budget(MemoryLedgers(), MODEL).reserve((left,), MODEL, ASKED)
    assert left.share_left(Amount()) == 0


def test_everybody_has_a_budget_in_each_workspace() -> None:
    limits = DailyLimits(20, 10, 1000)
    assert [(each.scope, each.id) for each in limits.of("ws_1", 5, 7, (1,))] == [
        ("workspace", "ws_1"),
        ("guild", "ws_1:5"),
        ("user", "ws_1:7"),
    ]
