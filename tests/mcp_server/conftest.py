from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.mcp_server.served import Served, serving


@pytest.fixture
async def served(tmp_path: Path) -> AsyncGenerator[Served]:
    async with serving(tmp_path) as served:
        yield served


@pytest.fixture
async def token(served: Served) -> str:
    _, token = await served.token()
    return token
