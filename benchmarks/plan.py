"""How long and how large a run is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.rows import Row


@dataclass(frozen=True, slots=True)
class Plan:
    """``rounds``: how often A and B are measured in turn. ``seconds``: of one side in one round.

    ``guilds``: of the rows that speak of a large bot. ``writes``: in one round; a caller may do 60 a minute.
    ``folder``: for databases; nothing in it outlives the run.
    """

    folder: Path
    rounds: int = 5
    seconds: float = 1.5
    guilds: int = 1_000
    few_guilds: int = 100
    writes: int = 8
    identifies: int = 20
    most_guilds: int = 5_000

    @classmethod
    def quick(cls, folder: Path) -> Plan:
        return cls(folder, rounds=5, seconds=0.5, guilds=200, few_guilds=20, writes=5, identifies=3, most_guilds=200)

    @classmethod
    def tiny(cls, folder: Path) -> Plan:
        """Whether it still runs; the figures say nothing."""
        return cls(folder, rounds=1, seconds=0.05, guilds=6, few_guilds=2, writes=1, identifies=1, most_guilds=3)


Measurement = Callable[[Plan], Awaitable[list[Row]]]


async def alternately(
    rounds: int, first: Callable[[], Awaitable[float]], second: Callable[[], Awaitable[float]]
) -> tuple[list[float], list[float]]:
    """A, B, A, B …: what else the machine does meanwhile meets both. Who begins changes from round to round."""
    firsts: list[float] = []
    seconds: list[float] = []
    for index in range(rounds):
        if index % 2:
            seconds.append(await second())
            firsts.append(await first())
        else:
            firsts.append(await first())
            seconds.append(await second())
    return firsts, seconds


def ratios(firsts: list[float], seconds: list[float]) -> tuple[float, ...]:
    return tuple(first / second for first, second in zip(firsts, seconds, strict=True))
