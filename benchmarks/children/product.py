"""Guildhall itself, whole: core and sidecar in one process."""

# pyright: reportPrivateUsage=false
# The rate limits stay in place and count; only their numbers are set out of a benchmark's reach.

from __future__ import annotations

import asyncio
import gc
import os
import time
from pathlib import Path
from typing import Any

from benchmarks.children.answering import Line, options, run, until, usage
from benchmarks.children.parsed import Parsed
from bot import identify_pace, settings
from bot.app import App, running
from bot.client import GuildhallClient
from bot.log_secrets import SecretRegistry
from bot.logs import configure
from operations.base import Status
from operations.journal import Journal
from policy.scopes import EVERYTHING_BUT_ADMIN
from storage import clients
from storage.instance import Mark

OUT_OF_REACH = 10**9
PAGE = b"\0" * 4096
WAIT_SECONDS = 60.0


class Product:
    def __init__(self, app: App, parsed: Parsed, folder: Path) -> None:
        self._app = app
        self._core = app.core
        self._folder = folder
        self._pause_began = 0.0
        self._longest_pause = 0.0
        self.parsed = parsed
        gc.callbacks.append(self._on_collection)
        limits = self._core.limits
        limits._callers.limit = limits._guilds.limit = OUT_OF_REACH

    async def token(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Waits until the guild is installed; a new token of this person."""
        guild_id, user_id = int(asked["guild_id"]), int(asked["user_id"])
        facts = self._core.facts
        source = self._core.state.source
        await until(lambda: guild_id in facts.snapshot.installations and source.cached(guild_id), WAIT_SECONDS)
        async with self._core.database.unit_of_work() as session:
            _, token = await clients.create(
                session,
                self._core.database.keyring,
                workspace_id=facts.snapshot.installations[guild_id].workspace_id,
                user_id=user_id,
                name="benchmark",
                scopes=EVERYTHING_BUT_ADMIN,
                direct_writes=True,
                now=time.time(),
            )
        return {"token": token}

    async def settled(self, _asked: dict[str, Any]) -> dict[str, Any]:
        """Waits until the start is over for the garbage collector."""
        async with asyncio.timeout(WAIT_SECONDS):
            await self._core.client._garbage.settled.wait()
        return {}

    async def longest_pause(self, _asked: dict[str, Any]) -> dict[str, Any]:
        """Of the collections since it was last asked."""
        longest, self._longest_pause = self._longest_pause, 0.0
        return {"seconds": longest}

    async def record_times(self, asked: dict[str, Any]) -> dict[str, Any]:
        """How long writes wait for their two commits, and one fdatasync beside the database, in turn."""
        caller = self._core.callers.from_token(asked["token"])
        assert caller is not None
        spent: list[float] = []
        journal = self._core.executor._journal
        open_call, settle = Journal.open_call, Journal.settle

        async def timed_open(*arguments: Any, **more: Any) -> Any:
            began_at = time.perf_counter()
            try:
                return await open_call(journal, *arguments, **more)
            finally:
                spent.append(time.perf_counter() - began_at)

        async def timed_settle(*arguments: Any, **more: Any) -> Any:
            began_at = time.perf_counter()
            try:
                return await settle(journal, *arguments, **more)
            finally:
                spent[-1] += time.perf_counter() - began_at

        synced: list[float] = []
        setattr(journal, "open_call", timed_open)  # noqa: B010 - a method of one object, for the time of this answer
        setattr(journal, "settle", timed_settle)  # noqa: B010
        try:
            for _ in range(asked["count"]):
                outcome = await self._core.executor.run("message_send", asked["arguments"], caller)
                assert outcome.status is Status.DONE, outcome
                synced.append(await asyncio.to_thread(_sync_once, self._folder / "synced"))
        finally:
            del journal.open_call, journal.settle
        return {"recorded": spent, "synced": synced}

    def _on_collection(self, phase: str, _info: dict[str, int]) -> None:
        if phase == "start":
            self._pause_began = time.perf_counter()
        else:
            self._longest_pause = max(self._longest_pause, time.perf_counter() - self._pause_began)


def _sync_once(path: Path) -> float:
    """Appends a page and makes it durable, as a commit does; how long that took."""
    with path.open("ab", buffering=0) as file:
        began_at = time.perf_counter()
        file.write(PAGE)
        getattr(os, "fdatasync", os.fsync)(file.fileno())
        return time.perf_counter() - began_at


def _parsed_from_the_start(quiet_seconds: float) -> list[Parsed]:
    """The client is made and connected inside of the core: it is watched from right before it connects."""
    found: list[Parsed] = []
    connect = GuildhallClient.connect

    async def watched(self: GuildhallClient, *, reconnect: bool = True) -> None:
        self._garbage._quiet_seconds = quiet_seconds
        found.append(Parsed(self))
        await connect(self, reconnect=reconnect)

    GuildhallClient.connect = watched
    return found


async def main() -> None:
    loaded_at = time.monotonic()
    line, given = Line(), options()
    configured = settings.load(given["settings"], env_file=None)
    configure(configured.log_level, configured.log_format, SecretRegistry())
    identify_pace.IDENTIFY_SECONDS = given["identify_seconds"]
    found = _parsed_from_the_start(given["quiet_seconds"])
    async with running(configured, Mark.SANDBOX, port=given.get("port", 0)) as app:
        await until(lambda: found, WAIT_SECONDS)
        product = Product(app, found[0], configured.data_dir)
        line.say(port=app.port, loaded_at=loaded_at)
        await line.answer(
            {
                "usage": usage,
                "token": product.token,
                "settled": product.settled,
                "longest_pause": product.longest_pause,
                "record_times": product.record_times,
                "guilds_in": product.parsed.guilds_in,
                "messages": product.parsed.messages,
            }
        )


if __name__ == "__main__":
    run(main())
