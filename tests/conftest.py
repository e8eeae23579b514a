"""What every folder of tests may use: the running product (tests.app)."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio

from tests.app import Place, Town, running_town


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def running_instance(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Town]:
    """One sandbox and one connected app a worker."""
    async with running_town(tmp_path_factory.mktemp("instance")) as town:
        yield town


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
