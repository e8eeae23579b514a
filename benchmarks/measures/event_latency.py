"""How long an event of the gateway takes while MCP clients ask 200 times a second, against a bare client."""

from __future__ import annotations

import asyncio
from statistics import median

from benchmarks.bench import Bench
from benchmarks.calls import tool_call
from benchmarks.child import Child
from benchmarks.plan import alternately, ratios
from benchmarks.rows import Row, Target, percentile
from benchmarks.town import Town, load

CALLS_A_SECOND = 200.0
CLIENTS = 8
EVENTS_A_SECOND = 50.0
PATIENCE_SECONDS = 20.0


async def event_latency(bench: Bench) -> list[Row]:
    plan, town = bench.plan, await bench.town()
    arguments = {"guild": town.guild["id"]}
    calls = await tool_call(town.port, town.token, "2026-07-28", "channel_list", arguments, clients=CLIENTS)
    count = max(2, int(plan.seconds * EVENTS_A_SECOND))
    async with bench.started("bare", town.sandbox, "bare") as bare:
        p99s: dict[Child, list[float]] = {town.product: [], bare: []}

        async def latency(client: Child) -> float:
            # Both are connected all the time, so both get all events; one is looked at.
            await _events(town, count)
            latencies = (await client.ask("messages", count=count, timeout_seconds=PATIENCE_SECONDS))["latencies"]
            other = bare if client is town.product else town.product
            await other.ask("messages", count=count, timeout_seconds=PATIENCE_SECONDS)
            p99s[client].append(percentile(latencies, 0.99))
            return median(latencies)

        async def under_load() -> float:
            seconds = count / EVENTS_A_SECOND
            loading = asyncio.create_task(load(calls, seconds, per_second=CALLS_A_SECOND / CLIENTS))
            try:
                return await latency(town.product)
            finally:
                await loading

        ours, theirs = await alternately(plan.rounds, under_load, lambda: latency(bare))
    added = tuple((mine - its) * 1e3 for mine, its in zip(p99s[town.product], p99s[bare], strict=True))
    return [
        Row(
            "event_latency",
            f"gateway event at {CALLS_A_SECOND:.0f} MCP calls a second against a bare discord.py client: median",
            Target(1.5),
            ratios(ours, theirs),
            f"{median(ours) * 1e3:.2f} ms against {median(theirs) * 1e3:.2f} ms",
        ),
        Row(
            "event_latency_p99",
            "the same, added to the 99th percentile",
            Target(1.0, unit="ms"),
            added,
            f"{median(p99s[town.product]) * 1e3:.2f} ms against {median(p99s[bare]) * 1e3:.2f} ms",
        ),
    ]


async def _events(town: Town, count: int) -> None:
    user, channel = int(town.guild["members"]["ana"]), int(town.guild["channels"]["channel-1"])
    loop = asyncio.get_running_loop()
    for number in range(count):
        due = loop.time() + 1.0 / EVENTS_A_SECOND
        await town.sandbox.control("send", user=user, channel=channel, content=f"event {number}")
        await asyncio.sleep(max(0.0, due - loop.time()))
