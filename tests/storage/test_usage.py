"""Budgets: reserved in one step, in whatever process; settled, released, and given back where a call died."""

from __future__ import annotations

import asyncio

import pytest

from storage import usage
from storage.database import Database
from storage.forgetting import Forgetting
from storage.keeping import KEEPERS
from storage.keeping.base import DAY_SECONDS, Periods, Person
from storage.usage import Account, Amount, Used, UsedUp
from tests.databases import new_keyring
from tests.storage import rows
from tests.storage.rows import NOW, OWNER

DAY = usage.day_of(NOW)


async def accounts(database: Database, **limits: int) -> tuple[Account, Account]:
    here = await rows.installed(database)
    guild = Account("guild", f"{here.workspace_id}:1", here.workspace_id, 1, micros=limits.get("guild"))
    user = Account("user", f"{here.workspace_id}:{OWNER}", here.workspace_id, OWNER, tokens=limits.get("user"))
    return guild, user


async def reserve(database: Database, name: str, of: tuple[Account, ...], amount: Amount, now: float = NOW) -> bool:
    try:
        async with database.unit_of_work() as session:
            await usage.reserve(session, name, DAY, of, amount, now)
    except UsedUp:
        return False
    return True


async def used(database: Database, *of: Account) -> list[Used]:
    async with database.read() as session:
        found = await usage.used(session, DAY, of)
    return [found[account] for account in of]


async def test_what_was_used_takes_the_place_of_what_was_reserved(database: Database) -> None:
    both = await accounts(database)
    assert await reserve(database, "r1", both, Amount(100, 50))
    assert await used(database, *both) == [Used(reserved=Amount(100, 50))] * 2
    async with database.unit_of_work() as session:
        await usage.settle(session, "r1", DAY, both, Amount(30, 20))
    assert await used(database, *both) == [Used(used=Amount(30, 20))] * 2


async def test_a_call_that_failed_gives_all_back(database: Database) -> None:
    both = await accounts(database)
    await reserve(database, "r1", both, Amount(100, 50))
    async with database.unit_of_work() as session:
        await usage.settle(session, "r1", DAY, both, Amount())
    assert await used(database, *both) == [Used()] * 2


async def test_an_account_that_is_used_up_leaves_the_others_as_they_are(database: Database) -> None:
    guild, user = await accounts(database, user=150)
    assert await reserve(database, "r1", (guild, user), Amount(100, 50))
    with pytest.raises(UsedUp) as refused:
        async with database.unit_of_work() as session:
            await usage.reserve(session, "r2", DAY, (guild, user), Amount(100, 50), NOW)
    assert refused.value.account == user
    assert await used(database, guild, user) == [Used(reserved=Amount(100, 50))] * 2


@pytest.mark.parametrize("limit", [0, 99])
async def test_what_is_more_than_the_whole_budget_is_never_reserved(database: Database, limit: int) -> None:
    _, user = await accounts(database, user=limit)
    assert not await reserve(database, "r1", (user,), Amount(100))
    assert await used(database, user) == [Used()]


async def test_concurrent_calls_of_several_processes_pass_no_limit(database: Database, database_url: str) -> None:
    guild, user = await accounts(database, guild=1_000, user=10_000)
    async with Database.open(database_url, database.keyring, migrate=False) as other:
        made = await asyncio.gather(
            *(
                reserve(each, f"r{number}-{place}", (guild, user), Amount(10, 100))
                for number in range(10)
                for place, each in enumerate((database, other))
            )
        )
    assert sum(made) == 10
    assert await used(database, guild, user) == [Used(reserved=Amount(100, 1000))] * 2


async def test_what_a_dead_process_reserved_is_given_back_in_time(database: Database) -> None:
    _, user = await accounts(database, user=150)
    assert await reserve(database, "r1", (user,), Amount(100))
    later = NOW + usage.RESERVED_SECONDS
    assert not await reserve(database, "r2", (user,), Amount(100), later - 1)
    assert await reserve(database, "r3", (user,), Amount(100), later)
    # It was alive after all: what it used counts, and nothing is given back twice.
    async with database.unit_of_work() as session:
        await usage.settle(session, "r1", DAY, (user,), Amount(40))
    assert await used(database, user) == [Used(Amount(40), Amount(100))]


async def test_usage_is_told_forgotten_and_goes_in_its_time(database: Database) -> None:
    guild, user = await accounts(database)
    async with database.unit_of_work() as session:
        for days in (2, 0):
            day = usage.day_of(NOW - days * DAY_SECONDS)
            await usage.settle(session, "none", day, (guild, user), Amount(5, 1_500_000))
    forgetting = Forgetting(KEEPERS, database.keyring, Periods())
    person = Person(user.workspace_id, OWNER)
    async with database.read() as session:
        told = [thing async for section, thing in forgetting.data_of(session, person) if section == "agent_usage"]
    assert [(each["tokens"], each["cost_usd"]) for each in told] == [(5, 1.5), (5, 1.5)]
    async with database.unit_of_work() as session:
        counts = await forgetting.person_forgotten(session, person, NOW)
    assert counts["usage_days_deleted"] == 1
    assert await used(database, user) == [Used(Amount(5, 1_500_000))]
    async with database.unit_of_work() as session:
        assert await usage.erase_older(session, new_keyring(), NOW) == 1
        assert await usage.erase_older(session, new_keyring(), NOW + DAY_SECONDS) == 2
