"""The same read against the SDK's own server on uvicorn, whose tool does nothing."""

from __future__ import annotations

from statistics import median

from benchmarks.bench import Bench
from benchmarks.calls import Calls, tool_call
from benchmarks.child import child
from benchmarks.measures.read_throughput import CLIENTS
from benchmarks.plan import alternately, ratios
from benchmarks.rows import Row, Target
from benchmarks.town import load


async def against_sdk(bench: Bench) -> list[Row]:
    plan, town = bench.plan, await bench.town()
    async with child("sdk", {}) as sdk:
        arguments = {"guild": town.guild["id"]}
        ours = await tool_call(town.port, town.token, "2025-11-25", "channel_list", arguments, clients=CLIENTS)
        theirs = await tool_call(sdk.ready["port"], "none", "2025-11-25", "trivial", {}, clients=CLIENTS)

        async def calls_a_second(calls: Calls) -> float:
            loaded = await load(calls, plan.seconds)
            return loaded["calls"] / loaded["seconds"]

        product, trivial = await alternately(plan.rounds, lambda: calls_a_second(ours), lambda: calls_a_second(theirs))
    return [
        Row(
            "against_sdk",
            "calls a second of that read against the MCP SDK's own server on uvicorn with a tool that does nothing",
            Target(4.0, sense="at_least"),
            ratios(product, trivial),
            f"{median(product):,.0f} against {median(trivial):,.0f} calls a second",
        )
    ]
