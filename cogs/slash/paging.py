"""The buttons that turn the pages of a list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import discord

from cogs import texts


def page_buttons(
    custom_id: Callable[[str], str], key: str, page: int, *, has_older: bool
) -> list[discord.ui.Button[Any]]:
    """Those that lead on from a page; 0 is the newest. ``custom_id`` makes one of ``key`` and the page beyond."""
    moves = [(texts.NEWER, page - 1)] if page > 0 else []
    moves += [(texts.OLDER, page + 1)] if has_older else []
    return [discord.ui.Button(label=label, custom_id=custom_id(f"{key}.{to}")) for label, to in moves]
