from __future__ import annotations

from collections.abc import AsyncGenerator

import discord
import pytest_asyncio

from tests.sandbox.bot_client import ListeningBot, connected_bot
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


@pytest_asyncio.fixture
async def ids(sandbox: SandboxProcess) -> GuildIds:
    """A guild of this test's own."""
    return await sandbox.make_guild(
        "Test Harbor",
        owner="olive",
        roles=[
            {"name": "Admin", "permissions": ["administrator"]},
            {"name": "Mod", "permissions": ["ban_members", "kick_members", "moderate_members", "manage_messages"]},
            {"name": "Member", "permissions": []},
        ],
        members=[
            {"name": "ada", "roles": ["Admin"]},
            {"name": "marlow", "roles": ["Mod"], "nick": "Captain"},
            {"name": "nina", "roles": ["Member"]},
            {"name": "theo"},
        ],
        channels=[
            {"name": "Talk", "type": "category"},
            {"name": "general", "category": "Talk", "topic": "anything"},
            {"name": "random"},
            {"name": "voice", "type": "voice", "category": "Talk"},
            {
                "name": "mod-room",
                "overwrites": [
                    {"role": "@everyone", "deny": ["view_channel"]},
                    {"role": "Mod", "allow": ["view_channel"]},
                ],
            },
        ],
    )


@pytest_asyncio.fixture
async def bot(sandbox: SandboxProcess) -> AsyncGenerator[ListeningBot]:
    async with connected_bot(sandbox) as bot:
        yield bot


@pytest_asyncio.fixture
async def guild(bot: ListeningBot, ids: GuildIds) -> discord.Guild:
    return await bot.until_guild(ids["id"])
