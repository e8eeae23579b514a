"""Scripted conversations, from a mention to what is in the guild afterwards."""

from __future__ import annotations

import pytest

from tests.app import Place, Town, until
from tests.cogs.approving import card_of, presses
from tests.evals.harness import Assistant, turn_rows
from tests.evals.obedient import results
from tests.messages_api import Calls, Says

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_last_hundred_messages_are_summarised(place: Place, assistant: Assistant) -> None:
    for n in range(5):
        await place.says("nina", "general", f"the ferry leaves at {n}")
    assistant.api.script = [Calls([("message_list_recent", {"limit": 100})]), Says("They talked about the ferry.")]
    said = await assistant.asked(place, "bela", "general", "summarise the last 100 messages")
    assert said == ["They talked about the ferry."]
    (read,) = results(assistant.api.bodies[1])
    assert "the ferry leaves at 4" in read
    assert read.startswith("<data>")
    (row,) = await turn_rows(place, "bela")
    assert (row.status, row.face) == ("done", "agent")


async def test_a_support_channel_with_permissions_is_made(place: Place, assistant: Assistant) -> None:
    overwrites = [
        {"target": "@everyone", "deny": ["view_channel"]},
        {"target": place.role("Moderator"), "allow": ["view_channel", "send_messages"]},
    ]
    assistant.api.script = [
        Calls([("channel_create", {"name": "support", "overwrites": overwrites})]),
        Says("The support channel is there."),
    ]
    asked = await assistant.mention(place, "ada", "general", "make a support channel for moderators")
    await until(lambda: len(assistant.api.bodies) > 1 or _waits(assistant), "the call is made")
    if len(assistant.api.bodies) < 2:
        plan = await _open_plan(place)
        card = await card_of(place, plan)
        await presses(place, "ada", card, "Approve")
    await assistant.over(place, "general")
    assert asked
    made = (await place.channels())["support"]
    denied = {each["id"]: each["deny"] for each in made["permission_overwrites"]}
    assert int(denied[place.id]) & 1024


def _waits(assistant: Assistant) -> bool:
    return assistant.api.open == 0 and len(assistant.api.bodies) == 1


async def _open_plan(place: Place) -> str:
    raise AssertionError("not yet")


async def test_the_guilds_of_a_member_are_listed_to_him_alone(town: Town, place: Place, assistant: Assistant) -> None:
    other = await town.settled(
        await town.sandbox.make_guild("Lighthouse", members=[{"name": "keeper"}]), workspace_id=place.workspace_id
    )
    assert other.id
    assistant.api.script = [Calls([("guild_list", {})]), Says("You are in Harbor.")]
    assert await assistant.asked(place, "ada", "general", "list my servers") == ["You are in Harbor."]


async def test_a_warning_is_drafted_in_words_alone(place: Place, assistant: Assistant) -> None:
    assistant.api.script = [Says("> Please stop that.\nShall I send it?")]
    assert await assistant.asked(place, "marlow", "general", "draft a warning for nina") == [
        "> Please stop that.\nShall I send it?"
    ]
    assert await town_effects(place) == []


async def town_effects(place: Place) -> list[str]:
    return [each.operation for each in await place.audited(entry="intent")]
