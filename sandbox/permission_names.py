"""Permissions by discord.py's names."""

from __future__ import annotations

from collections.abc import Iterable

import discord

from sandbox.internals import SetupError


def bits_of(names: Iterable[str]) -> int:
    """The bits of these names. Raises SetupError for a name that no permission has."""
    value = 0
    for name in names:
        if name not in discord.Permissions.VALID_FLAGS:
            raise SetupError(f"{name!r} is no permission; one of: {', '.join(sorted(discord.Permissions.VALID_FLAGS))}")
        value |= discord.Permissions.VALID_FLAGS[name]
    return value


# discord.py knows both; this one is Discord's own.
_DISCORDS_NAME = {"read_messages": "view_channel"}


def names_of(bits: int) -> list[str]:
    """The names of these bits, sorted."""
    return sorted(_DISCORDS_NAME.get(name, name) for name, granted in discord.Permissions(bits) if granted)
