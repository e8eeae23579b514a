"""Kills as a storm records them, and the table that is made of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple, cast

PROPERTY = "kill"
"""The name under which a test records one, as a list: processes of pytest-xdist tell each other no tuples."""
ENDS = ("never begun", "pending", "done", "unknown")


class Kill(NamedTuple):
    """``state``: of the call after the restart. ``effects``: how often it took effect."""

    name: str
    dialect: str
    where: str
    state: str
    effects: int


def recorded(properties: Iterable[tuple[str, object]]) -> Iterator[tuple[str, str, str, str, int]]:
    for name, value in properties:
        if name == PROPERTY:
            yield cast("tuple[str, str, str, str, int]", value)


def table(kills: list[Kill]) -> list[str]:
    """A line for each write, database and place; none for no kills."""
    if not kills:
        return []
    lines = [_line(("write", "database", "killed at", "kills", *ENDS, "most effects"))]
    places = dict.fromkeys((kill.name, kill.dialect, kill.where) for kill in kills)
    for place in sorted(places):
        here = [kill for kill in kills if kill[:3] == place]
        ends = Counter(kill.state for kill in here)
        lines.append(_line((*place, len(here), *(ends[end] for end in ENDS), max(kill.effects for kill in here))))
    total = Counter(kill.state for kill in kills)
    most = max(kill.effects for kill in kills)
    lines.append(_line(("all", "", "", len(kills), *(total[end] for end in ENDS), most)))
    return lines


def _line(cells: Iterable[object]) -> str:
    widths = (20, 11, 23, 6, 12, 8, 6, 8, 13)
    return " ".join(f"{cell!s:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()
