from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import npm
from tests.clients.demo_process import Demo, running_demo
from tests.clients.peers import Programs

OLDEST_NODE = (22, 19)
"""The inspector's."""


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """One a worker. Beside what is seeded its first guild has `harbor-office`, which most members don't see."""
    with running_demo(tmp_path_factory.mktemp("demo")) as demo:
        asyncio.run(demo.make_private_channel("harbor-office", "the rent is late"))
        yield demo


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Programs:
    """Skips where npm, Node.js or the registry is missing; fails where everything must be there."""
    here = Path(__file__).parent
    try:
        packages = npm.install("clients", (here / "package.json").read_text(), (here / "package-lock.json").read_text())
        return Programs(npm.node(OLDEST_NODE), packages, tmp_path_factory.mktemp("home"))
    except npm.Unavailable as error:
        message = f"Other people's MCP clients were not tried: {error}"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
