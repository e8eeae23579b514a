"""The global limit of Discord's REST API, kept before Discord has to enforce it, and shared fairly."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import NamedTuple, Protocol

from bot.fair_queue import FairQueue
from operations.ledger import Ledger, Priority, SendRefused

# https://discord.com/developers/docs/topics/rate-limits#global-rate-limit: 50 a second for a bot; some room is left.
REQUESTS_PER_SECOND = 45
LONGEST_WAIT_SECONDS = 30.0
WINDOW_SECONDS = 1.0
# How many turns a caller gets for one of another priority: of what one share has waiting, edits get a third beside
# reads. None starves.
WEIGHTS = {
    Priority.FIRST: 8.0,
    Priority.REPLY: 4.0,
    Priority.READ: 2.0,
    Priority.EDIT: 1.0,
    Priority.TYPING: 0.5,
    Priority.NOTICE: 0.25,
}
_ROUNDING_SECONDS = 1e-9

CallLater = Callable[[float, Callable[[], None]], "Timer"]


class Timer(Protocol):
    def cancel(self) -> None: ...


class _Turn(NamedTuple):
    at: float
    guild_id: int | None
    is_paced: bool


class _Waiter(NamedTuple):
    guild_id: int | None
    weight: float
    granted: asyncio.Future[None]


class RequestBudget:
    """At most 45 requests leave in any one second.

    A window that slides, rather than a bucket that refills: a full bucket lets twice the limit through in one second.

    While there is room, a request leaves at once. Else it waits, and guilds take turns; within a guild, its callers;
    of a caller's requests, the urgent ones come more often. So that nobody has to wait for another's burst to leave the
    window:

    - a guild that has used much of the window (4 in 9) waits, even while there is room;
    - those who wait leave one by one, evenly over the second;
    - a ninth of the window is kept for guilds that have used less than that.
    """

    def __init__(
        self,
        requests_per_second: int = REQUESTS_PER_SECOND,
        *,
        longest_wait_seconds: float = LONGEST_WAIT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        call_later: CallLater | None = None,
    ) -> None:
        """``call_later``: the event loop's unless given."""
        self._limit = requests_per_second
        self._kept = requests_per_second // 9
        self._open = requests_per_second - self._kept
        self._burst = max(1, self._open // 2)
        self._longest_wait_seconds = longest_wait_seconds
        self._clock = clock
        self._call_later = call_later
        self._turns: deque[_Turn] = deque()
        self._used: Counter[int | None] = Counter()
        self._unpaced = 0
        self._paced_at = float("-inf")
        self._queue: FairQueue[_Waiter] = FairQueue()
        self._timer: Timer | None = None

    async def acquire(self, ledger: Ledger | None) -> None:
        """Wait for a turn to send. ``ledger``: the call that asks, None outside of one.

        Raises SendRefused, without taking a turn, when the caller's own share has so many waiting that it would take
        more than 30 seconds.
        """
        now = self._clock()
        guild_id = None if ledger is None else ledger.guild_id
        self._forget(now)
        if self._passes(guild_id):
            self._take(_Turn(now, guild_id, is_paced=False))
            return
        caller_id, priority = ("", Priority.FIRST) if ledger is None else (ledger.caller_id, ledger.priority)
        wait_seconds = self._queue.turns_until_served((guild_id, caller_id)) * WINDOW_SECONDS / self._open
        if wait_seconds > self._longest_wait_seconds:
            raise SendRefused(
                f"Too many requests to Discord are waiting; try again in {wait_seconds:.0f} seconds.", wait_seconds
            )
        path = (guild_id, caller_id, priority)
        waiter = _Waiter(guild_id, WEIGHTS[priority], asyncio.get_running_loop().create_future())
        self._queue.push(path, waiter, rank=priority)
        self._serve()
        try:
            await waiter.granted
        except asyncio.CancelledError:
            self._queue.discard(path, waiter)
            raise

    @property
    def waiting(self) -> int:
        """How many requests wait for their turn."""
        return len(self._queue)

    @property
    def free(self) -> int:
        """How many more could leave within this second; 0 while some wait."""
        self._forget(self._clock())
        return 0 if len(self._queue) else max(0, self._limit - len(self._turns))

    def _passes(self, guild_id: int | None) -> bool:
        """Whether a request may leave without waiting in line."""
        if self._may_use_what_is_kept(guild_id):
            return not self._queue.waiting((guild_id,))
        return not self._queue and len(self._turns) < self._open and self._used[guild_id] < self._burst

    def _may_use_what_is_kept(self, guild_id: int | None) -> bool:
        return len(self._turns) < self._limit and self._used[guild_id] < self._kept

    def _serve(self) -> None:
        """Gives turns to those who are next, as long as there are any to give; then comes back when there are."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._queue:
            now = self._clock()
            self._forget(now)
            waiter = self._queue.head()
            if waiter.granted.cancelled():
                self._queue.pop(waiter.weight)
                continue
            is_paced = not self._may_use_what_is_kept(waiter.guild_id)
            delay_seconds = self._pause_seconds(now) if is_paced else 0.0
            if delay_seconds > 0:
                call_later = self._call_later or asyncio.get_running_loop().call_later
                self._timer = call_later(delay_seconds, self._serve)
                return
            self._queue.pop(waiter.weight)
            self._take(_Turn(now, waiter.guild_id, is_paced))
            waiter.granted.set_result(None)

    def _pause_seconds(self, now: float) -> float:
        """Until the next of those who wait may leave, or until that has to be asked again."""
        next_room = self._turns[0].at + WINDOW_SECONDS - now if self._turns else 0.0
        if len(self._turns) >= self._open:
            return next_room
        # What is left of the window when the bursts are taken off, evenly over the second.
        pace_seconds = WINDOW_SECONDS / max(1, self._open - self._unpaced)
        pause_seconds = self._paced_at + pace_seconds - now
        if pause_seconds <= _ROUNDING_SECONDS:
            return 0.0
        return min(pause_seconds, next_room) if self._turns else pause_seconds

    def _take(self, turn: _Turn) -> None:
        self._turns.append(turn)
        self._used[turn.guild_id] += 1
        if turn.is_paced:
            self._paced_at = turn.at
        else:
            self._unpaced += 1

    def _forget(self, now: float) -> None:
        """Drops the turns that have left the window."""
        while self._turns and self._turns[0].at + WINDOW_SECONDS <= now + _ROUNDING_SECONDS:
            turn = self._turns.popleft()
            self._used[turn.guild_id] -= 1
            if not self._used[turn.guild_id]:
                del self._used[turn.guild_id]
            if not turn.is_paced:
                self._unpaced -= 1
