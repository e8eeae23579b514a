"""Reading roles: all of a guild, and one in full. Every member sees them."""

from __future__ import annotations

from typing import Any

import discord
from pydantic import Field

from operations.base import Context, Encoded, Model, ReadOperation
from operations.discord.encoded_lists import EncodedLists
from operations.discord.guilds import member_count
from operations.discord.role_kinds import managed_by, told_permissions
from operations.discord.role_members import holder_count
from operations.discord.role_order import ladder_of
from operations.errors import Refused
from operations.outcomes import timestamp
from operations.refs import GuildRef, RoleRef
from operations.refusals import hidden
from operations.sanitise import sanitise
from policy.permissions import DANGEROUS

MAX_NAME = 100


# ---------------------------------------------------------------------- list
class RoleListInput(Model):
    guild: GuildRef | None = None


class RoleListRow(Model):
    """Flags are absent where they are false. ``dangerous``: its permissions that give power over the guild."""

    id: str
    name: str
    position: int
    color: str | None = None
    hoist: bool | None = None
    mentionable: bool | None = None
    managed_by: str | None = None
    dangerous: list[str] | None = None


class RoleListResult(Model):
    """Highest first; @everyone is last, at position 0."""

    guild_id: str
    roles: list[RoleListRow]


class ListRoles(ReadOperation[RoleListInput, RoleListResult]):
    """List the guild's roles, highest first, with their dangerous permissions. All permissions: role_get."""

    name = "role_list"
    toolset = "roles"
    scope = "roles:read"
    in_default_set = True
    from_memory = True

    def __init__(self) -> None:
        self._lists = EncodedLists()

    async def read(self, ctx: Context, arguments: RoleListInput) -> RoleListResult | Encoded:
        return self._lists.get(ctx.guild, None, role_rows)


def role_rows(guild: discord.Guild) -> dict[str, Any]:
    """The shape of RoleListResult."""
    return {"guild_id": str(guild.id), "roles": [_row(guild, each.id, at) for at, each in _from_above(guild)]}


def _from_above(guild: discord.Guild) -> list[tuple[int, discord.Role]]:
    """Roles with their places above @everyone."""
    places = [(0, guild.default_role)]
    for place, rung in enumerate(ladder_of(guild), start=1):
        role = guild.get_role(rung.id)
        if role is not None:
            places.append((place, role))
    return places[::-1]


def _row(guild: discord.Guild, role_id: int, position: int) -> dict[str, Any]:
    role = guild.get_role(role_id) or guild.default_role
    row: dict[str, Any] = {"id": str(role.id), "name": _name(role), "position": position, **_appearance(role)}
    dangerous = told_permissions(role.permissions.value & DANGEROUS)
    return {**row, "dangerous": dangerous} if dangerous else row


def _name(role: discord.Role) -> str:
    return sanitise(role.name, limit=MAX_NAME)


def _appearance(role: discord.Role) -> dict[str, Any]:
    found = {
        "color": str(role.color) if role.color.value else None,
        "hoist": role.hoist or None,
        "mentionable": role.mentionable or None,
        "managed_by": managed_by(role),
    }
    return {name: value for name, value in found.items() if value is not None}


# ----------------------------------------------------------------------- get
class RoleGetInput(Model):
    role: RoleRef
    guild: GuildRef | None = None


class RoleGetResult(Model):
    """``member_count``: where all members are known. ``managed_by``: who gives and takes it instead of people."""

    id: str
    guild_id: str
    name: str
    position: int
    created_at: str
    permissions: list[str] = Field(description="Guild-wide; administrator stands for all.")
    dangerous: list[str]
    color: str | None = None
    hoist: bool | None = None
    mentionable: bool | None = None
    managed_by: str | None = None
    bot_id: str | None = None
    emoji: str | None = None
    member_count: int | None = None


class GetRole(ReadOperation[RoleGetInput, RoleGetResult]):
    """One role: its guild-wide permissions, place, colour, and how many members hold it where that is known."""

    name = "role_get"
    toolset = "roles"
    scope = "roles:read"

    async def read(self, ctx: Context, arguments: RoleGetInput) -> RoleGetResult | Encoded:
        guild = ctx.guild.discord
        place = next(((at, role) for at, role in _from_above(guild) if role.id == ctx.targets["role"].id), None)
        if place is None:
            raise Refused(hidden("role", "role"))
        position, role = place
        value = role.permissions.value
        return RoleGetResult(
            id=str(role.id),
            guild_id=str(guild.id),
            name=_name(role),
            position=position,
            created_at=timestamp(role.created_at.timestamp()),
            permissions=told_permissions(value),
            dangerous=told_permissions(value & DANGEROUS),
            bot_id=None if role.tags is None or role.tags.bot_id is None else str(role.tags.bot_id),
            emoji=sanitise(role.unicode_emoji, limit=MAX_NAME) if role.unicode_emoji else None,
            member_count=member_count(guild) if role.is_default() else holder_count(ctx.guild, role),
            **_appearance(role),
        )
