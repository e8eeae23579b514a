"""Databases for the tests of storage; see tests.databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from pathlib import Path

import pytest

from storage.crypto import Keyring
from storage.database import Database
from tests import databases


@pytest.fixture
def keyring() -> Keyring:
    return databases.new_keyring()


@pytest.fixture(params=databases.DIALECTS)
def dialect(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Generator[databases.MigratedDatabases]:
    copies = databases.MigratedDatabases(tmp_path_factory.mktemp("migrated"))
    yield copies
    asyncio.run(copies.close())


@pytest.fixture
async def database_url(dialect: str, tmp_path: Path, migrated: databases.MigratedDatabases) -> AsyncGenerator[str]:
    async with migrated.fresh_url(dialect, tmp_path) as url:
        yield url


@pytest.fixture
async def database(database_url: str, keyring: Keyring) -> AsyncGenerator[Database]:
    """A migrated database; the test runs once on each dialect."""
    async with Database.open(database_url, keyring, migrate=False) as opened:
        yield opened


@pytest.fixture
async def sqlite(tmp_path: Path, keyring: Keyring, migrated: databases.MigratedDatabases) -> AsyncGenerator[Database]:
    async with (
        migrated.fresh_url("sqlite", tmp_path) as url,
        Database.open(url, keyring, migrate=False) as opened,
    ):
        yield opened


@pytest.fixture
async def redis_prefix() -> AsyncGenerator[str]:
    async with databases.fresh_redis_prefix() as prefix:
        yield prefix


Eventually = Callable[[Callable[[], Awaitable[bool]]], Awaitable[None]]


@pytest.fixture
def eventually() -> Eventually:
    """Waits until a condition holds; fails after ten seconds."""

    async def wait(condition: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(10):
            while not await condition():  # noqa: ASYNC110 - what is waited for is in a database
                await asyncio.sleep(0.01)

    return wait
