"""A mention in the simulated Discord, heard through the gateway: the whole product with the assistant switched on."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import discord
import pytest

from tests.app import Place, until
from tests.cogs.approving import presses
from tests.evals.cards import waiting_card
from tests.evals.mentions import KEY, Answering, answered, answers, mentioning
from tests.messages_api import Calls, Says

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_mention_is_answered_and_acted_on(answering: Answering, harbor: Place) -> None:
    answering.api.script = [Calls([("channel_create", {"name": "made-by-mention"})]), Says("It is there.")]
    asked = await harbor.says("ada", "general", mentioning(answering, "make a channel"))
    await answered(harbor, "It is there.")
    assert "made-by-mention" in await harbor.channels()
    reply = next(each for each in await harbor.history("general") if each["content"] == "It is there.")
    assert reply["message_reference"]["message_id"] == asked
    (row,) = await harbor.audited(operation="channel_create", entry="outcome")
    assert (row.face, row.user_id, row.status) == ("agent", int(harbor.member("ada")), "done")
    assert answering.api.bodies[0]["messages"][-1]["content"][-1]["text"].endswith("make a channel\n</request>")


async def test_the_last_hundred_messages_are_summarised(answering: Answering, harbor: Place) -> None:
    for n in range(3):
        await harbor.says("nina", "general", f"the ferry leaves at {n}")
    answering.api.script = [Calls([("message_list_recent", {"limit": 100})]), Says("They spoke of the ferry.")]
    await harbor.says("bela", "general", mentioning(answering, "summarise the last 100 messages"))
    await answered(harbor, "They spoke of the ferry.")
    assert "the ferry leaves at 2" in str(answering.api.bodies[1]["messages"][-1])


async def test_a_support_channel_with_permissions_takes_one_click(answering: Answering, harbor: Place) -> None:
    overwrites = [
        {"role": "@everyone", "deny": ["view_channel"]},
        {"role": harbor.role("Moderator"), "allow": ["view_channel", "send_messages"]},
    ]
    answering.api.script = [
        Calls([("channel_create", {"name": "support", "overwrites": overwrites})]),
        Says("The support channel is there."),
    ]
    await harbor.says("ada", "general", mentioning(answering, "make a support channel for moderators"))
    await presses(harbor, "ada", await waiting_card(harbor), "Approve")
    await answered(harbor, "The support channel is there.")
    made = (await harbor.channels())["support"]
    denied = {each["id"]: each["deny"] for each in made["overwrites"]}
    assert denied[harbor.id] == ["view_channel"]


async def test_a_warning_is_drafted_and_given_when_that_is_asked_for(answering: Answering, harbor: Place) -> None:
    answering.api.script = [Says("> Please stop that.\nShall I send it?")]
    await harbor.says("marlow", "general", mentioning(answering, "draft a warning for nina"))
    await answered(harbor, "> Please stop that.\nShall I send it?")
    assert await harbor.kept() == []
    general = int(harbor.channel("general"))
    await until(lambda: answering.turns.running(general) is None, "the turn is over")
    warn = ("member_warn", {"member": harbor.member("nina"), "reason": "Please stop that."})
    answering.api.script = [Calls([warn]), Says("She has it.")]
    await harbor.says("marlow", "general", mentioning(answering, "send it"))
    await presses(harbor, "marlow", await waiting_card(harbor), "Approve")
    await answered(harbor, "She has it.")
    assert [case["reason"] for case in await harbor.kept()] == ["Please stop that."]


async def test_ones_servers_are_listed(answering: Answering, harbor: Place) -> None:
    answering.api.script = [Calls([("guild_list", {})]), Says("You are in Harbor.")]
    await harbor.says("bela", "general", mentioning(answering, "list my servers"))
    await answered(harbor, "You are in Harbor.")
    assert "Harbor" in str(answering.api.bodies[1]["messages"][-1])


async def test_a_reply_to_the_assistant_goes_on_and_brings_what_it_answers(answering: Answering, harbor: Place) -> None:
    answering.api.script = [Says("The ferry leaves at nine."), Says("From the pier.")]
    await harbor.says("bela", "general", mentioning(answering, "when does the ferry leave?"))
    await answered(harbor, "The ferry leaves at nine.")
    message = next(each for each in await harbor.history("general") if "nine" in each["content"])
    await harbor.says("nina", "general", "and from where?", reply_to=int(message["id"]))
    await answered(harbor, "From the pier.")
    told = str(answering.api.bodies[-1]["messages"])
    assert "<replied_to" in told
    assert "when does the ferry leave?" in told


async def test_a_file_of_a_message_goes_along(answering: Answering, harbor: Place) -> None:
    answering.api.script = [Says("It says hello.")]
    file = {"name": "note.txt", "text": "hello from a file"}
    await harbor.says("bela", "general", mentioning(answering, "what is in it?"), attachments=[file])
    await answered(harbor, "It says hello.")
    assert "hello from a file" in str(answering.api.bodies[-1]["messages"])


async def test_only_who_speaks_to_it_is_answered(answering: Answering, harbor: Place) -> None:
    answering.api.script = [Says("Yes?")]
    await harbor.says("bela", "general", "hello everybody")
    await harbor.says("bela", "general", f"<@{harbor.member('nina')}> hello")
    await harbor.says("bela", "lounge", mentioning(answering, "hello in a channel that it doesn't answer in"))
    await harbor.says("bela", "general", mentioning(answering, "hello"))
    await answered(harbor, "Yes?")
    assert len(answering.api.received) == 1


def reaction(place: Place, who: str, message_id: str) -> discord.RawReactionActionEvent:
    """As the gateway tells it, to an app with the intent for reactions (AGENT_ENABLED=true)."""
    data: Any = {
        "user_id": place.member(who),
        "channel_id": place.channel("general"),
        "message_id": message_id,
        "guild_id": place.id,
        "burst": False,
        "type": 0,
    }
    return discord.RawReactionActionEvent(data, discord.PartialEmoji(name="🛑"), "REACTION_ADD")


async def test_a_stop_sign_of_the_author_ends_the_turn(answering: Answering, harbor: Place) -> None:
    answering.api.script = [Says("A long, long story.", hold=asyncio.Event())]
    asked = await harbor.says("bela", "general", mentioning(answering, "a story"))
    await until(lambda: answering.api.open == 1, "the stream is open")
    for who in ("nina", "bela"):
        await answering.cog.on_raw_reaction_add(reaction(harbor, who, asked))

    async def is_stopped() -> bool:
        return any(each.endswith("-# Stopped.") for each in await answers(harbor))

    await until(is_stopped, "the turn is stopped")
    await until(lambda: answering.api.open == 0, "the request was hung up")


async def test_in_a_thread_it_answers_in_the_thread(answering: Answering, harbor: Place) -> None:
    thread = await harbor.thread("bela", "general", "aside")
    answering.api.script = [Says("In here.")]
    await harbor.town.sandbox.control(
        "send", user=int(harbor.member("bela")), channel=int(thread), content=mentioning(answering, "where are you?")
    )
    await answered(harbor, "In here.", thread)


async def test_typing_shows_at_once_and_the_first_sentence_before_the_answer_is_whole(
    answering: Answering, harbor: Place
) -> None:
    hold = asyncio.Event()
    answering.api.script = [Says("First thing. " + "And more of it. " * 5, hold=hold)]
    await answering.town.requests()
    began_at = time.monotonic()
    await harbor.says("bela", "general", mentioning(answering, "tell me"))

    async def types() -> bool:
        found = await harbor.town.sandbox.control("requests")
        return any(entry["path"].endswith("/typing") for entry in found["requests"])

    await until(types, "it types")
    assert time.monotonic() - began_at < 2

    async def shows() -> bool:
        return any("First thing" in each for each in await answers(harbor))

    await until(shows, "the first sentence stands there")
    hold.set()
    await answered(harbor, ("First thing. " + "And more of it. " * 5).strip())


async def test_the_key_goes_to_the_provider_alone(
    answering: Answering, harbor: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    answering.api.script = [Says("Hello.")]
    await harbor.says("bela", "general", mentioning(answering, "hello"))
    await answered(harbor, "Hello.")
    assert answering.api.received[0].headers["X-Api-Key"] == KEY
    assert KEY not in "".join(capfd.readouterr())
    assert KEY not in str(answering.api.bodies)
