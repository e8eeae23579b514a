"""Fresh databases for tests, SQLite always and PostgreSQL where it answers; Redis likewise.

Each test gets a database of its own, so that the suite can run in parallel. Where PostgreSQL or Redis is missing, its
tests are skipped; with CI=true they fail instead.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from asyncpg import Connection
from redis.asyncio import Redis
from redis.exceptions import RedisError

from migrations import runner
from storage.crypto import Keyring

ADMINISTRATION_URL = "postgresql://postgres@127.0.0.1:5432/test"
REDIS_URL = "redis://127.0.0.1:6379/0"
DIALECTS = ("sqlite", "postgresql")


def new_keyring() -> Keyring:
    return Keyring(["a key for tests that nobody must use elsewhere"])


def missing(what: str) -> None:
    """Skips the test; fails it where everything must be there."""
    message = f"{what} does not answer on 127.0.0.1, and this test needs it."
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


@asynccontextmanager
async def fresh_postgresql(template: str = "template0") -> AsyncGenerator[str]:
    """The URL of a new database, dropped afterwards."""
    administration = await administer()
    name = f"guildhall_test_{secrets.token_hex(8)}"
    try:
        await administration.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY wal_log")
        try:
            yield postgresql_url(name)
        finally:
            await administration.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await administration.close()


async def administer() -> Connection:
    try:
        return await asyncpg.connect(ADMINISTRATION_URL, timeout=5)
    except (OSError, asyncpg.PostgresError):
        missing("PostgreSQL")
        raise


def postgresql_url(name: str) -> str:
    return ADMINISTRATION_URL.rpartition("/")[0] + f"/{name}"


@asynccontextmanager
async def fresh_database_url(dialect: str, folder: Path) -> AsyncGenerator[str]:
    """The URL of an empty database of this dialect."""
    if dialect == "sqlite":
        yield f"sqlite:///{folder / 'guildhall.db'}"
        return
    async with fresh_postgresql() as url:
        yield url


class MigratedDatabases:
    """Copies of databases that are migrated once a worker: a migration takes longer than most tests."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "migrated.db"
        self._template: str | None = None

    @asynccontextmanager
    async def fresh_url(self, dialect: str, folder: Path) -> AsyncGenerator[str]:
        """The URL of a migrated database of this dialect, with no rows in it."""
        if dialect == "sqlite":
            yield await self._sqlite(folder / "guildhall.db")
            return
        async with fresh_postgresql(await self._postgresql()) as url:
            yield url

    async def close(self) -> None:
        if self._template is not None:
            administration = await administer()
            await administration.execute(f"DROP DATABASE {self._template} WITH (FORCE)")
            await administration.close()

    async def _sqlite(self, path: Path) -> str:
        if not self._file.exists():
            await runner.upgrade(f"sqlite:///{self._file}")
        shutil.copyfile(self._file, path)
        return f"sqlite:///{path}"

    async def _postgresql(self) -> str:
        if self._template is None:
            name = f"guildhall_test_{secrets.token_hex(8)}"
            administration = await administer()
            await administration.execute(f"CREATE DATABASE {name} TEMPLATE template0 STRATEGY wal_log")
            await administration.close()
            self._template = name
            await runner.upgrade(postgresql_url(name))
        return self._template


@asynccontextmanager
async def fresh_redis_prefix() -> AsyncGenerator[str]:
    """A prefix for keys that nobody else uses; the keys are deleted afterwards."""
    prefix = f"guildhall-test-{secrets.token_hex(8)}"
    async with Redis(host="127.0.0.1", port=6379, socket_timeout=2, socket_connect_timeout=2) as redis:
        try:
            await redis.get(prefix)
        except (RedisError, OSError):
            missing("Redis")
        yield prefix
        found = await redis.keys(f"*{prefix}*")  # pyright: ignore[reportUnknownMemberType]
        if found:
            await redis.delete(*found)
