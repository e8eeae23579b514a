"""Who waits for a command does not wait for the import of what it has no use for."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.app import Town, environment
from tests.served_process import COMMAND_SECONDS, process_environment

DISCORD = {"discord", "bot.client", "bot.core", "bot.serving_core", "operations", "mcp_server.server"}
STORAGE = {"sqlalchemy", "alembic", "aiosqlite", "asyncpg", "redis", "storage"}
CLIENT = {"mcp", "aiohttp"}
LISTS_WHAT_IT_IMPORTED = """
import atexit, sys
from bot.__main__ import main
atexit.register(lambda: print("\\nIMPORTED", *sys.modules, file=sys.stderr))
sys.exit(main(sys.argv[1:]))
"""


async def imported_by(settings: Mapping[str, str], folder: Path, *arguments: str) -> set[str]:
    """The modules that a command imported from its start to its end; its standard input is empty."""

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", LISTS_WHAT_IT_IMPORTED, *arguments],
            env=process_environment(settings),
            cwd=folder,
            input="",
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )

    done = await asyncio.to_thread(run)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.rpartition("IMPORTED")[2].split())


@pytest.mark.parametrize("option", ["--help", "--version"])
async def test_help_takes_neither_discord_py_nor_storage_nor_the_mcp_sdk(tmp_path: Path, option: str) -> None:
    assert not await imported_by({}, tmp_path, option) & (DISCORD | STORAGE | CLIENT)


async def test_a_proxy_to_a_named_instance_takes_neither_discord_py_nor_storage(tmp_path: Path) -> None:
    given = {"GUILDHALL_URL": "http://127.0.0.1:9", "GUILDHALL_TOKEN": "gh_nobody"}
    imported = await imported_by(given, tmp_path, "stdio")
    assert imported >= CLIENT
    assert not imported & (DISCORD | STORAGE | {"bot.settings"})


@pytest.mark.asyncio(loop_scope="session")
async def test_a_proxy_to_the_instance_on_the_same_database_takes_no_discord_py(town: Town, tmp_path: Path) -> None:
    """It asks the database for the address, so that it takes."""
    imported = await imported_by(town.environment, tmp_path, "stdio", "--as", town.anchor["members"]["amy"])
    assert "storage" in imported
    assert not imported & DISCORD


@pytest.mark.asyncio(loop_scope="session")
async def test_listing_tokens_takes_the_database_alone(town: Town, tmp_path: Path) -> None:
    imported = await imported_by(environment(town.sandbox, tmp_path / "data"), tmp_path, "token", "list")
    assert "storage" in imported
    assert not imported & (DISCORD | CLIENT)
