from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest_asyncio

from bot.core import Core
from tests.app import Town
from tests.operations.discord.crew import CREW
from tests.operations.discord.road import Road, install
from tests.sandbox_process import SandboxProcess

MANAGER = ["manage_channels", "manage_roles", "manage_messages"]


@pytest_asyncio.fixture(loop_scope="session")
async def core_and_sandbox(town: Town) -> tuple[Core, SandboxProcess]:
    return town.core, town.sandbox


@pytest_asyncio.fixture(loop_scope="session")
async def road(core_and_sandbox: tuple[Core, SandboxProcess]) -> AsyncGenerator[Road]:
    """A guild of the test's own: olive owns it, ada administers, marlow manages channels, nina is a member."""
    core, sandbox = core_and_sandbox
    guild = await sandbox.make_guild(
        "Test Harbor",
        owner="olive",
        roles=[
            {"name": "Admin", "permissions": ["administrator"]},
            {"name": "Manager", "permissions": MANAGER},
            {"name": "Member"},
        ],
        members=[
            {"name": "ada", "roles": ["Admin"]},
            {"name": "marlow", "roles": ["Manager"]},
            {"name": "nina", "roles": ["Member"]},
        ],
        channels=[
            {"name": "Talk", "type": "category"},
            {"name": "general", "category": "Talk", "topic": "anything \u202egoes"},
            {"name": "lounge", "type": "voice", "category": "Talk"},
            {
                "name": "Staff",
                "type": "category",
                "overwrites": [
                    {"role": "@everyone", "deny": ["view_channel"]},
                    {"role": "Manager", "allow": ["view_channel"]},
                    {"role": "Guildhall", "allow": ["view_channel"]},
                ],
            },
            {
                "name": "mod-room",
                "category": "Staff",
                "overwrites": [
                    {"role": "@everyone", "deny": ["view_channel"]},
                    {"role": "Manager", "allow": ["view_channel"]},
                    {"role": "Guildhall", "allow": ["view_channel"]},
                ],
            },
            {"name": "open-desk", "category": "Staff"},
            {"name": "old-support"},
        ],
    )
    await install(core, guild)
    yield Road(core, sandbox, guild)
    await sandbox.control("reset")
    await sandbox.control("remove_guild", guild=guild["id"])


@pytest_asyncio.fixture(loop_scope="session")
async def crew(core_and_sandbox: tuple[Core, SandboxProcess]) -> AsyncGenerator[Road]:
    """A guild to moderate in, see tests.operations.discord.crew."""
    core, sandbox = core_and_sandbox
    guild = await sandbox.make_guild("Crew Harbor", **CREW)
    await install(core, guild)
    yield Road(core, sandbox, guild)
    await sandbox.control("reset")
    await sandbox.control("remove_guild", guild=guild["id"])
