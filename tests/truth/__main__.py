"""``python -m tests.truth --states 10000 --seed N``: the sweep, and its figures in docs/truth.md."""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
import tempfile
import time
from pathlib import Path

from tests.truth.sweep import STATES_PER_GUILD, Row, sweep
from tests.truth.stage import running_stage


async def explore(seed: int, guilds: list[int], only: int | None, shown: int) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        async with running_stage(Path(folder)) as stage:
            began, count = time.monotonic(), 0
            async for state, finding in sweep(stage, seed, guilds, only=only):
                rows.setdefault(finding.operation, Row()).add(finding)
                count += 1
                if finding.is_wrong or only is not None:
                    wrong += 1
                    if wrong <= shown:
                        print(f"{finding.kind.upper()} {state}\n    {finding.reason!r} / {finding.discord!r}", flush=True)
            print(f"{count} states, {count / (time.monotonic() - began):.0f} a second")
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.truth")
    parser.add_argument("--states", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--only", default=None, help="GUILD:STATE of a seed, to see one state again")
    parser.add_argument("--shown", type=int, default=20)
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else secrets.randbelow(1_000_000)
    print(f"seed {seed}")
    if options.only is not None:
        guild, _, number = options.only.partition(":")
        rows = asyncio.run(explore(seed, [int(guild)], int(number), options.shown))
    else:
        rows = asyncio.run(explore(seed, list(range(-(-options.states // STATES_PER_GUILD))), None, options.shown))
    for name, row in sorted(rows.items()):
        print(name, dict(row.says), dict(row.kinds), row.executed)
        for cause, count in row.causes.most_common():
            print("     ", count, cause)
    return 0


sys.exit(main())
