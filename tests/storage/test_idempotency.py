from __future__ import annotations

import asyncio
from dataclasses import replace

from sqlalchemy import text

from storage import idempotency
from storage.crypto import Keyring
from storage.database import Database
from storage.idempotency import Key, Stored
from tests.storage.rows import NOW

KEY = Key("in_1", 5, "mc_1", "member_ban", "my key")


async def reserve(
    database: Database, key: Key = KEY, call_id: str = "cl_1", now: float = NOW, keyring: Keyring | None = None
) -> Stored | None:
    async with database.unit_of_work() as session:
        return await idempotency.reserve(
            session, keyring or database.keyring, key, call_id=call_id, payload_mac="p1", now=now
        )


async def test_the_first_reserves_and_the_second_learns_of_it(database: Database) -> None:
    assert await reserve(database) is None
    assert await reserve(database, call_id="cl_2") == Stored("cl_1", "p1", None, NOW)


async def test_the_outcome_is_stored_sealed(database: Database) -> None:
    await reserve(database)
    async with database.unit_of_work() as session:
        await idempotency.complete(session, database.keyring, "cl_1", '{"canary":1}')
    assert await reserve(database, call_id="cl_2") == Stored("cl_1", "p1", '{"canary":1}', NOW)
    async with database.read() as session:
        row = (await session.execute(text("SELECT * FROM idempotency_record"))).one()
    assert "canary" not in str(row)
    assert "my key" not in str(row)


async def test_a_released_key_is_free(database: Database) -> None:
    await reserve(database)
    async with database.unit_of_work() as session:
        await idempotency.release(session, "cl_1")
    assert await reserve(database, call_id="cl_2") is None


async def test_a_key_is_bound_to_all_that_it_is_unique_within(database: Database) -> None:
    await reserve(database)
    others = [
        replace(KEY, installation_id="in_2"),
        replace(KEY, user_id=6),
        replace(KEY, client_id="mc_2"),
        replace(KEY, operation="member_kick"),
        replace(KEY, key="another"),
    ]
    for number, other in enumerate(others):
        assert await reserve(database, other, call_id=f"cl_x{number}") is None


async def test_after_a_day_a_key_counts_as_absent(database: Database) -> None:
    await reserve(database)
    assert await reserve(database, call_id="cl_2", now=NOW + 86_399) is not None
    assert await reserve(database, call_id="cl_3", now=NOW + 86_400) is None
    async with database.unit_of_work() as session:
        assert await idempotency.erase_older(session, database.keyring, NOW + 86_400 - 1) == 0
        assert await idempotency.erase_older(session, database.keyring, NOW + 86_400) == 1


async def test_a_key_is_found_after_the_secrets_were_rotated(database: Database) -> None:
    await reserve(database)
    old_root = "a key for tests that nobody must use elsewhere"
    rotated = Keyring(["another key for tests, to be used from now on", old_root])
    found = await reserve(database, call_id="cl_2", keyring=rotated)
    assert found is not None
    assert found.call_id == "cl_1"


async def test_of_many_at_once_exactly_one_reserves(database: Database) -> None:
    results = await asyncio.gather(*(reserve(database, call_id=f"cl_{number}") for number in range(12)))
    assert results.count(None) == 1
    assert len({stored.call_id for stored in results if stored is not None}) == 1
