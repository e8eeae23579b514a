"""How long a collection of garbage stops a bot in many guilds."""

from __future__ import annotations

from benchmarks.bench import Bench
from benchmarks.calls import tool_call
from benchmarks.measures.read_throughput import CLIENTS
from benchmarks.rows import Row, Target
from benchmarks.town import MANY_GUILDS_SECONDS, Town, load


async def garbage_pause(bench: Bench) -> list[Row]:
    plan = bench.plan
    sandbox, guild = await bench.crowd(plan.guilds)
    pauses: list[float] = []
    async with bench.started("product", sandbox, "garbage_pause") as product:
        town = await Town.of(sandbox, product, guild)
        await product.ask("guilds_in", session=1, count=plan.guilds, timeout_seconds=MANY_GUILDS_SECONDS)
        await product.ask("settled")
        await product.ask("longest_pause")
        arguments = {"guild": guild["id"]}
        calls = await tool_call(town.port, town.token, "2026-07-28", "channel_list", arguments, clients=CLIENTS)
        for _ in range(plan.rounds):
            await load(calls, plan.seconds)
            pauses.append((await product.ask("longest_pause"))["seconds"] * 1e3)
    return [
        Row(
            "garbage_pause",
            f"longest pause for garbage collection after the start, {plan.guilds:,} guilds, while {CLIENTS} clients "
            "read",
            Target(20.0, "ms"),
            (max(pauses),),
        )
    ]
