"""What is measured, what is to be reached, and what came out."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Target:
    """``at_most`` or ``at_least`` a number of this unit; "×" is a ratio."""

    limit: float
    unit: str = "×"
    sense: Literal["at_most", "at_least"] = "at_most"

    def is_met_by(self, measured: float) -> bool:
        return measured <= self.limit if self.sense == "at_most" else measured >= self.limit

    def __str__(self) -> str:
        return f"{'≤' if self.sense == 'at_most' else '≥'} {shown(self.limit, self.unit)}"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. ``rounds``: the figure of each round, whose median is the result."""

    name: str
    measure: str
    target: Target
    rounds: tuple[float, ...]
    detail: str = ""

    @property
    def measured(self) -> float:
        return statistics.median(self.rounds)

    @property
    def is_met(self) -> bool:
        return self.target.is_met_by(self.measured)

    def as_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "measure": self.measure,
            "target": str(self.target),
            "limit": self.target.limit,
            "unit": self.target.unit,
            "measured": self.measured,
            "rounds": list(self.rounds),
            "met": self.is_met,
            "detail": self.detail,
        }


def shown(value: float, unit: str) -> str:
    if unit == "×":
        return f"{value:.2f}×"
    number = f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.2f}"
    return f"{number} {unit}"


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which this share lies (0.99: p99). Raises ValueError without any value."""
    if not values:
        raise ValueError("nothing was measured")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
