"""Standard input and output, in processes of their own."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import mcp.types as t
import pytest
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters

from tests.mcp_server.transports.small_server import (
    INITIALIZE,
    MODERN,
    Running,
    request,
    said,
)

ROOT = Path(__file__).parents[3]
PROGRAM = "tests.mcp_server.transports.stdio_program"


def program(*arguments: str) -> StdioServerParameters:
    return StdioServerParameters(command=sys.executable, args=["-m", PROGRAM, *arguments], cwd=ROOT)


@asynccontextmanager
async def started(*arguments: str) -> AsyncGenerator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", PROGRAM, *arguments, cwd=ROOT, stdin=PIPE, stdout=PIPE, stderr=PIPE, limit=2**24
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def exchange(process: Process, line: object) -> dict[str, Any]:
    """Write one message, or text as it is, and give the next one that comes back."""
    assert process.stdin is not None
    assert process.stdout is not None
    text = line if isinstance(line, str) else json.dumps(line)
    process.stdin.write(text.encode() + b"\n")
    async with asyncio.timeout(10):
        answer: dict[str, Any] = json.loads(await process.stdout.readline())
    return answer


async def ended(process: Process) -> str:
    """Close standard input and give what was written to standard error, once the process has left by itself."""
    assert process.stdin is not None
    process.stdin.close()
    async with asyncio.timeout(10):
        _, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return errors.decode()


@pytest.mark.parametrize("mode", ["legacy", MODERN])
async def test_a_server_speaks_both_eras_over_stdio(mode: str) -> None:
    seen: list[float] = []

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        seen.append(progress)

    async with Client(program("serve"), mode=mode) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == ["echo"]
        assert said(await client.call_tool("echo", {"text": "grüße"})) == "grüße"
        assert said(await client.call_tool("progress", progress_callback=on_progress)) == "done"
    assert seen == [1, 2]


async def test_logs_never_reach_the_wire_and_the_end_of_input_ends_the_server() -> None:
    async with started("serve") as process:
        answer = await exchange(process, request("initialize", INITIALIZE))
        assert answer["result"]["serverInfo"]["name"] == "small"
        answer = await exchange(process, request("tools/call", {"name": "echo", "arguments": {"text": "hi"}}, 2))
        assert answer["result"]["content"][0]["text"] == "hi"
        errors = await ended(process)
    assert "called echo" in errors
    assert errors.endswith("done\n")


async def test_lines_that_can_not_be_served_are_answered() -> None:
    async with started("serve") as process:
        assert (await exchange(process, "{"))["error"]["code"] == t.PARSE_ERROR
        refused = await exchange(process, request("ping", {"a": "\x00"}, 4))
        assert (refused["id"], refused["error"]["code"]) == (4, t.INVALID_PARAMS)
        assert "a NUL character at a" in refused["error"]["message"]
        assert (await exchange(process, request("initialize", INITIALIZE)))["id"] == 1


async def test_the_proxy_forwards_until_input_ends_and_keeps_its_token_to_itself(served: Running) -> None:
    async with started("proxy", served.url, "a-secret-token") as process:
        assert (await exchange(process, request("initialize", INITIALIZE)))["result"]
        answer = await exchange(process, request("tools/call", {"name": "echo", "arguments": {"text": "hi"}}, 2))
        assert answer["result"]["content"][0]["text"] == "hi"
        assert [session.principal for session in served.http.sessions] == ["a-secret-token"]
        errors = await ended(process)
    assert errors.endswith("done\n")
    assert "secret" not in errors
    assert len(served.http.sessions) == 0
