"""Lists of a guild as JSON, made once and served until something in the guild changes."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

import discord
import orjson

from operations.base import Encoded
from operations.guild_state import GuildView

MAX_MEMOISED_SETS = 64
MAX_MEMOISED_GUILDS = 4096


@dataclass(slots=True)
class _Memo:
    """The lists of one guild object at one version: with either of them it is void."""

    version: int
    guild: discord.Guild
    lists: dict[Hashable, Encoded] = field(default_factory=dict[Hashable, Encoded])


class EncodedLists:
    """The lists of one operation. Whoever may see the same gets the same bytes."""

    def __init__(self) -> None:
        self._memos: dict[int, _Memo] = {}

    def get(self, view: GuildView, key: Hashable, made: Callable[[discord.Guild], Mapping[str, Any]]) -> Encoded:
        """``key``: all that the list depends on beside the guild, such as the visible ids. ``made`` makes it anew."""
        guild, version = view.discord, view.version
        memo = self._memos.get(guild.id)
        if memo is None or memo.version != version or memo.guild is not guild:
            if len(self._memos) >= MAX_MEMOISED_GUILDS:
                self._memos.clear()
            memo = self._memos[guild.id] = _Memo(version, guild)
        encoded = memo.lists.get(key)
        if encoded is None:
            if len(memo.lists) >= MAX_MEMOISED_SETS:
                memo.lists.clear()
            encoded = memo.lists[key] = Encoded(orjson.dumps(made(guild)))
        return encoded
