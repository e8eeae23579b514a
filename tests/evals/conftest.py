"""The assistant of a test: its engine over the worker's app, with a provider of its own."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest_asyncio

from tests.app import Town
from tests.evals.harness import Assistant, assistant_over


@pytest_asyncio.fixture(loop_scope="session")
async def assistant(town: Town) -> AsyncGenerator[Assistant]:
    async with assistant_over(town) as assistant:
        yield assistant
