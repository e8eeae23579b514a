"""Which errors mean that the database can't be used right now."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

# Primary result codes of SQLite: https://www.sqlite.org/rescode.html
UNUSABLE_SQLITE = {
    sqlite3.SQLITE_BUSY: "it is locked by another process",
    sqlite3.SQLITE_LOCKED: "it is locked",
    sqlite3.SQLITE_NOMEM: "memory ran out",
    sqlite3.SQLITE_READONLY: "its file can't be written",
    sqlite3.SQLITE_INTERRUPT: "the statement was interrupted",
    sqlite3.SQLITE_IOERR: "its disk has an I/O error",
    sqlite3.SQLITE_CORRUPT: "its file is damaged",
    sqlite3.SQLITE_FULL: "its disk is full",
    sqlite3.SQLITE_CANTOPEN: "its file can't be opened",
    sqlite3.SQLITE_PROTOCOL: "its locks are contended",
    sqlite3.SQLITE_NOTADB: "its file is no SQLite database",
}
# Classes of SQLSTATE: connection exception, insufficient resources, operator intervention, system error.
UNUSABLE_SQLSTATES = ("08", "53", "57", "58")
CANT_CONNECT = (asyncpg.InterfaceError, asyncpg.PostgresError, OSError)


class DatabaseUnavailable(Exception):
    """The database can't be used right now. What was asked for didn't happen, or, if it was a commit, may have."""


@contextmanager
def outages() -> Generator[None]:
    """Turns errors of a database that can't be used into DatabaseUnavailable; lets others pass."""
    try:
        yield
    except DBAPIError as error:
        reason = why_unavailable(error)
        if reason is None:
            raise
        raise DatabaseUnavailable(f"The database can't be used: {reason}.") from error
    except PoolTimeoutError as error:
        raise DatabaseUnavailable("The database can't be used: all connections are taken.") from error
    except TimeoutError as error:
        raise DatabaseUnavailable("The database can't be used: it did not answer in time.") from error
    except CANT_CONNECT as error:
        raise DatabaseUnavailable(f"The database can't be used: {type(error).__name__}: {error}") from error


def why_unavailable(error: DBAPIError) -> str | None:
    """Why the database can't be used, or None when it can and the statement was wrong."""
    original = error.orig
    if isinstance(original, sqlite3.Error):
        code = getattr(original, "sqlite_errorcode", None)
        if isinstance(code, int):
            return UNUSABLE_SQLITE.get(code & 0xFF)
        return str(original) if error.connection_invalidated else None
    if error.connection_invalidated:
        return "the connection was lost"
    state = getattr(original, "sqlstate", None)
    if isinstance(state, str) and state.startswith(UNUSABLE_SQLSTATES):
        return f"PostgreSQL answered {state}"
    # A statement on a connection that asyncpg has already closed carries no SQLSTATE.
    return "the connection is closed" if "connection is closed" in str(original) else None
