"""``python -m tests.truth --states 10000 --writes 10000 --seed N``: the sweep, with its figures in docs/truth.md.

``--state SEED:GUILD:STATE`` shows one state again, and writes nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import logging
import secrets
import sys
import tempfile
import time
from pathlib import Path

from tests.truth.report import PAGE, Report, told, write
from tests.truth.stage import running_stage
from tests.truth.sweep import sweep

TOLD_EVERY_SECONDS = 20.0


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def explore(seed: int, states: int, writes: int) -> Report:
    """Goes on until there are as many states and as many executed writes."""
    report = Report(seed)
    began = told_at = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        async with running_stage(Path(folder)) as stage:
            async for state, finding in sweep(stage, seed, itertools.count()):
                report.add(state, finding)
                if finding.is_wrong:
                    say(told(state, finding))
                if report.states >= states and report.writes >= writes:
                    break
                if time.monotonic() - told_at > TOLD_EVERY_SECONDS:
                    told_at = time.monotonic()
                    rate = report.states / (told_at - began)
                    say(f"{report.states:,} states, {report.writes:,} writes, {rate:.0f} states/s")
    return report


async def again(name: str) -> None:
    seed, guild, state = (int(part) for part in name.split(":"))
    with tempfile.TemporaryDirectory() as folder:
        async with running_stage(Path(folder)) as stage:
            async for made, finding in sweep(stage, seed, [guild], states_per_guild=state + 1, only=state):
                say(told(made, finding))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.truth")
    parser.add_argument("--states", type=int, default=10_000)
    parser.add_argument("--writes", type=int, default=0, help="executed writes that the oracle of rights must see")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--state", default=None, metavar="SEED:GUILD:STATE")
    parser.add_argument("--page", type=Path, default=PAGE, help="where the figures are written")
    options = parser.parse_args()
    logging.disable(logging.WARNING)  # the sandbox names each route that is refused for want of a field
    if options.state is not None:
        asyncio.run(again(options.state))
        return 0
    seed = options.seed if options.seed is not None else secrets.randbelow(1_000_000)
    say(f"seed {seed}")
    report = asyncio.run(explore(seed, options.states, options.writes))
    write(report, options.page)
    say(f"{report.states:,} states, {report.writes:,} writes, {len(report.failures)} failures; see {options.page}")
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
