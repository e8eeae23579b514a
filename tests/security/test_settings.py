"""The sandbox never reaches production, and production never the sandbox."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot import settings
from bot.marked_database import opened_database
from storage.instance import Mark, MarkMismatch
from tests.app import Town
from tests.served_process import process_environment

REAL_SHAPE = "MTIzNDU2Nzg5MDEyMzQ1Njc4OQ.GhIjKl.abcdefghijklmnopqrstuvwxyz0123456789AB"
KEYS = "a key for tests that nobody must use elsewhere"
# Nothing listens there: a command that should refuse must not even come to asking.
SANDBOX_URL = "http://127.0.0.1:9/api/v10"
DRIVER = """
import contextlib, io, json, os, sys
from bot.__main__ import main
for line in sys.stdin:
    case = json.loads(line)
    os.environ.clear()
    os.environ.update(case["environment"])
    told = io.StringIO()
    with contextlib.redirect_stderr(told), contextlib.redirect_stdout(told):
        try:
            code = main(case["arguments"])
        except SystemExit as ended:
            code = ended.code
    print(json.dumps({"code": code, "said": told.getvalue()}), flush=True)
"""


@dataclass(frozen=True, slots=True)
class Case:
    arguments: list[str]
    environment: dict[str, str]


async def ran(folder: Path, cases: list[Case]) -> list[dict[str, Any]]:
    """Every command with its settings, one after the other in one process: its exit code and what it said."""
    base = process_environment({})
    lines = [json.dumps({"arguments": case.arguments, "environment": base | case.environment}) for case in cases]

    def run() -> list[dict[str, Any]]:
        done = subprocess.run(
            [sys.executable, "-c", DRIVER],
            input="\n".join(lines) + "\n",
            env=base,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    return await asyncio.to_thread(run)


def production(folder: Path) -> dict[str, str]:
    return {"DISCORD_BOT_TOKEN": REAL_SHAPE, "DATA_DIR": str(folder), "SECRET_KEYS": KEYS}


def against_sandbox(folder: Path) -> dict[str, str]:
    return {
        "DISCORD_BOT_TOKEN": "sandbox.token",
        "DISCORD_API_BASE_URL": SANDBOX_URL,
        "ALLOW_INSECURE_DISCORD_API": "true",
        "DATA_DIR": str(folder),
        "SECRET_KEYS": KEYS,
    }


COMMANDS = [
    ["run"],
    ["stdio"],
    ["migrate"],
    ["token", "list"],
    ["token", "create", "--name", "x", "--as", "1"],
    ["token", "revoke", "mc_1"],
    ["audit", "verify"],
    ["audit", "export"],
]


async def test_line_23_no_command_opens_a_database_of_the_other_use(tmp_path: Path) -> None:
    """All commands, both ways; the demo takes no database of anybody's at all (below)."""
    sandbox, real = tmp_path / "sandbox", tmp_path / "production"
    for folder, mark in ((sandbox, Mark.SANDBOX), (real, Mark.PRODUCTION)):
        given = settings.load(production(folder), env_file=None)
        async with opened_database(given, mark):
            pass
    cases = [Case(command, production(sandbox)) for command in COMMANDS]
    cases += [Case(command, against_sandbox(real)) for command in COMMANDS]
    for case, found in zip(cases, await ran(tmp_path, cases), strict=True):
        assert found["code"] == 1, (case.arguments, found)
        assert "sandbox" in found["said"], (case.arguments, found)
        assert REAL_SHAPE not in found["said"]
        assert "Traceback" not in found["said"], (case.arguments, found)
    for folder, mark in ((sandbox, Mark.PRODUCTION), (real, Mark.SANDBOX)):
        with pytest.raises(MarkMismatch):
            async with opened_database(settings.load(production(folder), env_file=None), mark):
                pass


