"""aiosqlite with fewer visits to its thread: one a statement, where it makes four (cursor, execute, fetch, close).

Each visit costs two switches of the interpreter's lock, which under load is more than the statement itself. Statements
that only open or close a transaction or a savepoint go along with the next visit, and their errors are raised there.
This is the one module that touches what aiosqlite keeps to itself; it is checked when it is imported.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Self, TypeVar

import aiosqlite

T = TypeVar("T")

DEFERRED = ("BEGIN", "SAVEPOINT", "RELEASE")

_MOVED = [
    name
    for name, stands in {
        "_execute": hasattr(aiosqlite.Connection, "_execute"),
        "_conn": hasattr(aiosqlite.Connection, "_conn"),
        "_thread": "_thread" in aiosqlite.Connection.__init__.__code__.co_names,
    }.items()
    if not stands
]
if _MOVED:
    raise ImportError(f"aiosqlite's Connection has no {', '.join(_MOVED)} here. Install the version in requirements/.")


class Cursor:
    """What SQLAlchemy asks of a cursor. Rows are fetched together with the execution."""

    def __init__(self, connection: Connection) -> None:
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self.arraysize = 1
        self._connection = connection
        self._rows: list[Any] = []

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Cursor:
        if statement.startswith(DEFERRED):
            self._connection.defer(statement)
            return self
        await self._connection.visit(lambda: self._run(statement, parameters))
        return self

    async def executemany(self, statement: str, parameters: Sequence[Sequence[Any]]) -> Cursor:
        await self._connection.visit(lambda: self._run_many(statement, parameters))
        return self

    async def fetchall(self) -> list[Any]:
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        """Nothing to do: the statement was reset in the visit that ran it."""

    def _run(self, statement: str, parameters: Sequence[Any]) -> None:
        self._take(self._connection.inner().execute(statement, parameters))

    def _run_many(self, statement: str, parameters: Sequence[Sequence[Any]]) -> None:
        self._take(self._connection.inner().executemany(statement, parameters))

    def _take(self, cursor: sqlite3.Cursor) -> None:
        self.description = cursor.description
        self._rows = cursor.fetchall() if cursor.description else []
        self.rowcount = cursor.rowcount
        self.lastrowid = cursor.lastrowid
        cursor.close()


class Connection(aiosqlite.Connection):
    """A connection whose cursors are those above."""

    def __init__(self, connector: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(connector, iter_chunk_size=64)
        self._deferred: list[str] = []

    def cursor(self) -> Cursor:  # type: ignore[override]
        return Cursor(self)

    def inner(self) -> sqlite3.Connection:
        """Raises ValueError when it is closed."""
        return self._conn

    def defer(self, statement: str) -> None:
        """Runs the statement at the beginning of the next visit."""
        self._deferred.append(statement)

    async def visit(self, work: Callable[[], T]) -> T:
        """Runs the work in the connection's thread, after all that was asked before."""
        first, self._deferred = self._deferred, []

        def run() -> T:
            for statement in first:
                self.inner().execute(statement)
            return work()

        return await self._execute(run)  # pyright: ignore[reportUnknownMemberType]

    async def commit(self) -> None:
        await self.visit(lambda: self.inner().commit())

    async def rollback(self) -> None:
        # What was to be begun need not be begun to be rolled back; a savepoint that was to be closed, neither.
        self._deferred.clear()
        await self.visit(lambda: self.inner().rollback())

    def in_background(self) -> Connection:
        """A process that ends without closing must not wait for the thread."""
        self._thread.daemon = True
        return self


def connect(database: str, **options: Any) -> Connection:
    """For SQLAlchemy's ``async_creator_fn``. Transactions are begun by statements alone, never by the driver."""

    def connector() -> sqlite3.Connection:
        return sqlite3.connect(database, isolation_level=None, **options)

    return Connection(connector).in_background()
