"""Roles: their settings, the room that a guild has for them, and which of them nobody handles by hand.

Source, where none is named: https://discord.com/developers/docs/resources/guild#create-guild-role
"""

from __future__ import annotations

from collections.abc import Collection

from policy.permissions import ADMINISTRATOR, names_of

MAX_ROLES = 250
MAX_NAME = 100


def name_fits(name: str) -> str | None:
    """ "name of the role, max 100 characters" """
    length = len(name) if name.strip() else 0
    if 1 <= length <= MAX_NAME:
        return None
    return f"A role's name takes 1 to {MAX_NAME} characters; this has {length}."


def guild_has_room(role_count: int) -> str | None:
    """``role_count``: all roles, @everyone among them. Error 30005, "Maximum number of guild roles reached (250)".

    https://discord.com/developers/docs/topics/opcodes-and-status-codes#json-json-error-codes
    """
    if role_count < MAX_ROLES:
        return None
    return f"The guild has {role_count} of {MAX_ROLES} roles; delete one that is no longer needed first."


def role_is_deletable(*, is_everyone: bool, managed_by: str | None) -> str | None:
    """``managed``: "whether this role is managed by an integration": it goes with that.

    https://discord.com/developers/docs/topics/permissions#role-object
    """
    if is_everyone:
        return "@everyone cannot be deleted: every member has it."
    if managed_by is not None:
        return f"The role is managed by {managed_by}, so it cannot be deleted; it goes with what manages it."
    return None


def role_is_assignable(*, is_everyone: bool, managed_by: str | None) -> str | None:
    """As above: whoever manages a role gives and takes it. Error 50028, "Invalid role"."""
    if is_everyone:
        return "@everyone cannot be given or taken: every member has it."
    if managed_by is not None:
        return f"The role is managed by {managed_by}, so it cannot be given or taken by hand."
    return None


def everyone_has_permissions_only(fields: Collection[str], *, is_everyone: bool) -> str | None:
    """``fields``: what would change beside permissions. Discord's clients offer nothing else for @everyone."""
    if not is_everyone or not fields:
        return None
    return f"@everyone has permissions only; leave out {', '.join(fields)}."


def carried_bits_are_held(carried: int, bot_guild_bits: int) -> str | None:
    """A bot "can only grant permissions it has to those roles", and a request carries all permissions of the role, also
    those that stay.

    https://discord.com/developers/docs/topics/permissions#permission-hierarchy
    """
    lacking = 0 if bot_guild_bits & ADMINISTRATOR else carried & ~bot_guild_bits
    if not lacking:
        return None
    return (
        f"The role has {', '.join(names_of(lacking))}, which I lack, so I cannot set its permissions; "
        "grant it to me, or change the role in Discord."
    )


def everyone_stays_lowest(*, moves_everyone: bool, below_everyone: bool) -> str | None:
    """@everyone has position 0. https://discord.com/developers/docs/topics/permissions#role-object"""
    if moves_everyone:
        return "@everyone is always the lowest role; it cannot be moved."
    if below_everyone:
        return "Nothing stands below @everyone; position 1 is the lowest place."
    return None


def position_fits(position: int, role_count: int) -> str | None:
    """``role_count``: without @everyone. ``position``: from 1, the lowest."""
    if 1 <= position <= role_count:
        return None
    return f"A position here goes from 1 (lowest) to {role_count} (highest), not {position}."
