from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import text

from policy.model import Installation
from storage import call_retention, calls, plans
from storage.calls import CallRecord, CallState
from storage.database import Database
from storage.keeping.base import Periods
from storage.plans import CardPlace
from tests.storage import rows
from tests.storage.rows import NOW

DAY = 86_400.0


@pytest.fixture
async def installation(database: Database) -> Installation:
    return await rows.installed(database)


async def stored(database: Database, record: CallRecord) -> CallRecord:
    async with database.unit_of_work() as session:
        await calls.insert(session, database.keyring, record)
    return record


async def fetched(database: Database, call_id: str) -> CallRecord:
    async with database.read() as session:
        found = await calls.get(session, database.keyring, call_id)
    assert found is not None
    return found


async def claim(database: Database, call_id: str, executor: str = "p1", now: float = NOW) -> bool:
    async with database.unit_of_work() as session:
        return await calls.claim(session, call_id, executor=executor, lease_seconds=30, now=now, confirmed_by=7)


async def settle(database: Database, call_id: str, executor: str = "p1", now: float = NOW) -> bool:
    async with database.unit_of_work() as session:
        return await calls.settle(
            session,
            database.keyring,
            call_id,
            executor=executor,
            state=CallState.DONE,
            result='{"ok":true}',
            inverse='{"undo":1}',
            error_code=None,
            detail="done",
            now=now,
        )


async def test_a_call_comes_back_as_it_was_written(database: Database, installation: Installation) -> None:
    record = await stored(database, rows.call(installation, sources='[["1"]]', tainted=True, inverse='{"undo":1}'))
    assert await fetched(database, record.call_id) == record


async def test_an_unknown_call_is_none(database: Database) -> None:
    async with database.read() as session:
        assert await calls.get(session, database.keyring, "cl_none") is None


async def test_what_a_call_says_is_sealed_in_its_row(database: Database, installation: Installation) -> None:
    canary = "canary-in-every-text"
    record = rows.call(
        installation, reason=canary, effect=canary, preview=canary, inverse=canary, result=canary, detail=canary
    )
    await stored(database, record)
    async with database.read() as session:
        found = (await session.execute(text("SELECT * FROM call"))).one()
    assert not any(canary in str(value) or canary.encode() in bytes(str(value), "utf-8") for value in found)
    assert await fetched(database, record.call_id) == record


async def test_a_pending_call_is_claimed_once(database: Database, installation: Installation) -> None:
    record = await stored(database, rows.call(installation))
    assert await claim(database, record.call_id)
    assert not await claim(database, record.call_id, executor="p2")
    found = await fetched(database, record.call_id)
    assert (found.state, found.executor, found.confirmed_by) == (CallState.EXECUTING, "p1", 7)
    assert found.lease_until == NOW + 30


async def test_an_expired_call_is_not_claimed(database: Database, installation: Installation) -> None:
    record = await stored(database, rows.call(installation, expires_at=NOW))
    assert not await claim(database, record.call_id)
    async with database.unit_of_work() as session:
        assert [due.call_id for due in await plans.due(session, database.keyring, NOW)] == [record.call_id]
        await plans.expire(session, [record.call_id], NOW)
        assert await plans.due(session, database.keyring, NOW) == []
    assert (await fetched(database, record.call_id)).state is CallState.EXPIRED


async def test_only_its_executor_settles_a_call_and_only_once(database: Database, installation: Installation) -> None:
    record = await stored(database, rows.call(installation))
    assert not await settle(database, record.call_id)
    await claim(database, record.call_id)
    assert not await settle(database, record.call_id, executor="p2")
    assert await settle(database, record.call_id)
    assert not await settle(database, record.call_id)
    found = await fetched(database, record.call_id)
    assert (found.state, found.result, found.inverse, found.detail) == (
        CallState.DONE,
        '{"ok":true}',
        '{"undo":1}',
        "done",
    )
    assert found.settled_at == NOW


async def test_a_call_can_not_be_settled_as_open(database: Database) -> None:
    with pytest.raises(ValueError, match="can't be settled"):
        async with database.unit_of_work() as session:
            await calls.settle(session, database.keyring, "cl_1", executor="p1", state=CallState.PENDING, now=NOW)


async def test_a_confirmed_call_waits_for_the_active_process(database: Database, installation: Installation) -> None:
    record = await stored(database, rows.call(installation))
    async with database.unit_of_work() as session:
        assert await calls.accept(session, record.call_id, now=NOW, confirmed_by=7)
        assert not await calls.accept(session, record.call_id, now=NOW, confirmed_by=8)
    assert not await claim(database, record.call_id)
    in_time, too_late = NOW + 59, NOW + 61
    async with database.unit_of_work() as session:
        assert not await calls.claim_confirmed(session, record.call_id, executor="p1", lease_seconds=30, now=too_late)
        assert await calls.claim_confirmed(session, record.call_id, executor="p1", lease_seconds=30, now=in_time)
    found = await fetched(database, record.call_id)
    assert (found.state, found.confirmed_by) == (CallState.EXECUTING, 7)


async def test_lapsed_leases_are_taken_over_oldest_first(database: Database, installation: Installation) -> None:
    old = await stored(database, rows.call(installation, created_at=NOW - 5))
    mine = await stored(database, rows.call(installation))
    fresh = await stored(database, rows.call(installation))
    await claim(database, old.call_id, executor="dead", now=NOW - 100)
    await claim(database, mine.call_id, executor="me", now=NOW - 100)
    await claim(database, fresh.call_id, executor="alive")
    async with database.unit_of_work() as session:
        taken = await calls.take_over(session, database.keyring, executor="me", lease_seconds=30, now=NOW)
        again = await calls.take_over(session, database.keyring, executor="me", lease_seconds=30, now=NOW)
    assert [record.call_id for record in taken] == [old.call_id, mine.call_id]
    assert [(record.executor, record.lease_until) for record in taken] == [("me", NOW + 30)] * 2
    assert again == []


