"""A turn belongs to its author; others queue their own; nobody takes more than a share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from cogs.agent.turns import Mention, Shares, Stopped, Turn, Turns, Verdict
from tests.app import until

ADA, NINA = 1, 2


def mention(author: int, message_id: int = 100, *, channel: int = 10, guild: int = 5) -> Mention:
    return Mention(
        guild_id=guild,
        channel_id=channel,
        message_id=message_id,
        author_id=author,
        author_name=str(author),
        text="hello",
        at=0.0,
    )


@dataclass
class Waiting:
    """Answers when it is let: ``begun`` in their order, with the follow-ups of each."""

    go: asyncio.Event = field(default_factory=asyncio.Event)
    begun: list[int] = field(default_factory=list[int])
    joined: list[int] = field(default_factory=list[int])
    ended: list[str] = field(default_factory=list[str])

    async def answer(self, turn: Turn) -> None:
        self.begun.append(turn.mention.message_id)
        try:
            await turn.unless_stopped(self.go.wait())
        except Stopped:
            self.ended.append("stopped")
            return
        self.joined += [each.message_id for each in turn.taken()]
        self.ended.append("answered")


@asynccontextmanager
async def turns(waiting: Waiting, **shares: float) -> AsyncGenerator[Turns]:
    given = Shares(**{"cooldown_seconds": 0.0, **shares})  # pyright: ignore[reportArgumentType]
    found = Turns(waiting, given)
    try:
        yield found
    finally:
        await found.aclose()


async def test_a_follow_up_joins_its_authors_turn_and_nobody_elses() -> None:
    waiting = Waiting()
    async with turns(waiting) as those:
        assert those.submit(mention(ADA, 1)) is Verdict.STARTED
        assert those.submit(mention(NINA, 2)) is Verdict.QUEUED
        assert those.submit(mention(ADA, 3)) is Verdict.JOINED
        assert those.submit(mention(NINA, 4)) is Verdict.FULL
        await until(lambda: waiting.begun == [1], "the first turn began")
        waiting.go.set()
        await until(lambda: those.running(10) is None, "all are answered")
    assert waiting.begun == [1, 2]
    assert waiting.joined == [3]


async def test_a_follow_up_that_came_too_late_begins_a_turn_of_its_own() -> None:
    class Early(Waiting):
        async def answer(self, turn: Turn) -> None:
            self.begun.append(turn.mention.message_id)
            if turn.mention.message_id == 1:
                turn.inbox.append(mention(ADA, 2))

    early = Early()
    async with turns(early) as those:
        those.submit(mention(ADA, 1))
        await until(lambda: those.running(10) is None, "all are answered")
    assert early.begun == [1, 2]


async def test_only_the_author_or_who_manages_messages_stops_a_turn() -> None:
    waiting = Waiting()
    async with turns(waiting) as those:
        those.submit(mention(ADA, 1))
        those.submit(mention(NINA, 2))
        await until(lambda: waiting.begun == [1], "the first turn began")
        assert those.stop(10, NINA, may_manage=False), "her own, which waits"
        assert not those.stop(10, NINA, may_manage=False)
        assert not those.stop(11, ADA, may_manage=True)
        assert those.stop(10, NINA, may_manage=True)
        await until(lambda: those.running(10) is None, "it ended")
    assert (waiting.begun, waiting.ended) == ([1], ["stopped"])


async def test_a_slow_channel_delays_no_other() -> None:
    waiting = Waiting()
    async with turns(waiting) as those:
        those.submit(mention(ADA, 1))
        those.submit(mention(ADA, 2, channel=11))
        await until(lambda: waiting.begun == [1, 2], "both began")


async def test_a_guild_takes_no_more_than_its_share() -> None:
    waiting = Waiting()
    async with turns(waiting, running_in_a_guild=2) as those:
        assert [those.submit(mention(ADA, n, channel=n)) for n in (1, 2, 3)] == [
            Verdict.STARTED,
            Verdict.STARTED,
            Verdict.BUSY,
        ]
        assert those.submit(mention(ADA, 4, channel=4, guild=6)) is Verdict.STARTED


async def test_who_asks_too_soon_is_told_when() -> None:
    waiting = Waiting()
    async with turns(waiting, cooldown_seconds=60.0) as those:
        those.submit(mention(ADA, 1))
        assert those.submit(mention(ADA, 2, channel=11)) is Verdict.COOLING
        assert 50 < those.cooldown(mention(ADA)) <= 60
        assert those.submit(mention(NINA, 3, channel=11)) is Verdict.STARTED


async def test_what_a_stopped_turn_waits_for_is_cancelled() -> None:
    turn, cancelled = Turn(mention(ADA)), asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    asyncio.get_running_loop().call_soon(turn.stopping.set)
    with pytest.raises(Stopped):
        await turn.unless_stopped(work())
    assert cancelled.is_set()
    with pytest.raises(Stopped):
        await turn.unless_stopped(work())
