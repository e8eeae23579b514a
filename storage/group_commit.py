"""Group commit for SQLite: concurrent units of work share one transaction, and with it one fsync.

SQLite has one writer at a time, and an fsync can cost more than all the statements of a unit. Units run one after the
other on the one writing connection, each in a savepoint of its own, save the first: while nobody else's changes are in
the transaction, rolling it back does the same. It is committed when no more units wait. A unit ends only after that.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from enum import Enum, auto
from typing import Any, Literal, TypeVar

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession

from storage.outages import DatabaseUnavailable, outages

log = structlog.stdlib.get_logger(__name__)

T = TypeVar("T")
_Joining = Literal["create_savepoint", "rollback_only"]

MOST_UNITS = 64
LONGEST_SECONDS = 0.010
WAIT_SECONDS = 5.0


class _Ending(Enum):
    KEPT = auto()
    DROPPED = auto()
    BROKEN = auto()  # the connection failed: SQLite may have rolled back the whole transaction


class _Unit:
    """A place in the queue.

    The writer grants it the connection, the unit says how it ended, the writer says that it is on disk.
    """

    __slots__ = ("committed", "ended", "granted")

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.granted: asyncio.Future[tuple[AsyncConnection, _Joining]] = loop.create_future()
        self.ended: asyncio.Future[_Ending] = loop.create_future()
        self.committed: asyncio.Future[None] = loop.create_future()

    def end(self, ending: _Ending) -> None:
        if not self.ended.done():
            self.ended.set_result(ending)

    def fail(self, error: DatabaseUnavailable) -> None:
        for future in (self.granted, self.committed):
            if not future.done():
                future.set_exception(DatabaseUnavailable(str(error)))
                future.exception()  # a unit that nobody waits for any more is no news


class GroupCommit:
    """The one writer of a SQLite database in this process. Units get on only while ``run`` runs."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._queue: deque[_Unit] = deque()
        self._arrived = asyncio.Event()
        self._closing = False
        self.groups_committed = 0

    @asynccontextmanager
    async def unit(self) -> AsyncGenerator[AsyncSession]:
        """A session whose changes are on disk when the block has ended. Raises DatabaseUnavailable.

        A task that is cancelled inside of the block rolls back its own changes alone. One that is cancelled while it
        waits for the commit of its group is too late, as with any commit.
        """
        if self._closing:
            raise DatabaseUnavailable("The database is being closed.")
        unit = _Unit()
        self._queue.append(unit)
        self._arrived.set()
        try:
            connection, joining = await self._granted(unit)
        except BaseException:
            unit.end(_Ending.DROPPED)
            raise
        session = AsyncSession(
            connection, expire_on_commit=False, join_transaction_mode=joining, close_resets_only=False
        )
        try:
            with outages():
                yield session
        except BaseException as error:
            (ending, _), _ = await _to_the_end(_end(session, keep=False))
            unit.end(_Ending.BROKEN if isinstance(error, DatabaseUnavailable) else ending)
            raise
        (ending, problem), cancelled = await _to_the_end(_end(session, keep=True))
        unit.end(ending)
        if cancelled is not None:
            raise cancelled
        if problem is not None:
            raise problem
        await asyncio.shield(unit.committed)

    async def run(self) -> None:
        """Serves the queue until stopped or cancelled."""
        try:
            while not self._closing:
                await self._arrived.wait()
                self._arrived.clear()
                while self._queue:
                    await self._run_groups()
        finally:
            self._fail(self._queue, DatabaseUnavailable("The database is being closed."))

    def stop(self) -> None:
        """Lets ``run`` end once all who wait were served; who comes later is refused."""
        self._closing = True
        self._arrived.set()

    async def _granted(self, unit: _Unit) -> tuple[AsyncConnection, _Joining]:
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                return await unit.granted
        except TimeoutError:
            raise DatabaseUnavailable("The database can't be used: another write takes too long.") from None

    async def _run_groups(self) -> None:
        members: list[_Unit] = []
        try:
            with outages():
                async with self._engine.connect() as connection:
                    while self._queue:
                        await self._run_group(connection, members)
        except DatabaseUnavailable as error:
            self._fail_all(members, error)
        except Exception as error:
            log.exception("group_commit_failed")
            self._fail_all(members, DatabaseUnavailable(f"The database can't be used: {type(error).__name__}."))
        finally:
            # Nobody is left here but when the writer itself is being stopped.
            self._fail(members, DatabaseUnavailable("The database is being closed."))

    async def _run_group(self, connection: AsyncConnection, members: list[_Unit]) -> None:
        """One transaction. Leaves in ``members`` those whose changes are not on disk, when it raises."""
        transaction = await connection.begin()
        await self._serve(connection, members)
        if not members:
            if transaction.is_active:
                await transaction.rollback()
            return
        await transaction.commit()
        self.groups_committed += 1
        for unit in members:
            if not unit.committed.done():
                unit.committed.set_result(None)
        members.clear()

    async def _serve(self, connection: AsyncConnection, members: list[_Unit]) -> None:
        began_at = time.monotonic()
        while self._queue and len(members) < MOST_UNITS and time.monotonic() - began_at < LONGEST_SECONDS:
            unit = self._queue.popleft()
            if unit.granted.done():
                continue
            unit.granted.set_result((connection, "create_savepoint" if members else "rollback_only"))
            try:
                ending = await unit.ended
            except asyncio.CancelledError:
                unit.fail(DatabaseUnavailable("The database is being closed."))
                raise
            if ending is _Ending.KEPT:
                members.append(unit)
            elif ending is _Ending.BROKEN:
                raise DatabaseUnavailable("The database can't be used: a write in the same transaction broke it.")
            elif not members:
                return  # its rollback has ended the transaction

    def _fail_all(self, members: list[_Unit], error: DatabaseUnavailable) -> None:
        # Those who still wait would each wait in vain as long as these did.
        self._fail(members, error)
        self._fail(self._queue, error)
        self._queue.clear()

    @staticmethod
    def _fail(units: list[_Unit] | deque[_Unit], error: DatabaseUnavailable) -> None:
        for unit in units:
            unit.fail(error)


async def _end(session: AsyncSession, *, keep: bool) -> tuple[_Ending, Exception | None]:
    """Releases the savepoint, or rolls back to it. Never raises: the writer must learn how the unit ended."""
    problem: Exception | None = None
    try:
        if keep:
            try:
                with outages():
                    await session.commit()
            except Exception as error:  # noqa: BLE001 - the unit's own task raises it
                problem = error
            else:
                return _Ending.KEPT, None
        try:
            with outages():
                await session.rollback()
        except Exception as error:  # noqa: BLE001 - as above
            return _Ending.BROKEN, problem or error
        broken = isinstance(problem, DatabaseUnavailable)
        return (_Ending.BROKEN if broken else _Ending.DROPPED), problem
    finally:
        # From here on the connection belongs to the next unit: a session that somebody kept must not touch it.
        session.sync_session.close()


async def _to_the_end(work: Coroutine[Any, Any, T]) -> tuple[T, asyncio.CancelledError | None]:
    """The result of the work, and the cancellation that came meanwhile: half of it would hold up all others."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait((task,))
        except asyncio.CancelledError as error:
            cancelled = error
    return task.result(), cancelled
