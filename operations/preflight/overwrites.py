"""Overwrites: which bits an edit hands out or takes away, and which of them Discord lets a bot touch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from policy.permissions import ALL, Bits, names_of

MAX_OVERWRITES = 1000
MAX_OVERWRITES_IN_ONE_REQUEST = 100


@dataclass(frozen=True, slots=True)
class Overwrite:
    """``allow`` and ``deny``: permission bits. A target without an overwrite is one with neither."""

    allow: int = 0
    deny: int = 0

    @property
    def bits(self) -> int:
        return self.allow | self.deny


@dataclass(frozen=True, slots=True)
class OverwriteBits:
    """What an edit of one overwrite does.

    ``granted``: newly allowed, or no longer denied. ``denied``: newly denied, or no longer allowed. ``named``: every
    bit that the request carries, changed or not.
    """

    granted: int = 0
    denied: int = 0
    named: int = 0

    @property
    def changed(self) -> int:
        """What bot and requester must hold: nobody grants or denies what he lacks."""
        return self.granted | self.denied


def overwrite_bits(before: Overwrite, after: Overwrite) -> OverwriteBits:
    return OverwriteBits(
        granted=(after.allow & ~before.allow) | (before.deny & ~after.deny),
        denied=(after.deny & ~before.deny) | (before.allow & ~after.allow),
        named=after.bits,
    )


def joined(several: Iterable[OverwriteBits]) -> OverwriteBits:
    """What edits of several overwrites do together."""
    granted = denied = named = 0
    for each in several:
        granted |= each.granted
        denied |= each.denied
        named |= each.named
    return OverwriteBits(granted, denied, named)


def overwrite_is_consistent(overwrite: Overwrite) -> str | None:
    """One bit cannot be allowed and denied at once: which one Discord would keep is written nowhere."""
    both = overwrite.allow & overwrite.deny
    return None if not both else f"{', '.join(names_of(both))} cannot be allowed and denied at once."


def overwrite_bits_are_known(overwrite: Overwrite) -> str | None:
    unknown = overwrite.bits & ~ALL
    return None if not unknown else f"Unknown permissions: {', '.join(names_of(unknown))}."


def overwrite_count_fits(count: int) -> str | None:
    """Error 30060. https://discord.com/developers/docs/topics/opcodes-and-status-codes#json-json-error-codes"""
    if count <= MAX_OVERWRITES:
        return None
    return f"A channel takes at most {MAX_OVERWRITES:,} overwrites; there would be {count:,}."


def overwrites_fit_one_request(count: int) -> str | None:
    """Discord's OpenAPI description allows 100 in the body of a create or an edit."""
    if count <= MAX_OVERWRITES_IN_ONE_REQUEST:
        return None
    return f"{count} overwrites are too many for one request; give at most {MAX_OVERWRITES_IN_ONE_REQUEST}."


def named_bits_are_held(
    named: int, bot_guild_bits: int, bot_parent_bits: int = 0, *, has_manage_roles_overwrite: bool = False
) -> str | None:
    """ "Only permissions your bot has in the guild or parent channel (if applicable) can be allowed/denied (unless your
    bot has a MANAGE_ROLES overwrite in the channel)."

    https://discord.com/developers/docs/resources/channel#edit-channel-permissions
    """
    held = bot_guild_bits | bot_parent_bits
    lacking = 0 if held & Bits.administrator or has_manage_roles_overwrite else named & ~held
    if not lacking:
        return None
    return f"I lack {', '.join(names_of(lacking))}, so I cannot allow or deny it; grant it to me, or leave it out."


def new_channel_leaves_manage_roles(named: int, bot_guild_bits: int) -> str | None:
    """ "Setting MANAGE_ROLES permission in channels is only possible for guild administrators."

    https://discord.com/developers/docs/resources/guild#create-guild-channel
    """
    if not named & Bits.manage_roles or bot_guild_bits & Bits.administrator:
        return None
    return "Only administrators may set manage_roles on a new channel; leave it out."
