"""The engine over a running core, with a provider on loopback: turns are submitted, and seen to their end."""

from __future__ import annotations

import itertools
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from bot.assistant import turns_of
from cogs.agent.attachments import Attached
from cogs.agent.conversations import MemoryConversations
from cogs.agent.engine import Limits
from cogs.agent.history import Quoted
from cogs.agent.provider import MessagesProvider, Patience
from cogs.agent.turns import Mention, Shares, Turns, Verdict
from storage.tables import AuditEvent
from tests.app import Place, Town, until
from tests.messages_api import MessagesApi, messages_api

KEY = "a key for tests"
_ORDER = itertools.count()


@dataclass(frozen=True)
class Assistant:
    town: Town
    api: MessagesApi
    turns: Turns
    conversations: MemoryConversations

    async def mention(self, place: Place, who: str, channel: str, text: str, **more: Any) -> str:
        """A member writes by hand, and that is submitted; the message's id."""
        message_id = await place.says(who, channel, f"<@{self.town.sandbox.bot_id}> {text}")
        self.submit(place, who, channel, text, message_id, **more)
        return message_id

    def submit(
        self,
        place: Place,
        who: str,
        channel: str,
        text: str,
        message_id: str,
        *,
        quoted: Quoted | None = None,
        attached: Sequence[Attached] = (),
    ) -> Verdict:
        return self.turns.submit(
            Mention(
                guild_id=place.guild_id,
                channel_id=int(place.guild["channels"].get(channel, channel)),
                message_id=int(message_id),
                author_id=int(place.member(who)),
                author_name=who,
                text=text,
                at=time.time(),
                quoted=quoted,
                attached=tuple(attached),
            )
        )

    async def over(self, place: Place, channel: str) -> None:
        channel_id = int(place.guild["channels"].get(channel, channel))
        await until(lambda: self.turns.running(channel_id) is None, "the turns are over", 30)

    async def asked(self, place: Place, who: str, channel: str, text: str, **more: Any) -> list[str]:
        """A mention and all that the assistant answers in the channel."""
        before = {message["id"] for message in await place.history(channel)}
        asked = await self.mention(place, who, channel, text, **more)
        await self.over(place, channel)
        return [
            message["content"]
            for message in await place.history(channel)
            if message["id"] not in before | {asked} and message["author"]["id"] == self.town.sandbox.bot_id
        ]


@asynccontextmanager
async def assistant_over(
    town: Town,
    *,
    click_seconds: float = 20.0,
    patience: Patience | None = None,
    shares: Shares | None = None,
    limits: Limits | None = None,
) -> AsyncGenerator[Assistant]:
    conversations = MemoryConversations()
    async with (
        messages_api() as api,
        MessagesProvider.open(KEY, api.url, patience or Patience()) as provider,
        turns_of(
            town.core,
            provider,
            conversations=conversations,
            click_seconds=click_seconds,
            shares=shares or Shares(cooldown_seconds=0.0),
            limits=limits,
        ) as turns,
    ):
        yield Assistant(town, api, turns, conversations)


async def turn_rows(place: Place, who: str) -> list[AuditEvent]:
    """The audit's entries of a member's turns, oldest first."""
    return await place.audited(operation="agent_turn", user_id=int(place.member(who)))
