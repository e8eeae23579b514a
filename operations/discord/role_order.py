"""The order of a guild's roles, and which of them a move touches: pure arithmetic over positions.

Roles are sorted by position; of two at one position the older stands higher
(https://discord.com/developers/docs/topics/permissions#role-object, ``position``). @everyone, at 0, is not among them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import discord


class Rung(NamedTuple):
    """A role in the order. ``position``: Discord's number."""

    id: int
    position: int


class Move(NamedTuple):
    """A role whose number changes."""

    id: int
    before: int
    after: int


def ladder_of(guild: discord.Guild) -> tuple[Rung, ...]:
    """All roles but @everyone, lowest first."""
    rungs = [Rung(role.id, role.position) for role in guild.roles if role.id != guild.id]
    return tuple(sorted(rungs, key=lambda rung: (rung.position, -rung.id)))


def index_of(ladder: Sequence[Rung], role_id: int) -> int | None:
    """0 for the lowest; None for a role that is not in it."""
    return next((index for index, rung in enumerate(ladder) if rung.id == role_id), None)


def index_beside(ladder: Sequence[Rung], role_id: int, other_id: int, *, above: bool) -> int | None:
    """Where a role would stand right above or below another one, once it has left its own place.

    ``other_id`` of @everyone, or of a role that is not in the ladder, counts as standing below all. None for a place
    that there is not.
    """
    rest = [rung for rung in ladder if rung.id != role_id]
    other = index_of(rest, other_id)
    if other is None:
        return 0 if above else None
    return other + 1 if above else other


def reordered(ladder: Sequence[Rung], role_id: int, index: int) -> tuple[Rung, ...]:
    """The ladder with one role at another place; positions are still the old ones."""
    rest = [rung for rung in ladder if rung.id != role_id]
    return (*rest[:index], *(rung for rung in ladder if rung.id == role_id), *rest[index:])


def moved(ladder: Sequence[Rung], role_id: int, index: int) -> tuple[Move, ...]:
    """What it takes to bring a role to ``index``, lowest first: as few roles as keep every position distinct.

    The roles between the old place and the new one exchange their numbers. Where two had the same, the upper one, and
    what stands right above it, gives way by one.
    """
    start = index_of(ladder, role_id)
    if start is None or start == index:
        return ()
    after = reordered(ladder, role_id, index)
    low, high = sorted((start, index))
    last = ladder[low - 1].position if low else 0
    found: list[Move] = []
    for place in range(low, len(after)):
        rung = after[place]
        if place > high and rung.position > last:
            break
        last = max(ladder[place].position, last + 1)
        if rung.position != last:
            found.append(Move(rung.id, rung.position, last))
    return tuple(found)
