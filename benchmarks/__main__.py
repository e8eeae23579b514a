"""Command line: ``python -m benchmarks [--quick] [--only NAME] [--json FILE] [--write [FILE]]``."""

from __future__ import annotations

import argparse
import asyncio
import datetime
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.catalogue import CATALOGUE
from benchmarks.plan import FULL, QUICK, Plan
from benchmarks.rows import Row
from benchmarks.table import line, machine, page

PAGE = Path("docs/performance.md")


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="What Guildhall costs, as ratios.")
    parser.add_argument("--quick", action="store_true", help="shorter rounds and fewer guilds")
    parser.add_argument("--only", action="append", choices=sorted(CATALOGUE), help="this measurement (repeatable)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures of every round as JSON")
    parser.add_argument(
        "--write", type=Path, nargs="?", const=PAGE, metavar="FILE", help=f"write the table as a page ({PAGE})"
    )
    return parser.parse_args(argv)


async def measured(plan: Plan, folder: Path, names: Sequence[str]) -> list[Row]:
    """The rows of these measurements, each printed as soon as it is there."""
    rows: list[Row] = []
    async with Bench(plan, folder) as bench:
        for name in names:
            for row in await CATALOGUE[name](bench):
                print(line(row), flush=True)
                rows.append(row)
    return rows


def main(argv: Sequence[str] | None = None) -> int:
    """0, also where a target is missed: a figure is told, not enforced."""
    arguments = _arguments(argv)
    plan = QUICK if arguments.quick else FULL
    names = [name for name in CATALOGUE if arguments.only is None or name in arguments.only]
    with tempfile.TemporaryDirectory(prefix="guildhall-bench-") as folder:
        rows = asyncio.run(measured(plan, Path(folder), names))
    today = datetime.datetime.now(datetime.UTC).date()
    how = f"{plan.rounds} rounds of {plan.seconds:g} s a side" + (", a short run" if arguments.quick else "")
    if arguments.json is not None:
        told = {"day": today.isoformat(), "machine": machine(), "how": how, "rows": [row.as_json() for row in rows]}
        arguments.json.write_text(json.dumps(told, indent=2) + "\n")
    if arguments.write is not None:
        arguments.write.write_text(page(rows, how, today))
    return 0


if __name__ == "__main__":
    sys.exit(main())
