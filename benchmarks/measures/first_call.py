"""How soon one is served after a start: the first answered tool call against a bare client's on_ready."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from statistics import median

import aiohttp

from benchmarks.bench import Bench
from benchmarks.calls import ACCEPTS, ENVELOPE
from benchmarks.child import START_SECONDS, child
from benchmarks.plan import alternately, ratios
from benchmarks.rows import Row, Target
from benchmarks.town import Town
from tests.sandbox_process import GuildIds, SandboxProcess


async def first_call(bench: Bench) -> list[Row]:
    alone = await bench.town()
    rows = await _compared(bench, alone.sandbox, alone.guild, 1)
    guilds = bench.plan.most_guilds
    if guilds > 1:
        sandbox, guild = await bench.crowd(guilds)
        rows += await _compared(bench, sandbox, guild, guilds)
    return rows


async def _compared(bench: Bench, sandbox: SandboxProcess, guild: GuildIds, guilds: int) -> list[Row]:
    options = bench.options(sandbox, f"first_call_{guilds}")
    # The first start, on a new database, installs the guilds and makes the token; the measured ones come after it.
    async with child("product", options) as started:
        token = (await Town.of(sandbox, started, guild)).token
    from_process: dict[str, list[float]] = {"product": [], "bare": []}

    async def product() -> float:
        began_at, port = time.monotonic(), _free_port()
        async with child("product", {**options, "port": port}, waits=False) as started:
            await _answered(port, token, guild)
            answered_at = time.monotonic()
            loaded_at: float = (await started.receive(START_SECONDS))["loaded_at"]
        from_process["product"].append(answered_at - began_at)
        return answered_at - loaded_at

    async def bare() -> float:
        began_at = time.monotonic()
        async with child("bare", options) as client:
            ready_at: float = client.ready["ready_at"]
            loaded_at: float = client.ready["loaded_at"]
        from_process["bare"].append(ready_at - began_at)
        return ready_at - loaded_at

    ours, theirs = await alternately(bench.plan.rounds, product, bare)
    whole_ours, whole_theirs = from_process["product"], from_process["bare"]
    said = f"{guilds:,} guild{'s' * (guilds > 1)}"
    return [
        Row(
            f"first_call_{guilds}",
            f"first answered tool call against a bare discord.py client's on_ready, {said}, once the code is loaded",
            Target(0.4),
            ratios(ours, theirs),
            f"{median(ours):.2f} s against {median(theirs):.2f} s",
        ),
        Row(
            f"first_call_{guilds}_whole",
            "the same from the start of the process, imports included",
            Target(1.0),
            ratios(whole_ours, whole_theirs),
            f"{median(whole_ours):.2f} s against {median(whole_theirs):.2f} s",
        ),
    ]


async def _answered(port: int, token: str, guild: GuildIds) -> None:
    """Asks until there is a good answer."""
    params = {"name": "channel_list", "arguments": {"guild": guild["id"]}, "_meta": ENVELOPE}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
    headers = {
        **ACCEPTS,
        "Authorization": f"Bearer {token}",
        "MCP-Protocol-Version": "2026-07-28",
        "Mcp-Method": "tools/call",
        "Mcp-Name": "channel_list",
    }
    async with asyncio.timeout(START_SECONDS), aiohttp.ClientSession() as session:
        while not await _good(session, port, body, headers):  # noqa: ASYNC110 - another process becomes ready
            await asyncio.sleep(0.02)


async def _good(session: aiohttp.ClientSession, port: int, body: str, headers: dict[str, str]) -> bool:
    try:
        async with session.post(f"http://127.0.0.1:{port}/mcp", data=body, headers=headers) as response:
            return response.status == 200 and not (await response.json())["result"]["isError"]
    except aiohttp.ClientConnectionError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