async def test_a_renewed_lease_does_not_lapse(database: Database, installation: Installation) -> None:
    record = await stored(database, rows.call(installation))
    await claim(database, record.call_id, executor="me")
    async with database.unit_of_work() as session:
        await calls.renew(session, [record.call_id], executor="me", lease_until=NOW + 500)
        await calls.renew(session, [record.call_id], executor="other", lease_until=NOW + 9_000)
        assert not await calls.take_over(session, database.keyring, executor="x", lease_seconds=1, now=NOW + 499)
        assert await calls.take_over(session, database.keyring, executor="x", lease_seconds=1, now=NOW + 500)


async def test_the_holder_of_the_process_lease_takes_over_at_once(
    database: Database, installation: Installation
) -> None:
    theirs = await stored(database, rows.call(installation))
    mine = await stored(database, rows.call(installation))
    await claim(database, theirs.call_id, executor="dead")
    await claim(database, mine.call_id, executor="me")
    async with database.unit_of_work() as session:
        assert await calls.abandon(session, executor="me") == 1
        taken = await calls.take_over(session, database.keyring, executor="me", lease_seconds=30, now=NOW)
    assert [record.call_id for record in taken] == [theirs.call_id]


async def test_open_plans_are_counted_by_caller_and_by_guild(database: Database, installation: Installation) -> None:
    await stored(database, rows.call(installation, client_id="a"))
    await stored(database, rows.call(installation, client_id="a", expires_at=NOW))
    await stored(database, rows.call(installation, client_id="b", state=CallState.CONFIRMED))
    await stored(database, rows.call(installation, client_id="a", state=CallState.EXECUTING))
    async with database.read() as session:
        assert len(await plans.open_ids(session, client_id="a", now=NOW)) == 1
        assert len(await plans.open_ids(session, installation_id=installation.id, now=NOW)) == 2
        assert await plans.open_ids(session, installation_id="in_none", now=NOW) == []


async def test_plans_are_cancelled_by_whatever_is_named(database: Database, installation: Installation) -> None:
    first = await stored(database, rows.call(installation, user_id=1))
    second = await stored(database, rows.call(installation, user_id=2))
    running = await stored(database, rows.call(installation, user_id=1))
    await claim(database, running.call_id)
    async with database.unit_of_work() as session:
        with pytest.raises(ValueError, match="whose"):
            await plans.cancel_plans_of(session, now=NOW)
        assert await plans.cancel_plans_of(session, user_id=1, now=NOW) == [first.call_id]
        assert await plans.cancel_plans_of(session, user_id=2, client_id="mc_other", now=NOW) == []
    assert (await fetched(database, second.call_id)).state is CallState.PENDING
    assert (await fetched(database, running.call_id)).state is CallState.EXECUTING


async def test_a_plan_is_closed_once(database: Database, installation: Installation) -> None:
    record = await stored(database, rows.call(installation))
    for expected in (True, False):
        async with database.unit_of_work() as session:
            closed = await calls.close(
                session, database.keyring, record.call_id, state=CallState.DENIED, now=NOW, detail="by Ada"
            )
        assert closed is expected
    found = await fetched(database, record.call_id)
    assert (found.state, found.detail) == (CallState.DENIED, "by Ada")


async def test_a_card_is_placed_on_a_waiting_plan_alone(database: Database, installation: Installation) -> None:
    record = await stored(database, rows.call(installation))
    place = CardPlace(guild_id=None, channel_id=rows.CHANNEL, message_id=11)
    async with database.unit_of_work() as session:
        assert await plans.place_card(session, record.call_id, place)
        waiting = await plans.waiting(session, database.keyring, installation_id=installation.id)
        await plans.cancel_plans_of(session, client_id=record.client_id, now=NOW)
        assert not await plans.place_card(session, record.call_id, place)
    assert [(found.card_channel_id, found.card_message_id) for found in waiting] == [(rows.CHANNEL, 11)]


async def test_arguments_go_after_seven_days_and_inverses_after_thirty(
    database: Database, installation: Installation
) -> None:
    record = await stored(database, rows.call(installation))
    await claim(database, record.call_id)
    await settle(database, record.call_id)

    async def erased(days: float) -> int:
        """What the jobs of ``days`` later touch, with the longest periods."""
        now = NOW + days * DAY
        periods = Periods()
        async with database.unit_of_work() as session:
            return (
                await call_retention.erase_arguments(session, database.keyring, now - periods.arguments_seconds)
                + await call_retention.erase_inverses(session, database.keyring, now - periods.inverses_seconds)
                + await call_retention.delete_rows(session, database.keyring, now - periods.audit_seconds)
            )

    assert await erased(6.9) == 0
    assert await erased(7) == 1
    found = await fetched(database, record.call_id)
    assert (found.effect, found.preview, found.reason, found.result, found.detail) == ("", "", "", None, "")
    assert found.inverse == '{"undo":1}'
    assert await erased(8) == 0
    assert await erased(30) == 1
    assert (await fetched(database, record.call_id)).inverse is None
    assert await erased(179) == 0
    assert await erased(180) == 1
    async with database.read() as session:
        assert await calls.get(session, database.keyring, record.call_id) is None


async def test_an_open_call_is_never_erased(database: Database, installation: Installation) -> None:
    record = await stored(database, rows.call(installation))
    async with database.unit_of_work() as session:
        for erase in (call_retention.erase_arguments, call_retention.erase_inverses, call_retention.delete_rows):
            assert await erase(session, database.keyring, NOW + 1_000 * DAY) == 0
    assert await fetched(database, record.call_id) == replace(record)
