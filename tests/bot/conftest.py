from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio

from tests.bot.guildhall_client import Connected, connected_client
from tests.sandbox_process import GuildIds, SandboxProcess


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def sandbox_for_session() -> AsyncGenerator[SandboxProcess]:
    """One sandbox a worker."""
    async with SandboxProcess() as sandbox:
        yield sandbox


@pytest_asyncio.fixture
async def sandbox(sandbox_for_session: SandboxProcess) -> AsyncGenerator[SandboxProcess]:
    """The worker's sandbox; faults and limits end with the test."""
    yield sandbox_for_session
    await sandbox_for_session.control("reset")


@pytest.fixture
def identifies_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new session does not wait for Discord's 5 seconds: their pace has tests of its own."""
    monkeypatch.setattr("bot.identify_pace.IDENTIFY_SECONDS", 0.0)


@pytest_asyncio.fixture
async def guild(sandbox: SandboxProcess) -> GuildIds:
    """A guild of this test's own."""
    return await sandbox.make_guild(
        "Harbor",
        owner="olive",
        roles=[{"name": "Mod", "permissions": ["manage_messages"]}],
        members=[{"name": "ada", "roles": ["Mod"]}, {"name": "nina"}],
        channels=[{"name": "general"}, {"name": "voice", "type": "voice"}],
    )


@pytest_asyncio.fixture
async def connected(sandbox: SandboxProcess, guild: GuildIds) -> AsyncGenerator[Connected]:
    async with connected_client(sandbox) as connected:
        await connected.until_ready(guild)
        yield connected
