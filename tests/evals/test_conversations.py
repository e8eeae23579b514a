"""Scripted conversations, from a mention to what is in the guild afterwards."""

from __future__ import annotations

from typing import Any

import pytest

from tests.app import Place, Town, until
from tests.cogs.approving import presses
from tests.evals.cards import cards_in, newest_card, waiting_card
from tests.evals.harness import Assistant, assistant_over, turn_rows
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


async def test_a_channel_takes_one_mention_and_no_click(place: Place, assistant: Assistant) -> None:
    assistant.api.script = [Calls([("channel_create", {"name": "harbour-news"})]), Says("It is there.")]
    assert await assistant.asked(place, "ada", "general", "make a channel harbour-news") == ["It is there."]
    assert "harbour-news" in await place.channels()
    assert await cards_in(place) == 0


async def test_a_support_channel_with_permissions_is_made_with_one_click(place: Place, assistant: Assistant) -> None:
    overwrites = [
        {"role": "@everyone", "deny": ["view_channel"]},
        {"role": place.role("Moderator"), "allow": ["view_channel", "send_messages"]},
    ]
    assistant.api.script = [
        Calls([("channel_create", {"name": "support", "overwrites": overwrites})]),
        Says("The support channel is there."),
    ]
    await assistant.mention(place, "ada", "general", "make a support channel for moderators")
    assert "support" not in await place.channels()
    await presses(place, "ada", await waiting_card(place), "Approve")
    await assistant.over(place, "general")
    made = (await place.channels())["support"]
    assert {each["id"]: each["deny"] for each in made["overwrites"]}[place.id] == ["view_channel"]
    assert "DONE" in results(assistant.api.bodies[1])[0]


async def test_an_announcement_takes_one_mention_and_no_click(place: Place, assistant: Assistant) -> None:
    send = {"channel": place.channel("news"), "content": "The ferry is late."}
    assistant.api.script = [Calls([("message_send", send)]), Says("Announced.")]
    assert await assistant.asked(place, "ada", "general", "announce that the ferry is late") == ["Announced."]
    assert [message["content"] for message in await place.history("news")] == ["The ferry is late."]
    assert await cards_in(place) == 0


async def test_a_ban_takes_one_click(place: Place, assistant: Assistant) -> None:
    assistant.api.script = [Calls([("tool_search", {"query": "ban a member"})])]
    assistant.api.script += [Calls([("member_ban", {"member": place.member("nina")})]), Says("Banned.")]
    await assistant.mention(place, "ada", "general", "ban nina")
    await presses(place, "ada", await waiting_card(place), "Approve")
    await assistant.over(place, "general")
    assert place.member("nina") not in await members(place)


async def members(place: Place) -> set[str]:
    seen = await place.town.sandbox.control("world", guild=place.guild_id)
    return {str(member["id"]) for member in seen["guilds"][0]["members"]}


async def test_the_guild_of_the_request_is_listed_in_the_channel(place: Place, assistant: Assistant) -> None:
    assistant.api.script = [Calls([("guild_list", {})]), Says("You are in Harbor.")]
    assert await assistant.asked(place, "ada", "general", "list my servers") == ["You are in Harbor."]
    assert "Harbor" in results(assistant.api.bodies[1])[0]


async def test_a_warning_is_drafted_in_words_alone(place: Place, assistant: Assistant) -> None:
    draft = "> Please stop that.\nShall I send it?"
    assistant.api.script = [Says(draft)]
    assert await assistant.asked(place, "marlow", "general", "draft a warning for nina") == [draft]
    assert await place.audited(entry="intent") == []


async def test_a_plan_that_nobody_confirms_ends_in_words_and_is_told_later(town: Town, place: Place) -> None:
    async with assistant_over(town, click_seconds=0.3) as assistant:
        delete = ("channel_delete", {"channel": place.channel("news")})
        assistant.api.script = [Calls([delete]), Says("It waits for a click on the card.")]
        said = await assistant.asked(place, "ada", "general", "delete news")
        assert "It waits for a click on the card." in said
        assert assistant.api.bodies[1]["tool_choice"] == {"type": "none"}
        card = await newest_card(place)
        assert card.titles == ["Approval needed: Channel delete"]
        await presses(place, "ada", card, "Approve", "news")
        assert "news" not in await place.channels()

        async def is_told() -> bool:
            return "What you asked for (Channel delete) was approved, and is done." in (await last(place))["content"]

        await until(is_told, "the outcome is told")
        assert (await last(place))["message_reference"]["message_id"] == card.id
        assistant.api.script = [Says("Yes.")]
        await assistant.asked(place, "ada", "general", "is it done?")
        assert "was approved, and is done" in str(assistant.api.bodies[-1]["messages"])


async def last(place: Place, channel: str = "general") -> dict[str, Any]:
    return (await place.history(channel))[-1]


async def test_an_answer_of_a_denied_plan_is_that_it_was_denied(place: Place, assistant: Assistant) -> None:
    assistant.api.script = [Calls([("channel_delete", {"channel": place.channel("news")})]), Says("It was denied.")]
    await assistant.mention(place, "ada", "general", "delete news")
    await presses(place, "olive", await waiting_card(place), "Deny")
    await assistant.over(place, "general")
    assert "said no" in results(assistant.api.bodies[1])[0]
    assert "news" in await place.channels()
