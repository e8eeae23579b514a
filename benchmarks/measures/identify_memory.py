"""Whether memory grows when sessions begin anew, where all guilds are built once more."""

from __future__ import annotations

from benchmarks.bench import Bench
from benchmarks.child import Child
from benchmarks.rows import Row, Target
from benchmarks.town import MANY_GUILDS_SECONDS
from tests.sandbox_process import SandboxProcess

MIB = 1024 * 1024


async def identify_memory(bench: Bench) -> list[Row]:
    plan = bench.plan
    sandbox, _ = await bench.crowd(plan.guilds)
    async with bench.started("product", sandbox, "identify_memory") as product:
        await product.ask("guilds_in", session=1, count=plan.guilds, timeout_seconds=MANY_GUILDS_SECONDS)
        await product.ask("settled")
        first = last = await _after_session(sandbox, product, 2, plan.guilds)
        for session in range(3, plan.identifies + 3):
            last = await _after_session(sandbox, product, session, plan.guilds)
    return [
        Row(
            "identify_memory",
            f"resident memory after {plan.identifies} further new sessions against after the first, "
            f"{plan.guilds:,} guilds",
            Target(1.1),
            (last / first,),
            f"{last / MIB:.0f} MB against {first / MIB:.0f} MB",
        )
    ]


async def _after_session(sandbox: SandboxProcess, product: Child, session: int, guilds: int) -> float:
    await sandbox.control("gateway", forget=True, op=9, d=False)
    await product.ask("guilds_in", session=session, count=guilds, timeout_seconds=MANY_GUILDS_SECONDS)
    await product.ask("settled")
    return float((await product.ask("usage"))["resident_bytes"])
