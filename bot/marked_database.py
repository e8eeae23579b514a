"""The database of these settings, opened for the one use that it is marked for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from bot.settings import Settings
from storage import instance
from storage.crypto import Keyring
from storage.database import Database
from storage.instance import Mark

KEYS_FILE = "secret_keys"


def mark_of(settings: Settings) -> Mark:
    """What the database is for: a Discord on loopback is a sandbox, and its database never serves the real one."""
    return Mark.SANDBOX if settings.talks_to_loopback else Mark.PRODUCTION


def keyring_of(settings: Settings) -> Keyring:
    """The instance's secrets; made at the first use. Raises ValueError for bad ones, OSError."""
    keys = settings.secret_keys.get_secret_value() if settings.secret_keys else None
    return Keyring.load(keys, settings.data_dir / KEYS_FILE)


@asynccontextmanager
async def opened_database(settings: Settings, mark: Mark) -> AsyncGenerator[Database]:
    """The database of these settings, migrated and marked.

    Raises ValueError for a bad URL or keys, DatabaseUnavailable, and MarkMismatch for a database of the other use.
    """
    keyring = await asyncio.to_thread(keyring_of, settings)
    async with Database.open(settings.database, keyring) as database:
        async with database.unit_of_work() as session:
            await instance.set_mark(session, mark)
        yield database
