"""A write with its synchronous audit against Discord's own latency."""

from __future__ import annotations

import time
from statistics import median

import aiohttp

from benchmarks.bench import Bench
from benchmarks.calls import tool_call
from benchmarks.plan import alternately, ratios
from benchmarks.rows import Row, Target
from benchmarks.town import Town

DISCORD_SECONDS = 0.06


async def write_latency(bench: Bench) -> list[Row]:
    plan, town = bench.plan, await bench.town()
    channel_id = town.guild["channels"]["channel-0"]
    slow = {"method": "POST", "path": "/channels/*/messages", "latency": DISCORD_SECONDS}
    await town.sandbox.control("fault", faults=[slow])
    async with aiohttp.ClientSession() as session:
        product = await _through_the_product(town, session, channel_id)
        direct = f"{town.sandbox.api_base_url}/channels/{channel_id}/messages"

        async def ours() -> float:
            return median([await product() for _ in range(plan.writes)])

        async def theirs() -> float:
            return median([await _direct(session, direct, town.sandbox.bot_token) for _ in range(plan.writes)])

        written, sent = await alternately(plan.rounds, ours, theirs)
    return [
        Row(
            "write_latency",
            "message_send with synchronous audit against the same request to a Discord that takes "
            f"{DISCORD_SECONDS * 1000:.0f} ms: median latency",
            Target(1.03),
            ratios(written, sent),
            f"{median(written) * 1e3:.1f} ms against {median(sent) * 1e3:.1f} ms",
        )
    ]


async def _through_the_product(town: Town, session: aiohttp.ClientSession, channel_id: str):
    arguments = {"channel": channel_id, "content": "measured", "dry_run": False}
    calls = await tool_call(town.port, town.token, "2026-07-28", "message_send", arguments)
    url = f"http://127.0.0.1:{calls.port}/mcp"

    async def once() -> float:
        began_at = time.perf_counter()
        async with session.post(url, data=calls.bodies[0], headers=calls.headers) as response:
            answer = await response.json()
        spent = time.perf_counter() - began_at
        if answer["result"]["isError"]:
            raise RuntimeError(answer["result"]["content"][0]["text"])
        return spent

    await once()
    return once


async def _direct(session: aiohttp.ClientSession, url: str, token: str) -> float:
    began_at = time.perf_counter()
    async with session.post(
        url, json={"content": "measured", "allowed_mentions": {"parse": []}}, headers={"Authorization": f"Bot {token}"}
    ) as response:
        await response.read()
        if response.status != 200:
            raise RuntimeError(await response.text())
    return time.perf_counter() - began_at
