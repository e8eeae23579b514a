"""What a further guild takes of memory, against a bare client: the slope between few guilds and many."""

from __future__ import annotations

from statistics import median

from benchmarks.bench import Bench
from benchmarks.plan import alternately, ratios
from benchmarks.rows import Row, Target
from benchmarks.town import MANY_GUILDS_SECONDS


async def guild_memory(bench: Bench) -> list[Row]:
    plan = bench.plan
    few = await _both(bench, plan.few_guilds)
    many = await _both(bench, plan.guilds)
    further = plan.guilds - plan.few_guilds
    ours, theirs = (
        [(high - low) / further for low, high in zip(lows, highs, strict=True)]
        for lows, highs in zip(few, many, strict=True)
    )
    return [
        Row(
            "guild_memory",
            f"resident memory of a further guild against a bare discord.py client, {plan.few_guilds:,} to "
            f"{plan.guilds:,} guilds",
            Target(1.05),
            ratios(ours, theirs),
            f"{median(ours) / 1024:.0f} KB against {median(theirs) / 1024:.0f} KB",
        )
    ]


async def _both(bench: Bench, guilds: int) -> tuple[list[float], list[float]]:
    """Resident bytes of product and bare client, in each round."""
    sandbox, _ = await bench.crowd(guilds)

    async def resident(module: str) -> float:
        async with bench.started(module, sandbox, "guild_memory") as started:
            await started.ask("guilds_in", session=1, count=guilds, timeout_seconds=MANY_GUILDS_SECONDS)
            if module == "product":
                await started.ask("settled")
            return float((await started.ask("usage"))["resident_bytes"])

    return await alternately(bench.plan.rounds, lambda: resident("product"), lambda: resident("bare"))
