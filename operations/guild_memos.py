"""What was worked out of guilds, until something changes: who sees what, who holds what."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any

import discord

from operations.member_rights import (
    ADMINISTRATOR,
    VIEW_CHANNEL,
    Channel,
    bits_at,
    left_to,
    member_rank,
    role_bits,
    role_ids_of,
)
from policy.model import Standing

MAX_MEMOISED = 10_000


@dataclass(frozen=True, slots=True)
class Visible:
    """The channels that whoever holds these roles sees, and those that the bot sees as well."""

    role_ids: tuple[int, ...]
    ids: tuple[int, ...]
    shared_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Held:
    """What these roles give guild-wide: permission bits, a timeout not regarded, and rank."""

    role_ids: tuple[int, ...]
    bits: int
    rank: int


@dataclass(slots=True)
class _Memo:
    """What was worked out of one guild object at one version, by user id; with either of them it is void."""

    version: int
    guild: discord.Guild
    visible: dict[int, Visible] = field(default_factory=dict[int, Visible])
    held: dict[int, _Held] = field(default_factory=dict[int, _Held])
    others: dict[Hashable, Any] = field(default_factory=dict[Hashable, Any])


class GuildMemos:
    """Facts by guild and member. Each is used only for the very guild object, version and roles that it was worked out
    of; nothing here waits.
    """

    def __init__(self) -> None:
        self._versions: dict[int, int] = {}
        self._member_versions: dict[int, int] = {}
        self._memos: dict[int, _Memo] = {}
        self._memoised = 0

    def version(self, guild_id: int) -> int:
        """Grows with each change of roles, channels or overwrites: a key for memoised results."""
        return self._versions.get(guild_id, 0)

    def member_version(self, guild_id: int) -> int:
        """Grows with each change of a member: a key for memoised lists of them."""
        return self._member_versions.get(guild_id, 0)

    def guild_changed(self, guild_id: int) -> None:
        self._versions[guild_id] = self.version(guild_id) + 1
        # Not only void but gone: a memo would keep the guild of an ended session in memory.
        self._memos.pop(guild_id, None)

    def member_changed(self, guild_id: int, user_id: int) -> None:
        self._member_versions[guild_id] = self.member_version(guild_id) + 1
        memo = self._memos.get(guild_id)
        if memo is not None:
            memo.visible.pop(user_id, None)
            memo.held.pop(user_id, None)

    def visible(self, guild: discord.Guild, member: discord.Member) -> Visible:
        """The channels that a member sees, and those that the bot sees as well; memoised until something changes."""
        role_ids = role_ids_of(member)
        known = self._memo(guild).visible.get(member.id)
        if known is not None and known.role_ids == role_ids:
            return known
        seen = [channel for channel in ordered_channels(guild) if bits_at(guild, channel, member) & VIEW_CHANNEL]
        shared = [channel for channel in seen if bits_at(guild, channel, guild.me) & VIEW_CHANNEL]
        self._count_memoised()
        known = self._memo(guild).visible[member.id] = Visible(
            role_ids, tuple(channel.id for channel in seen), tuple(channel.id for channel in shared)
        )
        return known

    def standing(self, guild: discord.Guild, member: discord.Member, channel: Channel | None) -> Standing:
        """What a member holds in a channel or guild-wide. Roles' part is memoised until something changes; a timeout
        ends by the clock, so it is asked each time.
        """
        timed_out = member.is_timed_out()
        role_ids = role_ids_of(member)
        held = self._memo(guild).held.get(member.id)
        if held is None or held.role_ids != role_ids:
            self._count_memoised()
            held = self._memo(guild).held[member.id] = _Held(
                role_ids, role_bits(guild, member), member_rank(guild, member)
            )
        return Standing(
            bits=left_to(held.bits, timed_out=timed_out) if channel is None else bits_at(guild, channel, member),
            rank=held.rank,
            is_owner=member.id == guild.owner_id,
            # "With the exception of members with the ADMINISTRATOR permission and the owner": see TIMED_OUT_BITS.
            timed_out=timed_out and not held.bits & ADMINISTRATOR,
            pending=member.pending,
        )

    def recall(self, guild: discord.Guild, key: Hashable) -> Any:
        """What was remembered under this key of this very guild object at its present version, or None."""
        memo = self._memos.get(guild.id)
        if memo is None or memo.guild is not guild or memo.version != self._versions.get(guild.id, 0):
            return None
        return memo.others.get(key)

    def remember(self, guild: discord.Guild, key: Hashable, value: object) -> None:
        """Until something in the guild changes."""
        self._count_memoised()
        self._memo(guild).others[key] = value

    def _memo(self, guild: discord.Guild) -> _Memo:
        memo, version = self._memos.get(guild.id), self.version(guild.id)
        if memo is None or memo.version != version or memo.guild is not guild:
            memo = self._memos[guild.id] = _Memo(version, guild)
        return memo

    def _count_memoised(self) -> None:
        """Called before something is memoised. What was dropped meanwhile counts on: the bound holds all the more."""
        self._memoised += 1
        if self._memoised > MAX_MEMOISED:
            self._memos.clear()
            self._memoised = 1


def ordered_channels(guild: discord.Guild) -> Iterable[discord.abc.GuildChannel]:
    """Channels as Discord's client shows them: each category followed by its channels."""
    for category, channels in guild.by_category():
        if category is not None:
            yield category
        yield from channels
