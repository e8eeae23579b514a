"""When a client has parsed what: the same for the product's client and the bare one, beneath their own handlers."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, cast

import discord

from benchmarks.children.answering import until


class Parsed:
    """Seconds on the clock of all processes of this machine, for sessions and guilds; latencies for messages.

    A message's latency runs from when the sandbox made it to when the client's own handling of the event returned.
    """

    def __init__(self, client: discord.Client) -> None:
        self.ready_at = 0.0
        self.guild_at = 0.0
        self.guilds = 0
        self.sessions = 0
        self.latencies: list[float] = []
        connection: Any = client._connection  # pyright: ignore[reportPrivateUsage] - there is no public place under a parser
        parsers = cast("dict[str, Callable[[Any], None]]", connection.parsers)
        self._wrap(parsers, "READY", self._ready)
        self._wrap(parsers, "GUILD_CREATE", self._guild)
        self._wrap(parsers, "MESSAGE_CREATE", self._message)

    @staticmethod
    def _wrap(parsers: dict[str, Callable[[Any], None]], name: str, note: Callable[[Any], None]) -> None:
        parse = parsers[name]

        def noted(data: Any) -> None:
            parse(data)
            note(data)

        parsers[name] = noted

    def _ready(self, _data: Any) -> None:
        self.ready_at = time.monotonic()
        self.guilds = 0
        self.sessions += 1

    def _guild(self, _data: Any) -> None:
        self.guild_at = time.monotonic()
        self.guilds += 1

    def _message(self, data: Any) -> None:
        self.latencies.append(time.time() - datetime.fromisoformat(data["timestamp"]).timestamp())

    # ----------------------------------------------------------------- answers
    async def guilds_in(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Waits for this many guilds of this session (counted from 1); how long after READY the last one was in."""
        session, count = asked["session"], asked["count"]
        await until(lambda: self.sessions >= session and self.guilds >= count, asked["timeout_seconds"])
        return {"seconds": self.guild_at - self.ready_at}

    async def messages(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Waits for this many messages and forgets them; their latencies."""
        count = asked["count"]
        await until(lambda: len(self.latencies) >= count, asked["timeout_seconds"])
        latencies, self.latencies = self.latencies, []
        return {"latencies": latencies}
