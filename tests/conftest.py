"""What every folder of tests may use: the running product (tests.app)."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio

from tests.app import Place, Town, running_town
from tests.databases import fresh_database_url
from tests.openapi import MISSING, description, distinct

DATABASE = os.environ.get("TEST_DATABASE", "sqlite")
"""Which database the running product has: sqlite or postgresql. Stores are tested on both whatever this says."""


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def running_instance(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Town]:
    """One sandbox and one connected app a worker."""
    folder = tmp_path_factory.mktemp("instance")
    async with fresh_database_url(DATABASE, folder) as url, running_town(folder, {"DATABASE_URL": url}) as town:
        yield town
        await requests_are_described(town)


async def requests_are_described(town: Town) -> None:
    """What the bot has asked of Discord, whatever the tests were about, is in Discord's OpenAPI description."""
    known = description()
    if known is None:
        warn(MISSING)
        return
    log = await town.sandbox.control("requests", cleared=True)
    found = {problem for entry in distinct(log["requests"]) for problem in known.problems(entry)}
    assert not found, "\n".join(sorted(found))


def warn(text: str) -> None:
    """Shown whatever pytest captures; warnings are errors here."""
    sys.__stderr__.write(f"\n{text}\n") if sys.__stderr__ is not None else None


@pytest_asyncio.fixture(loop_scope="session")
async def town(running_instance: Town) -> Town:
    await running_instance.serving()
    return running_instance


@pytest_asyncio.fixture(loop_scope="session")
async def place(town: Town) -> Place:
    """A guild of the test's own, in a workspace of its own."""
    return await town.place()


@pytest_asyncio.fixture(loop_scope="session")
async def elsewhere(town: Town) -> Place:
    """A guild of another workspace."""
    return await town.place("Elsewhere")
