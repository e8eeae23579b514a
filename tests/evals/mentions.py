"""Mentions heard through the gateway, as the whole product answers them with the assistant switched on."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bot.assistant import agent_cog, turns_of
from cogs.agent.cog import AgentCog
from cogs.agent.enabling import EnableCog, EnableIds
from cogs.agent.provider import MessagesProvider
from cogs.agent.turns import Shares, Turns
from storage import chat_channels
from tests.app import Place, Town, until
from tests.messages_api import MessagesApi, messages_api

EPHEMERAL = 64
KEY = "an-agent-key-that-never-shows-0123456789"


@dataclass(frozen=True)
class Answering:
    town: Town
    api: MessagesApi
    cog: AgentCog
    turns: Turns


def mentioning(answering: Answering, text: str) -> str:
    return f"<@{answering.town.sandbox.bot_id}> {text}"


async def answers(place: Place, channel: str = "general") -> list[str]:
    """What everybody in the channel sees of the bot."""
    bot = place.town.sandbox.bot_id
    history = await place.history(channel)
    return [each["content"] for each in history if each["author"]["id"] == bot and not each["flags"] & EPHEMERAL]


async def answered(place: Place, text: str, channel: str = "general") -> None:
    async def stands() -> bool:
        return text in await answers(place, channel)

    await until(stands, f"the answer {text!r}")


@asynccontextmanager
async def answering_over(
    town: Town, *, has_key: bool = True, shares: Shares | None = None
) -> AsyncGenerator[Answering]:
    """The worker's app with the assistant's cogs: a process knows one address of Discord, so there is no second app."""
    core = town.core
    ids = EnableIds(core.database.keyring)
    assert core.face is not None
    async with (
        messages_api() as api,
        MessagesProvider.open(KEY, f"{api.url}/v1") as provider,
        turns_of(core, provider if has_key else None, shares=shares or Shares(cooldown_seconds=0.0)) as turns,
    ):
        cogs = (agent_cog(core, turns, ids, has_key=has_key), EnableCog(core.client, core.face.runner, ids))
        for cog in cogs:
            await core.client.add_cog(cog)
        try:
            yield Answering(town, api, cogs[0], turns)
        finally:
            for cog in cogs:
                await core.client.remove_cog(cog.qualified_name)


async def allowed(place: Place, *names: str) -> Place:
    """The assistant may answer in these channels."""
    core = place.town.core
    async with core.database.unit_of_work() as session:
        for name in names:
            await chat_channels.allow(
                session, place.installation_id, int(place.channel(name)), by=None, now=time.time()
            )
    await until(lambda: core.facts.snapshot.chat_channels.get(place.installation_id), "it may answer")
    return place
