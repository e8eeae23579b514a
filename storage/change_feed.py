"""The change feed: hears of every committed change of facts, by this process or another.

PostgreSQL tells by NOTIFY, SQLite by a counter that grows with every commit of another connection. Besides, the
revisions are read each second: what says that nothing has changed is an answer, never silence.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping

import aiosqlite
import asyncpg
import structlog

from storage import engines, revisions
from storage.database import Database
from storage.outages import DatabaseUnavailable

POLL_SECONDS = 0.25
REFRESH_SECONDS = 1.0
RECONNECT_SECONDS = 1.0

# Gets the revision of every noun, and when (time.monotonic) they were known to be current.
Checked = Callable[[Mapping[str, int], float], Awaitable[None]]

log = structlog.stdlib.get_logger(__name__)


class ChangeFeed:
    """``run`` follows the changes; subscribers get the nouns of each."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._signal = asyncio.Event()
        self._subscribers: list[Callable[[frozenset[str]], None]] = []
        self._seen: dict[str, int] | None = None

    def subscribe(self, callback: Callable[[frozenset[str]], None]) -> None:
        """Calls back with the nouns that have changed, after the facts were brought up to date."""
        self._subscribers.append(callback)

    async def run(self, checked: Checked) -> None:
        """Follows until cancelled; survives outages."""
        remove = self._database.on_change(self._own_change)
        listener = asyncio.create_task(self._listen(), name="change-feed-listener")
        try:
            while True:
                self._signal.clear()
                await self._check(checked)
                # Not wait_for: before Python 3.12 it can swallow a cancellation.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(REFRESH_SECONDS):
                        await self._signal.wait()
        finally:
            remove()
            listener.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listener

    async def _own_change(self, _nouns: frozenset[str]) -> None:
        self._signal.set()

    def _notified(self, *_notice: object) -> None:
        self._signal.set()

    async def _check(self, checked: Checked) -> None:
        asked_at = time.monotonic()
        try:
            async with self._database.read() as session:
                found = await revisions.current(session)
            await checked(found, asked_at)
        except DatabaseUnavailable as error:
            log.warning("change_feed_outage", reason=str(error))
            return
        before, self._seen = self._seen, found
        if before is None:
            return
        nouns = frozenset(noun for noun, revision in found.items() if before.get(noun) != revision)
        if nouns:
            for callback in self._subscribers:
                callback(nouns)

    async def _listen(self) -> None:
        while True:
            try:
                if self._database.is_sqlite:
                    await self._poll_sqlite()
                else:
                    await self._listen_postgresql()
            except (aiosqlite.Error, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
                log.warning("change_feed_listener_lost", reason=f"{type(error).__name__}: {error}")
            await asyncio.sleep(RECONNECT_SECONDS)
            self._signal.set()

    async def _poll_sqlite(self) -> None:
        """Returns never. Raises aiosqlite.Error."""
        # The counter is of this connection: it must stay the same one. https://www.sqlite.org/pragma.html#pragma_data_version
        uri = engines.sqlite_path(self._database.url).absolute().as_uri() + "?mode=rw"
        async with aiosqlite.connect(uri, uri=True, timeout=engines.WAIT_SECONDS, isolation_level=None) as connection:
            await connection.execute("PRAGMA query_only=ON")
            version: int | None = None
            while True:
                found = await connection.execute_fetchall("PRAGMA data_version")
                ((current,),) = found
                if current != version:
                    version = current
                    self._signal.set()
                await asyncio.sleep(POLL_SECONDS)

    async def _listen_postgresql(self) -> None:
        """Returns when the connection is lost. Raises what asyncpg raises."""
        url = self._database.url.set(drivername="postgresql").render_as_string(hide_password=False)
        connection = await asyncpg.connect(url, timeout=engines.WAIT_SECONDS, command_timeout=engines.WAIT_SECONDS)
        try:
            lost = asyncio.Event()
            connection.add_termination_listener(lambda _connection: lost.set())
            await connection.add_listener(revisions.CHANNEL, self._notified)
            self._signal.set()
            await lost.wait()
        finally:
            connection.terminate()
