"""One tiny round of every measurement: whether it still runs, not what it says."""

from __future__ import annotations

import asyncio
import datetime
import math
from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks.bench import Bench
from benchmarks.catalogue import CATALOGUE
from benchmarks.plan import TINY
from benchmarks.rows import Row, Target
from benchmarks.table import line, page

IN_A_CROWD = ("guild_memory", "garbage_pause", "last_guild", "identify_memory")


async def _run(names: Sequence[str], folder: Path) -> list[Row]:
    rows: list[Row] = []
    async with Bench(TINY, folder) as bench:
        for name in names:
            rows += await CATALOGUE[name](bench)
    return rows


async def test_every_measurement_still_gives_its_rows(tmp_path: Path) -> None:
    assert set(IN_A_CROWD) < CATALOGUE.keys()
    alone = [name for name in CATALOGUE if name not in IN_A_CROWD]
    # Side by side: most of the time goes into starting processes.
    found = await asyncio.gather(_run(alone, tmp_path / "alone"), _run(IN_A_CROWD, tmp_path / "crowd"))
    rows = [row for part in found for row in part]
    assert len({row.name for row in rows}) == len(rows) >= len(CATALOGUE)
    for row in rows:
        assert len(row.rounds) == 1
        assert math.isfinite(row.measured), row
        assert line(row)
    written = page(rows, "a tiny run", datetime.date(2026, 1, 2))
    assert all(row.measure in written for row in rows)
    assert "2026-01-02" in written


@pytest.mark.parametrize(
    ("target", "measured", "met"),
    [
        (Target(1.3), 1.3, True),
        (Target(1.3), 1.31, False),
        (Target(0.7, sense="at_least"), 0.7, True),
        (Target(0.7, sense="at_least"), 0.69, False),
    ],
)
def test_a_target_is_met_up_to_its_limit(target: Target, measured: float, met: bool) -> None:
    assert target.is_met_by(measured) is met


def test_a_row_says_the_median_of_its_rounds() -> None:
    row = Row("read", "a read", Target(1.3), (1.0, 9.0, 1.2))
    assert row.measured == 1.2
    assert row.as_json()["met"] is True
