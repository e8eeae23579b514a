"""Writes: what is previewed is done, once, also when its caller goes away; what needs a person waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio

from storage import calls
from storage.calls import CallState
from tests.app import Answer, Place, answer_of, until

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def slow_discord(place: Place) -> AsyncGenerator[Place]:
    """Every message takes a moment on its way to Discord, long enough for its caller to be gone."""
    sandbox = place.town.sandbox
    await sandbox.control("fault", faults=[{"method": "POST", "path": "*/messages", "latency": 0.4}])
    yield place
    await sandbox.control("reset")


async def _in_flight(place: Place) -> bool:
    rows = await place.audited(operation="message_send", entry="intent")
    return bool(rows)


@pytest.mark.parametrize("mode", ["2025-11-25", "2026-07-28"])
async def test_a_write_in_flight_survives_that_its_caller_disconnects(slow_discord: Place, mode: str) -> None:
    place = slow_discord
    arguments = {"channel": place.channel("general"), "content": "still here", "dry_run": False}

    async def call_and_leave() -> None:
        async with place.client("ada", mode) as client:
            await client.call_tool("message_send", arguments)

    caller = asyncio.create_task(call_and_leave())
    await until(lambda: _in_flight(place), "the call is under way")
    caller.cancel()
    await asyncio.wait({caller})

    async def outcome() -> bool:
        return bool(await place.audited(operation="message_send", entry="outcome"))

    await until(outcome, "its outcome is audited")
    (row,) = await place.audited(operation="message_send", entry="outcome")
    assert row.status == "done"
    assert [message["content"] for message in await place.history("general")] == ["still here"]


async def test_the_same_key_and_payload_give_the_stored_result(place: Place) -> None:
    asked = {"channel": place.channel("general"), "content": "once", "dry_run": False, "idempotency_key": "k"}
    first = await place.call("message_send", **asked)
    again = await place.call("message_send", **asked)
    assert (first.status, again.status) == ("done", "done")
    assert again.data["result"] == first.data["result"]
    assert again.data["call_id"] == first.data["call_id"]
    assert len(await place.history("general")) == 1


async def test_the_same_key_with_another_payload_is_refused(place: Place) -> None:
    asked = {"channel": place.channel("general"), "dry_run": False, "idempotency_key": "k"}
    assert (await place.call("message_send", content="one", **asked)).status == "done"
    other = await place.call("message_send", content="two", **asked)
    assert (other.status, other.code) == ("refused", "idempotency_mismatch")
    assert [message["content"] for message in await place.history("general")] == ["one"]


async def test_concurrent_calls_with_one_key_have_one_effect(place: Place) -> None:
    asked = {"channel": place.channel("general"), "content": "once", "dry_run": False, "idempotency_key": "k"}
    async with place.client("ada") as client:
        answers = [
            answer_of(result)
            for result in await asyncio.gather(*(client.call_tool("message_send", asked) for _ in range(8)))
        ]
    assert {(answer.status, answer.code) for answer in answers} <= {("done", None), ("refused", "in_flight")}
    assert any(answer.status == "done" for answer in answers)
    assert len(await place.history("general")) == 1


async def test_a_failed_call_frees_its_key(place: Place) -> None:
    """Nothing took effect, so the same call may be tried again under its key."""
    asked = {"channel": place.channel("general"), "content": "now", "dry_run": False, "idempotency_key": "k"}
    sandbox = place.town.sandbox
    await sandbox.control(
        "fault", faults=[{"method": "POST", "path": "*/messages", "status": 403, "code": 50013, "times": 1}]
    )
    try:
        assert (await place.call("message_send", **asked)).status == "failed"
    finally:
        await sandbox.control("reset")
    assert (await place.call("message_send", **asked)).status == "done"
    assert len(await place.history("general")) == 1


async def stored_plan(place: Place, answer: Answer) -> CallState:
    plan_id: str = answer.data["plan_id"]
    core = place.town.core
    async with core.database.read() as session:
        record = await calls.get(session, core.database.keyring, plan_id)
    assert record is not None
    return record.state


async def test_a_critical_execution_stores_a_plan_and_runs_nothing(place: Place) -> None:
    before = await place.world()
    await place.town.effects()
    asked = await place.call("channel_delete", channel=place.channel("news"), dry_run=False, reason="tidying")
    assert (asked.status, asked.data["tier"], asked.data["confirmation"]) == ("needs_confirmation", "critical", "human")
    assert asked.data["plan_token"] is None
    assert asked.data["expires_at"]
    assert await stored_plan(place, asked) is CallState.PENDING
    # All that was sent is the card, to whoever asked.
    paths = [effect["path"] for effect in await place.town.effects(with_cards=True)]
    assert paths[0] == "/users/@me/channels"
    assert [path.endswith("/messages") for path in paths[1:]] == [True]
    assert await place.world() == before
    listed = await place.done("audit_list", guild=place.id)
    assert [(row["operation"], row["status"]) for row in listed["calls"]] == [("channel_delete", "pending")]


async def test_a_risky_execution_stores_a_plan_and_runs_nothing(place: Place) -> None:
    await place.town.effects()
    asked = await place.call(
        "message_send",
        channel=place.channel("general"),
        content="@everyone all hands",
        ping=["everyone"],
        dry_run=False,
    )
    assert (asked.status, asked.data["tier"], asked.data["confirmation"]) == ("needs_confirmation", "risky", "token")
    assert await stored_plan(place, asked) is CallState.PENDING
    assert await place.town.effects() == []
    assert await place.history("general") == []


async def test_a_write_that_would_reveal_what_was_read_waits_for_a_person(place: Place) -> None:
    """The moderator has read the staff's channel; not everybody in #general may see that one."""
    await place.says("ada", "mod-room", "between us")
    await place.done("message_list_recent", "marlow", channel=place.channel("mod-room"))
    asked = await place.call(
        "message_send", "marlow", channel=place.channel("general"), content="between us", dry_run=False
    )
    assert (asked.status, asked.data["confirmation"]) == ("needs_confirmation", "human"), asked
    inside = await place.call(
        "message_send", "marlow", channel=place.channel("mod-room"), content="noted", dry_run=False
    )
    assert inside.status == "done", inside
    assert await place.history("general") == []
