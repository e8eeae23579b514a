"""How soon all guilds are in: from READY to the last GUILD_CREATE, against a bare client."""

from __future__ import annotations

from statistics import median

from benchmarks.bench import Bench
from benchmarks.plan import alternately, ratios
from benchmarks.rows import Row, Target
from benchmarks.town import MANY_GUILDS_SECONDS


async def last_guild(bench: Bench) -> list[Row]:
    plan = bench.plan
    sandbox, _ = await bench.crowd(plan.guilds)

    async def seconds(module: str) -> float:
        async with bench.started(module, sandbox, "last_guild") as started:
            asked = {"session": 1, "count": plan.guilds, "timeout_seconds": MANY_GUILDS_SECONDS}
            arrived = await started.ask("guilds_in", **asked)
        return arrived["seconds"]

    ours, theirs = await alternately(plan.rounds, lambda: seconds("product"), lambda: seconds("bare"))
    return [
        Row(
            "last_guild",
            f"last GUILD_CREATE parsed after READY against a bare discord.py client, {plan.guilds:,} guilds",
            Target(0.65),
            ratios(ours, theirs),
            f"{median(ours):.2f} s against {median(theirs):.2f} s",
        )
    ]
