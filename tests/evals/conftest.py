"""The assistant of a test: its engine over the worker's app, with a provider of its own."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest_asyncio

from tests.app import Place, Town
from tests.evals.harness import Assistant, assistant_over
from tests.evals.mentions import Answering, allowed, answering_over


@pytest_asyncio.fixture(loop_scope="session")
async def assistant(town: Town) -> AsyncGenerator[Assistant]:
    async with assistant_over(town) as assistant:
        yield assistant


@pytest_asyncio.fixture(loop_scope="session")
async def answering(town: Town) -> AsyncGenerator[Answering]:
    """It hears mentions, as in the product."""
    async with answering_over(town) as answering:
        yield answering


@pytest_asyncio.fixture(loop_scope="session")
async def harbor(answering: Answering) -> Place:
    """It may answer in #general and #mod-room."""
    return await allowed(await answering.town.place(), "general", "mod-room")
