"""The result as a table, and as a page of the documentation."""

from __future__ import annotations

import datetime
import os
import platform
from collections.abc import Sequence

from benchmarks.rows import Row, shown

HEAD = ("measure", "target", "measured", "rounds", "")


def cells(row: Row) -> tuple[str, str, str, str, str]:
    low, high = min(row.rounds), max(row.rounds)
    spread = f"{shown(low, row.target.unit)} – {shown(high, row.target.unit)}" if len(row.rounds) > 1 else ""
    detail = f" ({row.detail})" if row.detail else ""
    measured = shown(row.measured, row.target.unit) + detail
    return row.measure, str(row.target), measured, spread, "reached" if row.is_met else "**missed**"


def markdown(rows: Sequence[Row]) -> str:
    lines = [f"| {' | '.join(HEAD)} |", f"|{' --- |' * len(HEAD)}"]
    lines += [f"| {' | '.join(cells(row))} |" for row in rows]
    return "\n".join(lines)


def line(row: Row) -> str:
    """For a terminal."""
    _, target, measured, spread, verdict = cells(row)
    return f"{verdict.strip('*'):8} {row.name:22} {target:>12}  {measured}{f'  [{spread}]' if spread else ''}"


def machine() -> str:
    """In general words: no name, no path."""
    return (
        f"{platform.system()} on {platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}"
    )


def page(rows: Sequence[Row], how: str, day: datetime.date) -> str:
    return f"""# Speed and size

What Guildhall costs, measured by `make bench`. Absolute figures say little about another machine, so everything is a
ratio: both sides are measured in turn in one run (A, B, A, B, …), and the result is the median of the rounds.

The floor of the reads is a raw aiohttp handler that returns the same bytes. Guildhall, the floor, the simulated Discord
and whoever asks each run in a process of their own, over loopback.

{markdown(rows)}

Measured on {day:%Y-%m-%d}: {machine()}; {how}. On a machine that does other work meanwhile, ratios hold better than
the figures in brackets.
"""
