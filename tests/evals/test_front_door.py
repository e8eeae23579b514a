"""A mention in the simulated Discord, heard through the gateway: the whole product with the assistant switched on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import discord
import pytest
import pytest_asyncio

from bot.assistant import turns_of
from cogs.agent.cog import AgentCog
from cogs.agent.messenger import DiscordMessenger
from cogs.agent.provider import MessagesProvider
from cogs.agent.turns import Shares
from storage import chat_channels
from tests.app import Place, Town, until
from tests.messages_api import Calls, MessagesApi, Says, messages_api

pytestmark = pytest.mark.asyncio(loop_scope="session")
KEY = "an-agent-key-that-never-shows-0123456789"


@dataclass(frozen=True)
class Answering:
    town: Town
    api: MessagesApi
    cog: AgentCog


@pytest_asyncio.fixture(loop_scope="session")
async def answering(town: Town) -> AsyncGenerator[Answering]:
    """The worker's app with the assistant's cog: a process knows one address of Discord, so there is no second app."""
    core = town.core
    async with (
        messages_api() as api,
        MessagesProvider.open(KEY, f"{api.url}/v1") as provider,
        turns_of(core, provider, shares=Shares(cooldown_seconds=0.0)) as turns,
    ):
        cog = AgentCog(core.client, turns, DiscordMessenger(core.client), core.state, core.facts)
        await core.client.add_cog(cog)
        try:
            yield Answering(town, api, cog)
        finally:
            await core.client.remove_cog(cog.qualified_name)


@pytest_asyncio.fixture(loop_scope="session")
async def harbor(answering: Answering) -> Place:
    place = await answering.town.place()
    async with answering.town.core.database.unit_of_work() as session:
        for name in ("general", "mod-room"):
            channel_id = int(place.channel(name))
            await chat_channels.allow(session, place.installation_id, channel_id, by=None, now=time.time())
    await until(lambda: answering.town.core.facts.snapshot.chat_channels.get(place.installation_id), "it may answer")
    return place


def mentioning(answering: Answering, text: str) -> str:
    return f"<@{answering.town.sandbox.bot_id}> {text}"


async def answers(place: Place, channel: str = "general") -> list[str]:
    bot = place.town.sandbox.bot_id
    return [message["content"] for message in await place.history(channel) if message["author"]["id"] == bot]


async def answered(place: Place, text: str, channel: str = "general") -> None:
    async def stands() -> bool:
        return text in await answers(place, channel)

    await until(stands, f"the answer {text!r}")


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
