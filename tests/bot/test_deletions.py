"""Deletions that were missed, came too early, or came while the database was away."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Collection
from typing import Any, cast

import pytest

from bot.deletions import Deletions, is_wanted
from bot.lost_messages import Found, LostMessages
from operations.events import (
    ChannelDeleted,
    EventHub,
    GuildReady,
    GuildStructureChanged,
    MessageChanged,
)
from policy.model import Installation
from storage.call_messages import MessagePlace
from storage.database import Database
from storage.facts import PlatformFacts
from storage.forgetting import Forgetting
from storage.outages import DatabaseUnavailable
from tests.app import until

GUILD, CHANNEL = 1, 2


class Heard:
    """A Forgetting that remembers what it was told, beside a database that can be away."""

    def __init__(self) -> None:
        self.deleted: list[set[int]] = []
        self.edited: list[tuple[int, str | None]] = []
        self.channels: list[set[int]] = []
        self.held: set[MessagePlace] = set()
        self.outages = 0

    async def messages_deleted(self, session: object, message_ids: Collection[int], now: float) -> int:
        self.deleted.append(set(message_ids))
        return 0

    async def message_edited(self, session: object, message_id: int, content: str | None) -> int:
        self.edited.append((message_id, content))
        return 0

    async def channels_deleted(self, session: object, channel_ids: Collection[int], now: float) -> int:
        self.channels.append(set(channel_ids))
        return 0

    async def messages_held(self, session: object, guild_id: int) -> set[MessagePlace]:
        return self.held

    @contextlib.asynccontextmanager
    async def unit_of_work(self) -> AsyncGenerator[None]:
        if self.outages:
            self.outages -= 1
            raise DatabaseUnavailable("away")
        yield

    read = unit_of_work


class Looked:
    def __init__(self, *found: Found) -> None:
        self.found = found
        self.guild_ids: list[int] = []

    async def look(self, guild_id: int, messages: Collection[MessagePlace]) -> AsyncGenerator[Found]:
        self.guild_ids.append(guild_id)
        for each in self.found:
            yield each


class Facts:
    def __init__(self) -> None:
        self.snapshot = self
        self.installations = {GUILD: Installation("in_1", "ws_1", GUILD)}


@contextlib.asynccontextmanager
async def watching(
    heard: Heard, looked: Looked, size: int = 100, second_look_seconds: float = 60.0
) -> AsyncGenerator[EventHub]:
    hub = EventHub()
    deletions = Deletions(
        cast("Database", heard),
        cast("PlatformFacts", Facts()),
        cast("Forgetting", heard),
        cast("LostMessages", looked),
        second_look_seconds=second_look_seconds,
    )
    with hub.subscribe(size, is_wanted) as events:
        tasks = [asyncio.create_task(deletions.watch(events)), asyncio.create_task(deletions.look())]
        yield hub
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def deleted(message_id: int) -> MessageChanged:
    return MessageChanged(GUILD, CHANNEL, message_id, "deleted")


async def test_what_comes_together_is_forgotten_in_one_transaction() -> None:
    heard = Heard()
    async with watching(heard, Looked()) as hub:
        for event in (
            MessageChanged(GUILD, CHANNEL, 3, "edited", "anew"),
            MessageChanged(GUILD, CHANNEL, 4, "edited", "gone soon"),
            deleted(4),
            deleted(5),
            MessageChanged(GUILD, CHANNEL, 6, "created"),
            GuildStructureChanged(GUILD),
        ):
            hub.publish(event)
        await until(lambda: heard.edited, "the events are taken in")
    assert heard.deleted == [{4, 5}]
    assert heard.edited == [(3, "anew")]


async def test_when_events_were_missed_all_guilds_are_looked_at() -> None:
    heard, looked = Heard(), Looked(Found(deleted=frozenset({7}), edited={8: "now"}, channels=frozenset({9})))
    heard.held = {MessagePlace(CHANNEL, 7)}
    async with watching(heard, looked, size=2) as hub:
        for message_id in range(5):
            hub.publish(deleted(message_id))
        await until(lambda: heard.channels, "the look")
    assert looked.guild_ids == [GUILD]
    assert {7} in heard.deleted
    assert (8, "now") in heard.edited
    assert heard.channels == [{9}]


@pytest.mark.parametrize("event", [GuildReady(GUILD), ChannelDeleted(GUILD, CHANNEL)])
async def test_after_an_outage_or_a_deleted_channel_the_guild_is_looked_at(event: Any) -> None:
    heard, looked = Heard(), Looked()
    heard.held = {MessagePlace(CHANNEL, 7)}
    async with watching(heard, looked) as hub:
        hub.publish(event)
        await until(lambda: looked.guild_ids, "the look")
    assert looked.guild_ids == [GUILD]


async def test_a_guild_of_which_nothing_is_held_costs_no_request() -> None:
    heard, looked = Heard(), Looked()
    async with watching(heard, looked) as hub:
        hub.publish(GuildReady(GUILD))
        hub.publish(deleted(1))
        await until(lambda: heard.deleted, "the events are taken in")
    assert looked.guild_ids == []


async def test_a_message_deleted_before_its_call_was_written_is_forgotten_by_the_second_look() -> None:
    heard = Heard()
    async with watching(heard, Looked(), second_look_seconds=0.02) as hub:
        hub.publish(deleted(1))
        await until(lambda: len(heard.deleted) == 2, "the second look")
    assert heard.deleted == [{1}, {1}]


async def test_nothing_is_lost_while_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.deletions.RETRY_SECONDS", 0.01)
    heard = Heard()
    heard.outages = 2
    async with watching(heard, Looked()) as hub:
        hub.publish(deleted(1))
        await until(lambda: heard.deleted, "the database is back")
    assert heard.deleted == [{1}]
