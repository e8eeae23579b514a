"""Rate limits of callers and guilds: in memory, or shared by processes through Redis."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import structlog
from limits import RateLimitItem, RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter
from redis.exceptions import RedisError

from policy.model import OperationClass, Tier
from storage.read_limit import ReadLimit
from storage.redis_client import ANSWER_SECONDS, SharedCounts, connect

SYNC_SECONDS = 1.0
LEAST_WAIT_SECONDS = 0.05
PREFIX = "guildhall"
REDIS_ERRORS = (RedisError, OSError, TimeoutError)

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Rates:
    """How many calls a minute. A destroying call counts as such alone, not as a write too."""

    reads_a_caller: int = 1_200
    reads_a_guild: int = 12_000
    writes_a_caller: int = 60
    writes_a_guild: int = 120
    destroys_a_caller: int = 10
    destroys_a_guild: int = 20

    def halved(self) -> Rates:
        return Rates(
            reads_a_caller=max(self.reads_a_caller // 2, 1),
            reads_a_guild=max(self.reads_a_guild // 2, 1),
            writes_a_caller=max(self.writes_a_caller // 2, 1),
            writes_a_guild=max(self.writes_a_guild // 2, 1),
            destroys_a_caller=max(self.destroys_a_caller // 2, 1),
            destroys_a_guild=max(self.destroys_a_guild // 2, 1),
        )


class LimitState(StrEnum):
    MEMORY = "memory"
    REDIS = "redis"
    LOCAL = "local (Redis is down)"


class RateLimits:
    """Counts calls of callers and guilds.

    Writes are counted one by one (in Redis, where there is one); reads in memory alone, and added up with those of the
    other processes each second. While Redis is down, every process counts by itself and lets half as much through.
    """

    def __init__(self, rates: Rates, shared: SharedCounts | None, clock: Callable[[], float]) -> None:
        self._rates = rates
        self._clock = clock
        self._shared = shared
        self._shared_up = False
        self._memory = MemoryStorage()
        self._local = MovingWindowRateLimiter(self._memory)
        self._global = None if shared is None else MovingWindowRateLimiter(shared.storage)
        self._callers = ReadLimit(rates.reads_a_caller)
        self._guilds = ReadLimit(rates.reads_a_guild)
        self._set_up(shared is None)

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        redis_url: str | None,
        *,
        rates: Rates | None = None,
        prefix: str = PREFIX,
        clock: Callable[[], float] = time.time,
    ) -> AsyncGenerator[RateLimits]:
        """Raises ValueError, without the password, for a URL that can't be used; never for a Redis that is down."""
        shared = None if redis_url is None else connect(redis_url, prefix)
        limits = cls(rates or Rates(), shared, clock)
        try:
            if shared is None:
                yield limits
            else:
                async with limits._syncing(shared):
                    yield limits
        finally:
            await limits._close()

    @property
    def state(self) -> LimitState:
        if self._shared is None:
            return LimitState.MEMORY
        return LimitState.REDIS if self._shared_up else LimitState.LOCAL

    def hit_read(self, caller: str, guild_id: int | None) -> float:
        """Counts a read and returns 0.0; or counts nothing and returns for how many seconds to wait."""
        now = self._clock()
        if guild_id is None:
            return self._callers.hit(caller, now)
        wait = self._callers.peek(caller, now) or self._guilds.hit(guild_id, now)
        return wait or self._callers.hit(caller, now)

    async def hit(self, *, caller: str, guild_id: int | None, operation_class: OperationClass, tier: Tier) -> float:
        """Counts a call and returns 0.0; or counts nothing and returns for how many seconds to wait."""
        rated = _rated_class(operation_class, tier)
        if rated is OperationClass.READ:
            return self.hit_read(caller, guild_id)
        return await self._ask(rated, caller, guild_id, _hit)

    async def peek(self, *, caller: str, guild_id: int | None, operation_class: OperationClass, tier: Tier) -> float:
        """What ``hit`` would return, without counting."""
        rated = _rated_class(operation_class, tier)
        if rated is OperationClass.READ:
            now = self._clock()
            guild_wait = 0.0 if guild_id is None else self._guilds.peek(guild_id, now)
            return max(guild_wait, self._callers.peek(caller, now))
        return await self._ask(rated, caller, guild_id, _peek)

    async def _ask(self, rated: OperationClass, caller: str, guild_id: int | None, ask: _Ask) -> float:
        if self._global is not None and self._shared_up:
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    return await ask(self._global, _items(self._rates, rated, caller, guild_id))
            except REDIS_ERRORS as error:
                self._went_down(error)
        rates = self._rates if self._shared is None else self._rates.halved()
        return await ask(self._local, _items(rates, rated, caller, guild_id))

    @asynccontextmanager
    async def _syncing(self, shared: SharedCounts) -> AsyncGenerator[None]:
        await self._sync(shared)
        task = asyncio.create_task(self._keep_syncing(shared), name="limits-sync")
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            await shared.close()

    async def _keep_syncing(self, shared: SharedCounts) -> None:
        while True:
            await asyncio.sleep(SYNC_SECONDS)
            await self._sync(shared)

    async def _sync(self, shared: SharedCounts) -> None:
        """Adds up reads with the other processes; sees whether Redis answers."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await shared.ping()
                await shared.add_up("caller", self._callers, self._clock())
                await shared.add_up("guild", self._guilds, self._clock())
        except REDIS_ERRORS as error:
            self._went_down(error)
        else:
            self._set_up(True)

    def _went_down(self, error: Exception) -> None:
        if self._shared_up:
            log.warning("redis_down", reason=type(error).__name__)
        self._set_up(False)

    def _set_up(self, up: bool) -> None:
        if up and not self._shared_up and self._shared is not None:
            log.info("redis_up")
        self._shared_up = up
        rates = self._rates if up else self._rates.halved()
        self._callers.limit, self._guilds.limit = rates.reads_a_caller, rates.reads_a_guild

    async def _close(self) -> None:
        timer = self._memory.timer
        if timer is not None:
            timer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await timer


_Items = list[tuple[RateLimitItem, tuple[str, ...]]]
_Ask = Callable[[MovingWindowRateLimiter, _Items], Coroutine[Any, Any, float]]


def _rated_class(operation_class: OperationClass, tier: Tier) -> OperationClass:
    """What was raised to risky by its effect counts as destroying."""
    if operation_class is OperationClass.WRITE and tier >= Tier.RISKY:
        return OperationClass.DESTROY
    return operation_class


def _items(rates: Rates, rated: OperationClass, caller: str, guild_id: int | None) -> _Items:
    destroys = rated is OperationClass.DESTROY
    a_caller = rates.destroys_a_caller if destroys else rates.writes_a_caller
    a_guild = rates.destroys_a_guild if destroys else rates.writes_a_guild
    items: _Items = [(RateLimitItemPerMinute(a_caller), (rated.value, "caller", caller))]
    if guild_id is not None:
        items.append((RateLimitItemPerMinute(a_guild), (rated.value, "guild", str(guild_id))))
    return items


async def _hit(limiter: MovingWindowRateLimiter, items: _Items) -> float:
    # First all are asked, so that a call refused for its guild does not use up its caller's share.
    wait = await _peek(limiter, items)
    if wait:
        return wait
    for item, names in items:
        if not await limiter.hit(item, *names):
            return await _wait_seconds(limiter, item, names)
    return 0.0


async def _peek(limiter: MovingWindowRateLimiter, items: _Items) -> float:
    waits = [await _wait_seconds(limiter, item, names) for item, names in items if not await limiter.test(item, *names)]
    return max(waits, default=0.0)


async def _wait_seconds(limiter: MovingWindowRateLimiter, item: RateLimitItem, names: tuple[str, ...]) -> float:
    stats = await limiter.get_window_stats(item, *names)
    return max(stats.reset_time - time.time(), LEAST_WAIT_SECONDS)
