"""Discord is told the commands when they differ, and not at every start; what it refuses is no end of anything."""

from __future__ import annotations

from typing import Any

import pytest

from cogs.slash import sync as module
from cogs.slash.sync import REFUSED, REMEMBERED, CommandSync
from storage import instance
from tests.app import Town

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def told(town: Town) -> list[str]:
    """What was asked of Discord about commands since the last look."""
    log = await town.requests()
    return [entry["method"] for entry in log if entry["path"].endswith("/commands")]


def again(town: Town, now: float | None = None) -> CommandSync:
    clock = {} if now is None else {"clock": lambda: now}
    return CommandSync(town.core.client, town.core.client.tree, town.core.database, **clock)


async def forget(town: Town) -> None:
    async with town.core.database.unit_of_work() as session:
        await instance.put(session, REMEMBERED, '{"application_id": 1, "digest": "", "at": 0}')


async def test_a_restart_sends_nothing(town: Town) -> None:
    assert town.core.commands is not None
    assert town.core.commands.done.is_set()
    await told(town)
    assert await again(town).sync() is None
    assert await told(town) == []


async def test_commands_that_stand_there_are_looked_at_and_left(town: Town) -> None:
    await told(town)
    await forget(town)
    assert await again(town).sync() is None
    assert await told(town) == ["GET"]
    assert await again(town).sync() is None
    assert await told(town) == []


async def test_after_a_day_it_is_looked_whether_they_still_stand_there(town: Town) -> None:
    await again(town).sync()
    await told(town)
    assert await again(town, 4e9).sync() is None
    assert await told(town) == ["GET"]
    await forget(town)


async def test_commands_that_differ_are_told(town: Town) -> None:
    await forget(town)
    await told(town)
    client = town.core.client
    removed = client.tree.remove_command("bans")
    assert removed is not None
    try:
        assert await again(town).sync() is None
        assert await told(town) == ["GET", "PUT"]
    finally:
        client.tree.add_command(removed)
    assert await again(town).sync() is None
    assert await told(town) == ["GET", "PUT"]


async def test_a_refusal_of_discord_is_kept_for_the_doctor_and_ends_nothing(town: Town) -> None:
    await forget(town)
    await town.sandbox.control("fault", faults=[refusal()])
    try:
        said = await again(town).sync()
        assert said
        async with town.core.database.read() as session:
            assert await instance.get(session, REFUSED) == said
    finally:
        await town.sandbox.control("fault", faults=[])
    assert await again(town).sync() is None
    async with town.core.database.read() as session:
        assert await instance.get(session, REFUSED) == ""
    assert module.AGAIN_SECONDS > 0


def refusal() -> dict[str, Any]:
    return {"method": "GET", "path": "/applications/*/commands", "status": 403}
