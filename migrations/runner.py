"""Brings a database's schema to a revision, up or down. Two processes that try at once do it one after the other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from storage import engines
from storage.outages import outages

LOCK_NUMBER = 0x6775696C64  # "guild": any number will do that nobody else locks


def engine_for(url: str) -> AsyncEngine:
    """An engine whose transactions may take long. Raises ValueError for a URL that can't be used."""
    parsed = engines.parse_url(url)
    if engines.is_sqlite(parsed):
        return engines.sqlite_writer(parsed)
    return engines.postgresql(parsed, statement_seconds=None)


async def upgrade(url: str, revision: str = "head") -> None:
    """Migrates up. Raises DatabaseUnavailable, ValueError for a URL that can't be used."""
    await _run(url, command.upgrade, revision)


async def downgrade(url: str, revision: str) -> None:
    """Migrates down; ``base`` takes everything away."""
    await _run(url, command.downgrade, revision)


async def current(url: str) -> str | None:
    """The revision that the database is at; None for an empty one."""
    engine = engine_for(url)
    try:
        with outages():
            async with engine.connect() as connection:
                return await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())
    finally:
        await engine.dispose()


def newest() -> str | None:
    """The revision that this version of the program needs."""
    return ScriptDirectory.from_config(_config()).get_current_head()


async def _run(url: str, migrate: Callable[[Config, str], Any], revision: str) -> None:
    engine = engine_for(url)

    def run(connection: Connection) -> None:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": LOCK_NUMBER})
        # On SQLite, BEGIN IMMEDIATE is the lock.
        config = _config()
        config.attributes["connection"] = connection
        migrate(config, revision)

    try:
        with outages():
            async with engine.begin() as connection:
                await connection.run_sync(run)
    finally:
        await engine.dispose()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
