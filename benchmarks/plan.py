"""How long and how large a run is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.identify_pace import IDENTIFY_SECONDS


@dataclass(frozen=True, slots=True)
class Plan:
    """``rounds``: how often A and B are measured in turn. ``seconds``: of one side in one round.

    ``writes``: in one round; a caller may do 60 a minute. ``few_guilds``, ``guilds``: of the rows that speak of many,
    and ``most_guilds`` of the start. ``quiet_seconds``: see bot.garbage. ``identify_seconds``: see
    bot.identify_pace. ``reuses_children``: what should be started anew is started once.
    """

    rounds: int = 5
    seconds: float = 1.5
    writes: int = 8
    few_guilds: int = 100
    guilds: int = 1_000
    most_guilds: int = 5_000
    identifies: int = 20
    quiet_seconds: float = 6.0
    identify_seconds: float = IDENTIFY_SECONDS
    reuses_children: bool = False


FULL = Plan()
QUICK = Plan(seconds=0.5, writes=5, few_guilds=20, guilds=200, most_guilds=200, identifies=3)
# Whether it still runs; the figures say nothing.
TINY = Plan(
    rounds=1,
    seconds=0.05,
    writes=1,
    few_guilds=2,
    guilds=3,
    most_guilds=1,
    identifies=1,
    quiet_seconds=0.01,
    identify_seconds=0.0,
    reuses_children=True,
)


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
