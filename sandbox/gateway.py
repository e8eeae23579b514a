"""The gateway: HELLO, IDENTIFY, READY, heartbeats, RESUME; and its faults on demand."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from typing import Any

import discord
import orjson
from aiohttp import WSMsgType, web

from sandbox.connection import Connection
from sandbox.internals import PRIVILEGED_INTENTS, BackendError, serializers
from sandbox.sessions import Session
from sandbox.world import World

HEARTBEAT_INTERVAL_MS = 41_250

# https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-opcodes
DISPATCH, HEARTBEAT, IDENTIFY, PRESENCE, VOICE, RESUME, RECONNECT, REQUEST_MEMBERS, INVALID_SESSION, HELLO, ACK = (
    0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11
)  # fmt: skip

# https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes
DECODE_ERROR, NOT_AUTHENTICATED, AUTHENTICATION_FAILED, ALREADY_AUTHENTICATED = 4002, 4003, 4004, 4005
INVALID_SHARD, INVALID_INTENTS, DISALLOWED_INTENTS = 4010, 4013, 4014
GOING_AWAY = 1001


class Gateway:
    """All sessions of the bot, and the settings that tests change."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.url = ""
        self.shards = 1
        self.approved_intents: set[str] = set(PRIVILEGED_INTENTS)
        self.guild_delays: dict[str, float] = {}
        self.refused_until = 0.0
        self._sessions: dict[str, Session] = {}
        self._connections: set[Connection] = set()
        world.listeners.append(self._on_event)

    @property
    def sessions(self) -> list[Session]:
        return list(self._sessions.values())

    @property
    def connections(self) -> list[Connection]:
        return list(self._connections)

    def connected(self, shard_id: int | None = None) -> list[Connection]:
        """The live sockets of identified sessions, of one shard or of all."""
        return [
            session.connection
            for session in self._sessions.values()
            if session.connection is not None and shard_id in (None, session.shard_id)
        ]

    def forget_sessions(self) -> None:
        """From now on nothing can be resumed."""
        for session in self._sessions.values():
            session.close()
        self._sessions.clear()

    def _on_event(self, event: str, payload: Mapping[str, Any]) -> None:
        for session in self.sessions:
            if session.expired:
                session.close()
                del self._sessions[session.id]
            elif event == "GUILD_CREATE" and (seconds := self._delay_of(payload)) and session.owns(int(payload["id"])):
                session.hold_guild(int(payload["id"]), seconds)
            else:
                session.feed(event, payload)

    def _delay_of(self, guild: Mapping[str, Any]) -> float:
        return self.guild_delays.get(str(guild["id"])) or self.guild_delays.get(str(guild["name"])) or 0.0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if time.monotonic() < self.refused_until:
            return web.Response(status=503)
        socket = web.WebSocketResponse(timeout=1.0, max_msg_size=1 << 16)
        await socket.prepare(request)
        connection = Connection(request, socket, request.query.get("compress"))
        self._connections.add(connection)
        writer = asyncio.create_task(connection.run())
        connection.send_op(HELLO, {"heartbeat_interval": HEARTBEAT_INTERVAL_MS})
        try:
            await self._read(socket, connection)
        finally:
            self._connections.discard(connection)
            for session in self.sessions:
                session.detach(connection)
            writer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await writer
        return socket

    async def _read(self, socket: web.WebSocketResponse, connection: Connection) -> None:
        session: Session | None = None
        async for message in socket:
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                return
            try:
                frame: dict[str, Any] = orjson.loads(message.data)
                op = int(frame["op"])
                self._world.stats[f"gateway_op_{op}"] += 1
                if op == HEARTBEAT:
                    connection.send_op(ACK)
                elif op == IDENTIFY:
                    if session is not None:
                        connection.close(ALREADY_AUTHENTICATED)
                        continue
                    session = self._identify(connection, frame["d"])
                elif op == RESUME:
                    session = self._resume(connection, frame["d"]) or session
                elif session is None:
                    connection.close(NOT_AUTHENTICATED)
                elif op == REQUEST_MEMBERS:
                    await session.request_members(frame["d"])
                elif op == VOICE:
                    self._set_voice_state(frame["d"])
            except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
                connection.close(DECODE_ERROR)

    def _identify(self, connection: Connection, data: Mapping[str, Any]) -> Session | None:
        shard_id, shard_count = (int(number) for number in data.get("shard") or (0, 1))
        intents = discord.Intents.none()
        intents.value = int(data["intents"])
        if data["token"] != self._world.bot_token:
            connection.close(AUTHENTICATION_FAILED)
        elif not 0 <= shard_id < shard_count:
            connection.close(INVALID_SHARD)
        elif intents.value & ~discord.Intents.all().value:
            connection.close(INVALID_INTENTS)
        elif any(getattr(intents, name) and name not in self.approved_intents for name in PRIVILEGED_INTENTS):
            connection.close(DISALLOWED_INTENTS)
        else:
            return self._ready(connection, Session(self._world, intents, shard_id, shard_count))
        return None

    def _ready(self, connection: Connection, session: Session) -> Session:
        backend = self._world.backend
        self._sessions[session.id] = session
        session.attach(connection)
        self._world.stats["identified"] += 1
        guilds = [guild for guild in backend.guilds.values() if session.owns(guild.id)]
        session.push(
            "READY",
            {
                "v": 10,
                "user": serializers.user_payload(backend.bot_user),
                "session_id": session.id,
                "session_type": "normal",
                "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
                "shard": [session.shard_id, session.shard_count],
                "resume_gateway_url": self.url,
                "application": {"id": str(backend.application_id), "flags": 0},
                "private_channels": [],
                "_trace": [],
            },
        )
        for guild in guilds:
            payload = self._world.guild_payload(guild)
            if seconds := self._delay_of(payload):
                session.hold_guild(guild.id, seconds)
            else:
                session.feed("GUILD_CREATE", payload)
        self._world.notify()
        return session

    def _resume(self, connection: Connection, data: Mapping[str, Any]) -> Session | None:
        session = self._sessions.get(str(data["session_id"]))
        if data["token"] != self._world.bot_token:
            connection.close(AUTHENTICATION_FAILED)
            return None
        sequence = int(data["seq"])
        if session is None or session.expired or not session.can_replay(sequence):
            connection.send_op(INVALID_SESSION, False)
            return None
        session.attach(connection)
        session.replay(connection, sequence)
        session.push("RESUMED", {"_trace": []})
        self._world.stats["resumed"] += 1
        self._world.notify()
        return session

    def _set_voice_state(self, data: Mapping[str, Any]) -> None:
        with contextlib.suppress(BackendError):  # Discord answers a voice state that can't be with silence
            self._world.backend.set_voice_state(
                int(data["guild_id"]),
                self._world.bot_id,
                int(data["channel_id"]) if data.get("channel_id") else None,
                self_mute=bool(data.get("self_mute")),
                self_deaf=bool(data.get("self_deaf")),
            )

    def delay_guild(self, guild: str, seconds: float) -> None:
        """From now on, a guild (id or name) comes this late after READY; 0 lets it come at once, also now."""
        if seconds > 0:
            self.guild_delays[guild] = seconds
            return
        self.guild_delays.pop(guild, None)
        for known in self._world.bot_guilds():
            if guild in (str(known.id), known.name):
                for session in self.sessions:
                    session.release_guild(known.id)

    def set_guild_available(self, guild_id: int, available: bool) -> None:
        """An outage of one guild, as Discord announces it.

        https://discord.com/developers/docs/events/gateway-events#guild-delete ("unavailable")
        """
        for session in self.sessions:
            if not session.owns(guild_id):
                continue
            if available:
                session.release_guild(guild_id)
            elif guild_id not in session.unavailable_guild_ids:
                session.push("GUILD_DELETE", {"id": str(guild_id), "unavailable": True})
                session.unavailable_guild_ids.add(guild_id)

    def close(self) -> None:
        """Close every socket as going away, and stop all timers."""
        for session in self._sessions.values():
            session.close()
        for connection in self._connections:
            connection.resume()
            connection.close(GOING_AWAY)
