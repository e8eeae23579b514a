"""What a write waits for the audit: its two commits, against one fdatasync on the same disk."""

from __future__ import annotations

from statistics import median

from benchmarks.bench import Bench
from benchmarks.rows import Row, Target


async def audit_latency(bench: Bench) -> list[Row]:
    recorded: list[float] = []
    synced: list[float] = []
    plan, town = bench.plan, await bench.town()
    arguments = {"channel": town.guild["channels"]["channel-0"], "content": "measured", "dry_run": False}
    asked = {"token": town.token, "arguments": arguments}
    await town.product.ask("record_times", **asked, count=1)
    for _ in range(plan.rounds):
        times = await town.product.ask("record_times", **asked, count=plan.writes)
        recorded.append(median(times["recorded"]))
        synced.append(median(times["synced"]))
    return [
        Row(
            "audit_latency",
            "audit: what a write waits for its two commits, against one fdatasync of a page",
            Target(4.0),
            tuple(ours / one for ours, one in zip(recorded, synced, strict=True)),
            f"{median(recorded) * 1e3:.2f} ms against {median(synced) * 1e3:.2f} ms",
        )
    ]
