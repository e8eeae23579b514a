"""The database: units of work, reads, and what tells the rest of the process that facts have changed."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from sqlalchemy import literal, select
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from storage import engines, revisions
from storage.crypto import Keyring
from storage.group_commit import GroupCommit
from storage.outages import DatabaseUnavailable, outages
from storage.session import KEYRING, Session

__all__ = ["Database", "DatabaseUnavailable", "Session"]

ChangeHook = Callable[[frozenset[str]], Awaitable[None]]


class Database:
    """SQLite or PostgreSQL, told apart by the URL.

    Stores take a session and never commit: a unit of work is committed whole at the end of its block, or not at all.
    """

    def __init__(self, url: URL, keyring: Keyring, writer: AsyncEngine, reader: AsyncEngine) -> None:
        self.url = url
        self.keyring = keyring
        self._writer = writer
        self._reader = reader
        self._group_commit = GroupCommit(writer) if engines.is_sqlite(url) else None
        self._holders: set[asyncio.Task[Any]] = set()
        self._hooks: list[ChangeHook] = []

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, keyring: Keyring, *, migrate: bool = True) -> AsyncGenerator[Database]:
        """Opens the database and, with ``migrate``, brings its schema up to date.

        Raises ValueError for a URL that can't be used (the message holds no password), DatabaseUnavailable when the
        database doesn't answer.
        """
        parsed = engines.parse_url(url)
        if engines.is_sqlite(parsed):
            await asyncio.to_thread(engines.sqlite_path(parsed).parent.mkdir, parents=True, exist_ok=True)
        if migrate:
            from migrations import runner

            await runner.upgrade(url)
        if engines.is_sqlite(parsed):
            writer, reader = engines.sqlite_writer(parsed), engines.sqlite_reader(parsed)
        else:
            writer = engines.postgresql(parsed)
            reader = engines.postgresql_reader(writer)
        database = cls(parsed, keyring, writer, reader)
        try:
            async with database._serving():
                await database.ping()
                yield database
        finally:
            await reader.dispose()
            await writer.dispose()

    def __repr__(self) -> str:
        return f"Database({self.url.render_as_string(hide_password=True)})"

    @property
    def is_sqlite(self) -> bool:
        return self._group_commit is not None

    @property
    def groups_committed(self) -> int:
        """How many transactions the units of work took on SQLite; 0 on PostgreSQL, where each has its own."""
        return 0 if self._group_commit is None else self._group_commit.groups_committed

    @asynccontextmanager
    async def unit_of_work(self) -> AsyncGenerator[Session]:
        """One transaction. On SQLite concurrent ones share a commit; do nothing slow inside: others wait.

        Raises DatabaseUnavailable, at the latest after about five seconds; RuntimeError for one inside another.
        """
        task = asyncio.current_task()
        if task is None or task in self._holders:
            raise RuntimeError("A unit of work can't be opened inside another: hand on the session of the outer one.")
        self._holders.add(task)
        try:
            unit = self._transaction() if self._group_commit is None else self._group_commit.unit()
            async with unit as session:
                session.info[KEYRING] = self.keyring
                yield session
                nouns = await revisions.write(session)
        finally:
            self._holders.discard(task)
        if nouns:
            for hook in tuple(self._hooks):
                await hook(nouns)

    def read(self) -> AbstractAsyncContextManager[Session]:
        """A read-only session that sees one state of the database. Raises DatabaseUnavailable."""
        return self._session(self._reader)

    async def ping(self) -> float:
        """How long the database took to answer, in seconds. Raises DatabaseUnavailable."""
        began_at = time.perf_counter()
        async with self.read() as session:
            await session.execute(select(literal(1)))
        return time.perf_counter() - began_at

    def on_change(self, hook: ChangeHook) -> Callable[[], None]:
        """Awaits the hook, with the nouns, at the end of each unit of work of this process that bumped any.

        Returns a function that takes the hook out again.
        """
        self._hooks.append(hook)
        return lambda: self._hooks.remove(hook)

    @asynccontextmanager
    async def _serving(self) -> AsyncGenerator[None]:
        if self._group_commit is None:
            yield
            return
        server = asyncio.create_task(self._group_commit.run(), name="group-commit")
        try:
            yield
        finally:
            self._group_commit.stop()
            await asyncio.wait((server,), timeout=engines.WAIT_SECONDS)
            server.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await server

    @asynccontextmanager
    async def _transaction(self) -> AsyncGenerator[Session]:
        async with self._session(self._writer) as session:
            yield session
            with outages():
                await session.commit()

    @asynccontextmanager
    async def _session(self, engine: AsyncEngine) -> AsyncGenerator[Session]:
        with outages():
            async with AsyncSession(engine, expire_on_commit=False, close_resets_only=False) as session:
                async with asyncio.timeout(engines.WAIT_SECONDS):
                    await session.connection()
                session.info[KEYRING] = self.keyring
                yield session
