"""A database that another process keeps from being written."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, closing, contextmanager

import asyncpg


@asynccontextmanager
async def writes_blocked(url: str) -> AsyncGenerator[None]:
    """No call can be written until the block ends; reads go on."""
    if url.startswith("sqlite"):
        with sqlite_locked(url):
            yield
        return
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE call IN EXCLUSIVE MODE")
            yield
    finally:
        await connection.close()


@contextmanager
def sqlite_locked(url: str) -> Generator[None]:
    """The write lock of a SQLite database, as any other program may take it."""
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=10, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        try:
            yield
        finally:
            connection.execute("ROLLBACK")
