"""A read from memory over MCP against a raw handler that returns the same bytes: how long one client waits."""

from __future__ import annotations

from statistics import median

from benchmarks.bench import Bench
from benchmarks.calls import tool_call
from benchmarks.plan import alternately, ratios
from benchmarks.rows import Row, Target
from benchmarks.town import floor_of, load


async def read_latency(bench: Bench) -> list[Row]:
    plan, town = bench.plan, await bench.town()
    calls = await tool_call(town.port, town.token, "2026-07-28", "channel_list", {"guild": town.guild["id"]})
    async with floor_of(calls) as (_, floor):

        async def product() -> float:
            return median((await load(calls, plan.seconds))["latencies"])

        async def raw() -> float:
            return median((await load(floor, plan.seconds))["latencies"])

        ours, theirs = await alternately(plan.rounds, product, raw)
    return [
        Row(
            "read_latency",
            "MCP read from memory (200 channels), all steps and audit, against a raw aiohttp handler that returns the "
            "same bytes: median latency",
            Target(1.3),
            ratios(ours, theirs),
            f"{median(ours) * 1e6:.0f} µs against {median(theirs) * 1e6:.0f} µs",
        )
    ]
