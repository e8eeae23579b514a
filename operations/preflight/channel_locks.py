"""Locking a channel: which overwrites keep its members from writing, and which give back what was.

Whoever moderates keeps what he could do there; nobody sees more than before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import discord

from operations.preflight.overwrites import Overwrite
from policy.permissions import ADMINISTRATOR, Bits, names_of

_WRITES = int(Bits.send_messages | Bits.add_reactions)
_IN_THREADS = int(Bits.send_messages_in_threads)
_OPENS_THREADS = int(Bits.create_public_threads | Bits.create_private_threads)
_Type = discord.ChannelType
# What members write with, by kind of channel; a post in a forum is a thread that send_messages opens.
# https://discord.com/developers/docs/topics/threads#permissions
LOCKED: Mapping[discord.ChannelType, int] = {
    _Type.text: _WRITES | _IN_THREADS | _OPENS_THREADS,
    _Type.news: _WRITES | _IN_THREADS | _OPENS_THREADS,
    _Type.forum: _WRITES | _IN_THREADS,
    _Type.media: _WRITES | _IN_THREADS,
    _Type.voice: _WRITES,
    _Type.stage_voice: _WRITES,
}
# Whoever holds one of these in the guild, or the last three by an overwrite of the channel, moderates there.
MODERATES = int(
    Bits.kick_members
    | Bits.ban_members
    | Bits.manage_guild
    | Bits.moderate_members
    | Bits.manage_channels
    | Bits.manage_roles
    | Bits.manage_messages
    | Bits.manage_threads
)
MODERATES_HERE = int(Bits.manage_channels | Bits.manage_roles | Bits.manage_messages | Bits.manage_threads)
VIEW = int(Bits.view_channel)
MAX_EDITS = 25


def locked(
    bits: int,
    everyone_id: int,
    everyone_bits: int,
    overwrites: Mapping[int, Overwrite],
    moderators: Mapping[int, int],
    moderating_members: frozenset[int],
) -> dict[int, Overwrite]:
    """The overwrites that a lock changes, as they would be; those of moderators first, so that none is locked out.

    ``bits``: what is locked. ``moderators``: the guild-wide bits of each role that moderates. ``moderating_members``:
    members with an overwrite of their own who do. None of these loses what it is allowed.
    """
    everyone = overwrites.get(everyone_id, Overwrite())
    denied = Overwrite(everyone.allow & ~bits, everyone.deny | bits)
    changed: dict[int, Overwrite] = {}
    for role_id, role_bits in moderators.items():
        own = overwrites.get(role_id, Overwrite())
        lost = _holds(everyone_bits | role_bits, everyone, own) & ~_holds(everyone_bits | role_bits, denied, own) & bits
        if lost:
            changed[role_id] = Overwrite(own.allow | lost, own.deny)
    if denied != everyone:
        changed[everyone_id] = denied
    for subject_id, own in overwrites.items():
        if subject_id == everyone_id or subject_id in moderators or subject_id in moderating_members:
            continue
        if own.allow & bits:
            changed[subject_id] = Overwrite(own.allow & ~bits, own.deny)
    return changed


def _holds(bits: int, everyone: Overwrite, own: Overwrite) -> int:
    """What somebody with one role holds; nothing where he sees nothing.

    https://discord.com/developers/docs/topics/permissions#permission-overwrites
    """
    if bits & ADMINISTRATOR:
        return bits
    value = bits & ~everyone.deny | everyone.allow
    value = value & ~own.deny | own.allow
    return value if value & VIEW else 0


@dataclass(frozen=True, slots=True)
class Restored:
    """``after``: the overwrite as it would be; None for none. ``kept``: bits that somebody has changed since, which
    stay as they are.
    """

    after: Overwrite | None
    kept: int = 0


def restored(before: Overwrite | None, as_locked: Overwrite, now: Overwrite | None) -> Restored:
    """What an unlock makes of one overwrite: the bits that the lock changed are as they were, all others as they are.

    ``before``: None where there was none.
    """
    was, present = before or Overwrite(), now or Overwrite()
    changed = (was.allow ^ as_locked.allow) | (was.deny ^ as_locked.deny)
    moved = ((present.allow ^ as_locked.allow) | (present.deny ^ as_locked.deny)) & changed
    back_already = changed & ~((present.allow ^ was.allow) | (present.deny ^ was.deny))
    given_back = changed & ~moved
    after = Overwrite(
        present.allow & ~given_back | was.allow & given_back, present.deny & ~given_back | was.deny & given_back
    )
    empty = not after.bits and (before is None or now is None)
    return Restored(None if empty else after, moved & ~back_already)


def lock_is_small(count: int) -> str | None:
    if count <= MAX_EDITS:
        return None
    return (
        f"{count} overwrites would have to be changed, and a lock changes at most {MAX_EDITS}: "
        "remove what roles and members are allowed there, or change the permissions of the category."
    )


def was_changed_since(called: str, kept: int) -> str | None:
    """``called``: the role or member."""
    if not kept:
        return None
    return f"{', '.join(names_of(kept))} of {called} was changed since the lock and stays as it is."
