from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from tests.mcp_server.transports.small_server import Running, running


@pytest.fixture
async def served() -> AsyncGenerator[Running]:
    async with running() as served:
        yield served
