"""Lengths of time in words."""

from __future__ import annotations

import re

_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))

_LETTERS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_LONGEST_NUMBER = 10
_UNIT = r"weeks?|w|days?|d|hours?|hrs?|h|minutes?|mins?|m|seconds?|secs?|s"
_PART = re.compile(rf"([0-9]{{1,{_LONGEST_NUMBER}}})\s*({_UNIT})")
_WRITTEN = re.compile(rf"(?:[0-9]{{1,{_LONGEST_NUMBER}}}\s*(?:{_UNIT})\s*)+")


def spoken(seconds: int) -> str:
    """``90_000`` is ``1 day 1 hour``: exact, from the largest unit down."""
    parts: list[str] = []
    for size, unit in _UNITS:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {unit}" if count == 1 else f"{count} {unit}s")
    return " ".join(parts) or "0 seconds"


def parsed(text: str) -> int | None:
    """Seconds of ``10m``, ``2h``, ``7d``, ``1d12h``, ``1 week`` or a number of seconds; None for anything else."""
    text = text.strip().lower()
    if text.isascii() and text.isdigit():
        return int(text) if len(text) <= _LONGEST_NUMBER else None
    if _WRITTEN.fullmatch(text) is None:
        return None
    return sum(int(count) * _LETTERS[unit[0]] for count, unit in _PART.findall(text))
