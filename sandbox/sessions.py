"""Gateway sessions: they outlive their socket, so that a client can resume."""

from __future__ import annotations

import asyncio
import collections
import secrets
import time
from collections.abc import Mapping
from typing import Any

import discord
import orjson

from sandbox.connection import Connection
from sandbox.internals import SessionFilter
from sandbox.visibility import bot_may_get, visible_active_threads
from sandbox.world import World

REPLAY_EVENTS = 2_000
RESUMABLE_SECONDS = 120.0

_GUILD_EVENTS = ("GUILD_CREATE", "GUILD_UPDATE", "GUILD_DELETE")


def guild_id_of(event: str, payload: Mapping[str, Any]) -> int | None:
    """The guild that an event is about; None for a direct message or the account itself."""
    value = payload.get("guild_id")
    if value is None and event in _GUILD_EVENTS:
        value = payload.get("id")
    return int(value) if value is not None else None


class Session:
    """One identified shard: its intents, its sequence, the events kept for a replay."""

    def __init__(self, world: World, intents: discord.Intents, shard_id: int, shard_count: int) -> None:
        self.id = secrets.token_hex(16)
        self.shard_id = shard_id
        self.shard_count = shard_count
        self.sequence = 0
        self.connection: Connection | None = None
        self.unavailable_guild_ids: set[int] = set()
        self._world = world
        self._replay: collections.deque[tuple[int, bytes]] = collections.deque(maxlen=REPLAY_EVENTS)
        self._filter = SessionFilter(world.backend, intents, shard_id, self.push)
        self._detached_at = time.monotonic()
        self._timers: dict[int, asyncio.TimerHandle] = {}

    # https://discord.com/developers/docs/events/gateway#sharding: shard_id = (guild_id >> 22) % num_shards;
    # direct messages are only sent to shard 0.
    def owns(self, guild_id: int | None) -> bool:
        if guild_id is None:
            return self.shard_id == 0
        return (guild_id >> 22) % self.shard_count == self.shard_id

    @property
    def expired(self) -> bool:
        return self.connection is None and time.monotonic() - self._detached_at > RESUMABLE_SECONDS

    def attach(self, connection: Connection) -> None:
        if self.connection is not None:
            self.connection.abort()
        self.connection = connection

    def detach(self, connection: Connection) -> None:
        if self.connection is connection:
            self.connection = None
            self._detached_at = time.monotonic()

    def feed(self, event: str, payload: Mapping[str, Any]) -> None:
        """Pass an event of the world on, if this session is to have it."""
        guild_id = guild_id_of(event, payload)
        if not self.owns(guild_id):
            return
        if guild_id in self.unavailable_guild_ids and event != "GUILD_DELETE":
            return
        if bot_may_get(self._world.backend, event, payload):
            self._filter.feed(event, payload)

    def push(self, event: str, data: Mapping[str, Any]) -> None:
        """Send an event as it is, and keep it for a replay."""
        if event == "GUILD_CREATE":
            data = {**data, "threads": visible_active_threads(self._world.backend, data)}
        self.sequence += 1
        frame = orjson.dumps({"op": 0, "t": event, "s": self.sequence, "d": data})
        self._replay.append((self.sequence, frame))
        if self.connection is not None:
            self.connection.send(frame)

    def can_replay(self, sequence: int) -> bool:
        oldest = self._replay[0][0] if self._replay else self.sequence + 1
        return oldest - 1 <= sequence <= self.sequence

    def replay(self, connection: Connection, sequence: int) -> None:
        for number, frame in self._replay:
            if number > sequence:
                connection.send(frame)

    def hold_guild(self, guild_id: int, seconds: float) -> None:
        """Leave a guild unavailable for a while; it comes with a late GUILD_CREATE."""
        self.unavailable_guild_ids.add(guild_id)
        self._timers[guild_id] = asyncio.get_running_loop().call_later(seconds, self.release_guild, guild_id)

    def release_guild(self, guild_id: int) -> None:
        if timer := self._timers.pop(guild_id, None):
            timer.cancel()
        if guild_id in self.unavailable_guild_ids:
            self.unavailable_guild_ids.discard(guild_id)
            self.announce_guild(guild_id)

    def announce_guild(self, guild_id: int) -> None:
        guild = self._world.backend.guilds.get(guild_id)
        if guild is not None:
            self.feed("GUILD_CREATE", self._world.guild_payload(guild))

    async def request_members(self, data: Mapping[str, Any]) -> None:
        """Opcode 8. https://discord.com/developers/docs/events/gateway-events#request-guild-members"""
        guild_ids = data["guild_id"]
        guild_id = int(guild_ids[0] if isinstance(guild_ids, list) else guild_ids)  # pyright: ignore[reportUnknownArgumentType]
        user_ids = data.get("user_ids")
        if isinstance(user_ids, str | int):
            user_ids = [user_ids]
        await self._filter.request_members(
            guild_id,
            query=data.get("query"),
            limit=int(data.get("limit") or 0),
            user_ids=[int(user_id) for user_id in user_ids] if user_ids else None,
            presences=bool(data.get("presences")),
            nonce=data.get("nonce"),
        )

    def close(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
