"""Which guilds can be served: those whose own GUILD_CREATE came in the present session of a connected shard."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable


class Readiness:
    """Told of sessions and guilds by the parser hook and the client; asked by whoever serves a guild.

    ``is_open`` says whether a shard's socket is open right now: the notice of a lost connection comes later than the
    loss, when discord.py gets round to it.
    """

    def __init__(self, is_open: Callable[[int], bool]) -> None:
        self._is_open = is_open
        self._shard_count = 0
        self._live: set[int] = set()
        self._guilds: dict[int, set[int]] = {}
        self._arrived: set[int] = set()
        self._waiting: dict[int, set[asyncio.Future[None]]] = {}

    def session_started(self, shard_id: int, shard_count: int, guild_ids: Iterable[int]) -> frozenset[int]:
        """READY: nothing of the shard is ready until it arrives anew. Returns the guilds that were left meanwhile."""
        self._shard_count = shard_count
        now = set(guild_ids)
        before = self._guilds.get(shard_id, set())
        self._guilds[shard_id] = now
        self._arrived -= before | now
        self._live.add(shard_id)
        self._wake(before | now | self._waiting.keys())
        return frozenset(before - now)

    def session_resumed(self, shard_id: int) -> None:
        """RESUMED: what was missed has been replayed."""
        self._live.add(shard_id)
        self._wake(self._guilds.get(shard_id, set()))

    def shard_closed(self, shard_id: int) -> None:
        """Its guilds wait for RESUMED, or for READY and their GUILD_CREATE."""
        self._live.discard(shard_id)

    def guild_arrived(self, guild_id: int) -> None:
        shard_id = self.shard_of(guild_id)
        if shard_id is not None:
            self._guilds.setdefault(shard_id, set()).add(guild_id)
        self._arrived.add(guild_id)
        self._wake([guild_id])

    def guild_unavailable(self, guild_id: int) -> None:
        """An outage of Discord's: the bot is still in it."""
        self._arrived.discard(guild_id)

    def guild_left(self, guild_id: int) -> None:
        self._arrived.discard(guild_id)
        for guilds in self._guilds.values():
            guilds.discard(guild_id)
        self._wake([guild_id])

    def shard_of(self, guild_id: int) -> int | None:
        """https://discord.com/developers/docs/events/gateway#sharding; None before the first session."""
        return (guild_id >> 22) % self._shard_count if self._shard_count else None

    def is_connected(self, shard_id: int | None) -> bool:
        return shard_id is not None and shard_id in self._live and self._is_open(shard_id)

    def is_ready(self, guild_id: int) -> bool:
        return guild_id in self._arrived and self.is_connected(self.shard_of(guild_id))

    def is_absent(self, guild_id: int) -> bool:
        """Whether the bot is known not to be in that guild: its shard is connected and did not name it."""
        shard_id = self.shard_of(guild_id)
        return self.is_connected(shard_id) and guild_id not in self._guilds.get(shard_id or 0, ())

    def guild_ids(self) -> frozenset[int]:
        """The guilds that the bot is in, ready or not."""
        return frozenset[int]().union(*self._guilds.values())

    def connected_shards(self) -> tuple[int, int]:
        """How many shards are connected, of how many."""
        return sum(self.is_connected(shard_id) for shard_id in range(self._shard_count)), self._shard_count

    def awaited(self) -> int:
        """How many guilds the bot is in that can't be served now."""
        return sum(not self.is_ready(guild_id) for guild_id in self.guild_ids())

    async def wait(self, guild_id: int, timeout_seconds: float) -> bool:
        """Whether the guild is ready, waiting for it so long; ends early when the bot is known not to be in it."""
        if self.is_ready(guild_id):
            return True
        try:
            async with asyncio.timeout(timeout_seconds):
                while not self.is_ready(guild_id) and not self.is_absent(guild_id):
                    await self._change(guild_id)
        except TimeoutError:
            pass
        return self.is_ready(guild_id)

    async def _change(self, guild_id: int) -> None:
        future = asyncio.get_running_loop().create_future()
        waiting = self._waiting.setdefault(guild_id, set())
        waiting.add(future)
        try:
            await future
        finally:
            waiting.discard(future)
            if not waiting and self._waiting.get(guild_id) is waiting:
                del self._waiting[guild_id]

    def _wake(self, guild_ids: Iterable[int]) -> None:
        for guild_id in list(guild_ids):
            for future in self._waiting.get(guild_id, ()):
                if not future.done():
                    future.set_result(None)
