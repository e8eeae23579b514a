"""Who is answered when: a turn belongs to its author. Only his own follow-ups join it; others queue their own."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, TypeVar

import structlog

from cogs.agent.attachments import Attached
from cogs.agent.history import Quoted
from operations import call_ids

log = structlog.get_logger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A member's message to the assistant, as the gateway told of it. ``at``: seconds since the epoch."""

    guild_id: int
    channel_id: int
    message_id: int
    author_id: int
    author_name: str
    text: str
    at: float
    quoted: Quoted | None = None
    attached: tuple[Attached, ...] = ()


class Stopped(Exception):
    """The turn's author, or who may manage messages, ended it."""


@dataclass(slots=True)
class Turn:
    """One answer. ``inbox``: what its author wrote meanwhile. Mutable: it is under way."""

    mention: Mention
    turn_id: str = field(default_factory=call_ids.new_call_id)
    inbox: deque[Mention] = field(default_factory=deque["Mention"])
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    over: bool = False

    async def unless_stopped(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of some work; when the turn is stopped, the work is cancelled. A write under way goes to its end.

        Raises Stopped.
        """
        working = asyncio.ensure_future(work)
        stopping = asyncio.ensure_future(self.stopping.wait())
        try:
            await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                raise Stopped
            return working.result()
        finally:
            for task in (working, stopping):
                task.cancel()
            await asyncio.gather(working, stopping, return_exceptions=True)

    def taken(self) -> list[Mention]:
        """The follow-ups since the last look."""
        found = list(self.inbox)
        self.inbox.clear()
        return found


class Answering(Protocol):
    async def answer(self, turn: Turn) -> None:
        """Raises nothing but CancelledError."""
        ...


class Verdict(StrEnum):
    STARTED = "started"
    JOINED = "joined"
    QUEUED = "queued"
    COOLING = "cooling"
    """Too soon after his last one: it is not answered."""
    FULL = "full"
    """Too many wait in this channel: it is not answered."""
    BUSY = "busy"
    """The guild has its share under way: it is not answered."""


@dataclass(frozen=True, slots=True)
class Shares:
    """What one may take of what all share."""

    cooldown_seconds: float = 3.0
    queued_in_a_channel: int = 5
    running_in_a_guild: int = 8
    running: int = 64
    follow_ups: int = 5


@dataclass(slots=True)
class _Lane:
    """A channel: one turn at a time. Mutable."""

    running: Turn | None = None
    waiting: deque[Turn] = field(default_factory=deque["Turn"])


class Turns:
    """Each channel goes its own way: a slow turn delays nobody elsewhere. ``aclose`` ends them all."""

    def __init__(
        self, answering: Answering, shares: Shares | None = None, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._answering = answering
        self._shares = shares or Shares()
        self._monotonic = monotonic
        self._lanes: dict[int, _Lane] = {}
        self._last: dict[tuple[int, int], float] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._in_guild: Counter[int] = Counter()

    def submit(self, mention: Mention) -> Verdict:
        """Never waits. A follow-up of the running turn's author joins it; others' mentions never do."""
        lane = self._lanes.get(mention.channel_id, _Lane())
        running = lane.running
        if running is not None and not running.over and running.mention.author_id == mention.author_id:
            if len(running.inbox) >= self._shares.follow_ups:
                return Verdict.FULL
            running.inbox.append(mention)
            return Verdict.JOINED
        if self.cooldown(mention) > 0:
            return Verdict.COOLING
        if running is not None:
            is_waiting = any(turn.mention.author_id == mention.author_id for turn in lane.waiting)
            if is_waiting or len(lane.waiting) >= self._shares.queued_in_a_channel:
                return Verdict.FULL
            self._began(mention)
            lane.waiting.append(Turn(mention))
            return Verdict.QUEUED
        if (
            self._in_guild[mention.guild_id] >= self._shares.running_in_a_guild
            or self._in_guild.total() >= self._shares.running
        ):
            return Verdict.BUSY
        self._began(mention)
        lane.running = Turn(mention)
        self._lanes[mention.channel_id] = lane
        self._in_guild[mention.guild_id] += 1
        task = asyncio.create_task(self._run(mention.guild_id, mention.channel_id, lane), name="agent turns")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return Verdict.STARTED

    def cooldown(self, mention: Mention) -> float:
        """Seconds until this member is answered again."""
        last = self._last.get((mention.guild_id, mention.author_id))
        return 0.0 if last is None else max(0.0, self._shares.cooldown_seconds - (self._monotonic() - last))

    def stop(self, channel_id: int, by_user_id: int, *, may_manage: bool, message_id: int | None = None) -> bool:
        """Ends the running turn of a channel, where it is his or he may manage messages there; else the one of his that
        waits. ``message_id``: only the turn that answers this message. Whether there was one.
        """
        lane = self._lanes.get(channel_id)
        if lane is None:
            return False
        for turn in (*((lane.running,) if lane.running is not None else ()), *lane.waiting):
            its_own = message_id is None or message_id == turn.mention.message_id
            if its_own and (may_manage or turn.mention.author_id == by_user_id):
                turn.stopping.set()
                if turn is not lane.running:
                    lane.waiting.remove(turn)
                return True
        return False

    def running(self, channel_id: int) -> Turn | None:
        lane = self._lanes.get(channel_id)
        return None if lane is None else lane.running

    async def aclose(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _began(self, mention: Mention) -> None:
        now = self._monotonic()
        if len(self._last) > 10_000:
            self._last = {who: at for who, at in self._last.items() if now - at < self._shares.cooldown_seconds}
        self._last[(mention.guild_id, mention.author_id)] = now

    async def _run(self, guild_id: int, channel_id: int, lane: _Lane) -> None:
        """One turn of the channel after the other, until none waits."""
        try:
            while lane.running is not None:
                turn = lane.running
                try:
                    await self._answering.answer(turn)
                except Exception:  # the next in the queue is answered all the same
                    log.exception("a turn failed", turn_id=turn.turn_id)
                turn.over = True
                # What came after its last look begins a turn of its own.
                late = [Turn(mention) for mention in turn.taken()] if not turn.stopping.is_set() else []
                lane.waiting.extendleft(reversed(late))
                lane.running = lane.waiting.popleft() if lane.waiting else None
        finally:
            self._in_guild[guild_id] -= 1
            if self._lanes.get(channel_id) is lane:
                del self._lanes[channel_id]
