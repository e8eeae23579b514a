"""Who is answered where: allowed channels, the button that allows one, no key, pauses, what is served."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cogs.agent import texts, words
from cogs.agent.enabling import EnableIds
from cogs.agent.turns import Shares
from policy.model import PlatformRole
from tests.app import Place, Town, until
from tests.cogs.slashing import channel, uses
from tests.evals.mentions import Answering, allowed, answered, answering_over, answers, mentioning
from tests.harbor import HARBOR
from tests.messages_api import Says

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def last(place: Place, where: str = "general") -> dict[str, Any]:
    return [each for each in await place.history(where) if each["author"]["id"] == place.town.sandbox.bot_id][-1]


async def press(place: Place, who: str, message: dict[str, Any], custom_id: str | None = None) -> dict[str, Any]:
    found = custom_id or message["components"][0]["components"][0]["custom_id"]
    raw: dict[str, Any] = await place.town.sandbox.control(
        "click",
        user=int(place.member(who)),
        channel=int(message["channel_id"]),
        message=int(message["id"]),
        custom_id=found,
        wait=10,
    )
    return raw


async def offered(answering: Answering, place: Place) -> dict[str, Any]:
    await place.says("ada", "general", mentioning(answering, "hello"))
    await answered(place, texts.ASK_TO_ENABLE)
    return await last(place)


async def test_who_may_manage_the_guild_is_offered_a_button_and_others_get_silence(answering: Answering) -> None:
    place = await answering.town.place()
    await place.set_role("ada", PlatformRole.MANAGER)
    await place.says("bela", "general", mentioning(answering, "hello"))
    await place.says("marlow", "general", mentioning(answering, "hello"))
    message = await offered(answering, place)
    assert await answers(place) == [texts.ASK_TO_ENABLE]
    assert message["components"][0]["components"][0]["label"] == texts.ENABLE
    # Said once in a while, not at every mention.
    await place.says("ada", "general", mentioning(answering, "hello?"))
    await press(place, "ada", message)
    answering.api.script = [Says("Here I am.")]
    await place.says("bela", "general", mentioning(answering, "hello"))
    await answered(place, "Here I am.")
    assert await answers(place) == [texts.ASK_TO_ENABLE, "Here I am."]
    assert len(answering.api.received) == 1
    (row,) = await place.audited(operation="chat_channel_allow", entry="outcome")
    assert (row.user_id, row.status, row.face) == (int(place.member("ada")), "done", "slash")


async def test_a_press_by_somebody_without_the_right_allows_nothing(answering: Answering) -> None:
    place = await answering.town.place()
    message = await offered(answering, place)
    told = await press(place, "bela", message)
    assert told["ephemeral"]
    assert "Done" not in told["message"]["content"]
    assert not answering.town.core.facts.snapshot.chat_channels.get(place.installation_id)


async def test_a_button_made_for_another_guild_is_none(answering: Answering) -> None:
    ids = EnableIds(answering.town.core.database.keyring)
    made = ids.make(1, 2)
    assert ids.channel_id(made, 1) == 2
    assert ids.channel_id(made, 3) is None
    assert ids.channel_id(made.replace("gc:2:", "gc:4:"), 1) is None
    assert ids.channel_id("gc:2:", 1) is None


async def test_a_thread_follows_its_channel(answering: Answering) -> None:
    channels = [*HARBOR["channels"], {"name": "pier"}]
    harbor = await allowed(await answering.town.place(channels=channels), "general")
    await harbor.set_role("ada", PlatformRole.MANAGER)
    closed = await harbor.thread("ada", "pier", "aside")
    await harbor.town.sandbox.control(
        "send", user=int(harbor.member("ada")), channel=int(closed), content=mentioning(answering, "hello")
    )
    await answered(harbor, texts.ASK_TO_ENABLE, closed)
    await press(harbor, "ada", await last(harbor, closed))
    await until(
        lambda: int(harbor.channel("pier")) in answering.town.core.facts.snapshot.chat_channels[harbor.installation_id],
        "the thread's channel is allowed",
    )
    assert int(closed) not in answering.town.core.facts.snapshot.chat_channels[harbor.installation_id]


async def test_bots_webhooks_and_itself_are_never_answered(answering: Answering, harbor: Place) -> None:
    webhook = await harbor.webhook("ada", "general", "Tide clock")
    made = await harbor.by_hand("ada", "GET", f"/webhooks/{webhook}")
    text = mentioning(answering, "hello")
    await harbor.by_hand("ada", "POST", f"/webhooks/{webhook}/{made['token']}", {"content": text})
    await harbor.sent("ada", content=text)
    answering.api.script = [Says("Only you.")]
    await harbor.says("bela", "general", text)
    await answered(harbor, "Only you.")
    assert len(answering.api.received) == 1


async def test_without_a_key_the_setting_is_named_once_and_commands_work(town: Town) -> None:
    async with answering_over(town, has_key=False) as answering:
        place = await allowed(await town.place(), "general")
        await place.says("bela", "general", mentioning(answering, "hello"))
        await answered(place, words.NOT_CONFIGURED)
        await place.says("bela", "general", mentioning(answering, "hello?"))
        await place.says("nina", "general", mentioning(answering, "anybody?"))
        told = await uses(place, "bela", "summarize")
        assert told.text == words.NOT_CONFIGURED
        assert (await uses(place, "bela", "whoami")).text
        assert await answers(place) == [words.NOT_CONFIGURED]


async def test_while_the_guild_is_paused_it_says_so_and_asks_no_model(answering: Answering, harbor: Place) -> None:
    await uses(harbor, "ada", "pause")
    await harbor.says("bela", "general", mentioning(answering, "hello"))

    async def says_so() -> bool:
        return any("paused" in each.lower() for each in await answers(harbor))

    await until(says_so, "it says that the guild is paused")
    assert answering.api.received == []
    await uses(harbor, "ada", "resume")
    answering.api.script = [Says("Here.")]
    await harbor.says("bela", "general", mentioning(answering, "and now?"))
    await answered(harbor, "Here.")


async def test_what_the_guild_is_not_served_with_is_not_offered(answering: Answering, harbor: Place) -> None:
    await harbor.set_rules(preset="read_only")
    answering.api.script = [Says("Well.")]
    await harbor.says("ada", "general", mentioning(answering, "hello"))
    await answered(harbor, "Well.")
    names = {tool["name"] for tool in answering.api.bodies[0]["tools"]}
    assert "message_list_recent" in names
    assert not names & {"channel_create", "message_send", "member_timeout"}


async def test_a_channel_that_is_taken_away_is_silent_from_then_on(answering: Answering, harbor: Place) -> None:
    await uses(harbor, "olive", "disallow-chat", channel=channel(harbor, "general"))
    await harbor.says("bela", "general", mentioning(answering, "hello"))
    answering.api.script = [Says("Here.")]
    await harbor.says("marlow", "mod-room", mentioning(answering, "hello"))
    await answered(harbor, "Here.", "mod-room")
    assert await answers(harbor) == []


async def test_a_member_who_is_too_quick_is_told_when_to_come_back(town: Town) -> None:
    async with answering_over(town, shares=Shares(cooldown_seconds=60.0)) as answering:
        place = await allowed(await town.place(), "general")
        answering.api.script = [Says("First.")]
        await place.says("bela", "general", mentioning(answering, "one"))
        await answered(place, "First.")
        await until(lambda: answering.turns.running(int(place.channel("general"))) is None, "the turn is over")
        await place.says("bela", "general", mentioning(answering, "two"))

        async def cools() -> bool:
            return any(each.startswith("One moment: ask me again in") for each in await answers(place))

        await until(cools, "it says when to come back")
        assert len(answering.api.received) == 1
        answering.api.script = [Says("Another member is answered.")]
        await place.says("nina", "general", mentioning(answering, "and me?"))
        await answered(place, "Another member is answered.")


async def test_the_stop_sign_of_a_moderator_ends_a_members_turn(answering: Answering, harbor: Place) -> None:
    answering.api.script = [Says("A long, long story.", hold=asyncio.Event())]
    await harbor.says("bela", "general", mentioning(answering, "a story"))
    await until(lambda: answering.api.open == 1, "the stream is open")
    told = await uses(harbor, "nina", "stop")
    assert told.text == texts.NOTHING_RUNS
    told = await uses(harbor, "marlow", "stop")
    assert told.text == texts.STOPPED
    await until(lambda: answering.api.open == 0, "the request was hung up")
