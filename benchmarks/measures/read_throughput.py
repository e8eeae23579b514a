"""The same with 16 clients at once: calls a second, and processor time a call, in both eras."""

from __future__ import annotations

from statistics import median
from typing import Any

from benchmarks.bench import Bench
from benchmarks.calls import Calls, Era, tool_call
from benchmarks.child import Child
from benchmarks.plan import Plan, alternately, ratios
from benchmarks.rows import Row, Target
from benchmarks.town import floor_of, load

CLIENTS = 16
ERAS: tuple[Era, ...] = ("2025-11-25", "2026-07-28")


async def read_throughput(bench: Bench) -> list[Row]:
    rows: list[Row] = []
    plan, town = bench.plan, await bench.town()
    for era in ERAS:
        arguments = {"guild": town.guild["id"]}
        calls = await tool_call(town.port, town.token, era, "channel_list", arguments, clients=CLIENTS)
        async with floor_of(calls) as (floor_child, floor):
            rows += await _compared(plan, era, (town.product, calls), (floor_child, floor))
    return rows


async def _compared(plan: Plan, era: Era, product: tuple[Child, Calls], floor: tuple[Child, Calls]) -> list[Row]:
    spent: dict[Child, list[float]] = {product[0]: [], floor[0]: []}

    async def calls_a_second(side: tuple[Child, Calls]) -> float:
        child, calls = side
        before = await child.ask("usage")
        loaded: dict[str, Any] = await load(calls, plan.seconds)
        after = await child.ask("usage")
        spent[child].append((after["cpu_seconds"] - before["cpu_seconds"]) / loaded["calls"])
        return loaded["calls"] / loaded["seconds"]

    ours, theirs = await alternately(plan.rounds, lambda: calls_a_second(product), lambda: calls_a_second(floor))
    ours_spent, theirs_spent = spent[product[0]], spent[floor[0]]
    return [
        Row(
            f"read_throughput_{era[:4]}",
            f"the same, calls a second with {CLIENTS} clients, protocol {era}",
            Target(0.7, sense="at_least"),
            ratios(ours, theirs),
            f"{median(ours):,.0f} against {median(theirs):,.0f} calls a second",
        ),
        Row(
            f"cpu_a_call_{era[:4]}",
            f"processor time a call against the raw handler, protocol {era}",
            Target(1.5),
            ratios(ours_spent, theirs_spent),
            f"{median(ours_spent) * 1e6:.0f} µs against {median(theirs_spent) * 1e6:.0f} µs",
        ),
    ]
