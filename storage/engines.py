"""Engines of SQLAlchemy for SQLite and PostgreSQL, with the settings that the stores rely on."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, ExceptionContext, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from storage import sqlite_driver

WAIT_SECONDS = 5.0
HOW_TO_WRITE_ONE = "Write sqlite:///path/to/file.db or postgresql://user:password@host:5432/name."
SQLITE_OPTIONS = {"timeout": WAIT_SECONDS, "async_creator_fn": sqlite_driver.connect}
SQLITE_DRIVERS = {"sqlite", "sqlite+aiosqlite"}
POSTGRESQL_DRIVERS = {"postgres", "postgresql", "postgresql+asyncpg"}


def parse_url(text: str) -> URL:
    """The URL with its driver. Raises ValueError, without the password, for one that can't be used."""
    try:
        url = make_url(text.strip())
    except (ArgumentError, ValueError):
        raise ValueError(f"DATABASE_URL is no database URL. {HOW_TO_WRITE_ONE}") from None
    if url.drivername in SQLITE_DRIVERS:
        if not url.database or ":memory:" in url.database or url.database.startswith("file:"):
            raise ValueError(f"DATABASE_URL must name a file for SQLite. {HOW_TO_WRITE_ONE}")
        if url.host or url.query:
            raise ValueError(f"DATABASE_URL for SQLite has a path and nothing else. {HOW_TO_WRITE_ONE}")
        return url.set(drivername="sqlite+aiosqlite")
    if url.drivername in POSTGRESQL_DRIVERS:
        if not url.database:
            raise ValueError(f"DATABASE_URL names no database. {HOW_TO_WRITE_ONE}")
        return url.set(drivername="postgresql+asyncpg")
    raise ValueError(f"DATABASE_URL begins with '{url.drivername}', which is not supported. {HOW_TO_WRITE_ONE}")


def is_sqlite(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"


def sqlite_path(url: URL) -> Path:
    if url.database is None:
        raise ValueError("The URL names no file.")
    return Path(url.database)


def sqlite_writer(url: URL) -> AsyncEngine:
    """One connection; every transaction is BEGIN IMMEDIATE, so that none fails half-way for want of the write lock.

    A cancelled task leaves the connection in use: the driver's thread works through its queue in order, so that what
    comes after the cancelled statement finds the connection as it should be.
    """
    engine = create_async_engine(
        url,
        pool_size=1,
        max_overflow=0,
        pool_timeout=WAIT_SECONDS,
        # Every transaction is ended by who began it: the pool need not roll back once more.
        pool_reset_on_return=None,
        connect_args=SQLITE_OPTIONS,
    )
    event.listen(engine.sync_engine, "connect", _prepare_writer)
    event.listen(engine.sync_engine, "begin", _begin_immediate)
    event.listen(engine.sync_engine, "handle_error", _keep_after_cancellation)
    return engine


def sqlite_reader(url: URL) -> AsyncEngine:
    """Connections that refuse to write; each transaction sees one state of the database."""
    engine = create_async_engine(
        url, pool_size=4, max_overflow=0, pool_timeout=WAIT_SECONDS, connect_args=SQLITE_OPTIONS
    )
    event.listen(engine.sync_engine, "connect", _prepare_reader)
    event.listen(engine.sync_engine, "begin", _begin_deferred)
    return engine


def postgresql(url: URL, *, statement_seconds: float | None = WAIT_SECONDS) -> AsyncEngine:
    """A pool that tests a connection before it hands it out, so that a restart of the server is survived."""
    return create_async_engine(
        url,
        pool_size=8,
        max_overflow=8,
        pool_timeout=WAIT_SECONDS,
        pool_pre_ping=True,
        connect_args={"timeout": WAIT_SECONDS, "command_timeout": statement_seconds},
    )


def postgresql_reader(engine: AsyncEngine) -> AsyncEngine:
    """The same pool, with read-only transactions that see one state of the database."""
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def _prepare_writer(connection: Any, _record: object) -> None:
    _run_pragmas(connection, ("busy_timeout=5000", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"))


def _prepare_reader(connection: Any, _record: object) -> None:
    _run_pragmas(connection, ("busy_timeout=5000", "query_only=ON"))


def _run_pragmas(connection: Any, pragmas: tuple[str, ...]) -> None:
    cursor = connection.cursor()
    try:
        for pragma in pragmas:
            _run_pragma(cursor, pragma)
    finally:
        cursor.close()


def _run_pragma(cursor: Any, pragma: str) -> None:
    # Two processes that turn a new file to WAL at once get SQLITE_BUSY without the busy timeout being waited for.
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            cursor.execute(f"PRAGMA {pragma}")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        else:
            return


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_deferred(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN DEFERRED")


def _keep_after_cancellation(context: ExceptionContext) -> None:
    if isinstance(context.original_exception, asyncio.CancelledError):
        context.is_disconnect = False