async def test_line_23_a_real_token_never_goes_to_another_address_in_the_clear(tmp_path: Path) -> None:
    """Nor does the demo start where one is set, or where a sandbox's token would go to Discord."""
    foreign = {**production(tmp_path), "DISCORD_API_BASE_URL": "http://discord.example.org/api/v10"}
    other_host = {**foreign, "ALLOW_INSECURE_DISCORD_API": "true"}
    sandbox_token = {**production(tmp_path), "DISCORD_BOT_TOKEN": "sandbox.token"}
    cases = [
        Case(["run"], foreign),
        Case(["run"], other_host),
        Case(["stdio"], other_host),
        Case(["run"], sandbox_token),
        Case(["demo", "--port", "0", "--json"], {"DISCORD_BOT_TOKEN": REAL_SHAPE}),
        Case(["demo", "--port", "0", "--json"], production(tmp_path)),
    ]
    for case, found in zip(cases, await ran(tmp_path, cases), strict=True):
        assert found["code"] == 1, (case, found)
        assert found["said"].startswith("guildhall: DISCORD_"), (case, found)
        assert REAL_SHAPE not in found["said"]
        assert "Traceback" not in found["said"]
    assert not (tmp_path / "guildhall.db").exists()


async def test_line_23_the_demo_takes_nothing_of_the_environment(tmp_path: Path) -> None:
    """Neither the database nor the guilds, keys or Redis that are set there."""
    mine = tmp_path / "mine"
    given = settings.load({"DATA_DIR": str(mine), "DISCORD_BOT_TOKEN": REAL_SHAPE, "SECRET_KEYS": KEYS}, env_file=None)
    async with opened_database(given, Mark.PRODUCTION):
        pass
    files = {path: path.read_bytes() for path in mine.iterdir() if path.suffix == ".db"}
    assert files
    environment = {
        "DATABASE_URL": f"sqlite:///{mine / 'guildhall.db'}",
        "DATA_DIR": str(mine),
        "REDIS_URL": "redis://127.0.0.1:9/0",
        "ALLOWED_GUILD_IDS": "123456789012345678",
        "PUBLIC_URL": "https://guildhall.example.org",
        "SECRET_KEYS": KEYS,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bot", "demo", "--port", "0", "--json"),
        env=process_environment(environment),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            shown = json.loads(await process.stdout.readline())
        assert shown["mcp_url"].startswith("http://127.0.0.1:")
        assert shown["control_url"].startswith("http://127.0.0.1:")
        assert shown["preview_url"].startswith("http://127.0.0.1:")
        assert len(shown["guilds"]) == 2
        headers = {"Authorization": f"Bearer {shown['control_token']}", "Host": "evil.example.org"}
        async with aiohttp.ClientSession() as session:
            async with session.post(f"{shown['control_url']}/world", json={}, headers=headers) as rebound:
                assert rebound.status == 403
            page = shown["preview_url"].partition("#")[0]
            async with session.get(page, headers={"Host": "evil.example.org"}) as rebound:
                assert rebound.status == 403
            # The page belongs to the simulated Discord; Guildhall itself, as `run` starts it, has none of it.
            async with session.get(shown["mcp_url"].replace("/mcp", "/preview/")) as absent:
                assert absent.status == 404
            async with session.post(shown["mcp_url"], json={}, headers={"Host": "evil.example.org"}) as other:
                assert other.status in (403, 421)
    finally:
        process.terminate()
        async with asyncio.timeout(10):
            assert await process.wait() == 0
    assert {path: path.read_bytes() for path in files} == files
    left = await asyncio.to_thread(lambda: {path.name for path in tmp_path.iterdir()})
    assert left == {"mine"}, "it leaves nothing behind"


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("path", ["/mcp", "/sse", "/messages/", "/"])
async def test_line_23_another_host_name_reaches_no_endpoint(town: Town, path: str) -> None:
    """A page whose name was bound anew to this machine."""
    async with aiohttp.ClientSession() as session:
        async with session.get(town.url + path, headers={"Host": "evil.example.org"}) as response:
            assert response.status in (403, 421)
        headers = {"Origin": "https://evil.example.org"}
        async with session.post(f"{town.url}/mcp", json={}, headers=headers) as response:
            assert response.status in (401, 403)
