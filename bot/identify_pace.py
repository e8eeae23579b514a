"""The pace at which shards may identify."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

# https://discord.com/developers/docs/events/gateway#sharding-max-concurrency
IDENTIFY_SECONDS = 5.0


class IdentifyPace:
    """One IDENTIFY in 5 seconds for each of ``max_concurrency`` buckets; a shard's bucket is its id modulo that number.

    discord.py's own pace waits 5 seconds before every IDENTIFY but the first, whatever Discord allows.
    """

    def __init__(
        self,
        max_concurrency: int = 1,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.max_concurrency = max(1, max_concurrency)
        self._clock = clock
        self._sleep = sleep
        self._free_at: dict[int, float] = {}

    async def turn(self, shard_id: int) -> None:
        """Wait for the shard's turn, and take it."""
        bucket = shard_id % self.max_concurrency
        now = self._clock()
        turn_at = max(now, self._free_at.get(bucket, now))
        self._free_at[bucket] = turn_at + IDENTIFY_SECONDS
        if turn_at > now:
            await self._sleep(turn_at - now)
