"""Making a role."""

from __future__ import annotations

from dataclasses import replace

import discord
from pydantic import Field

from operations.base import Change, Context, Inverse, Model, Preview, Reconcile, WriteOperation
from operations.discord.overwrites import PermissionName
from operations.discord.role_settings import RoleAppearance, color_text, color_value
from operations.discord.role_writes import common_problems, common_unknowns
from operations.preflight import roles as rules
from operations.preflight import told
from operations.refs import GuildRef
from operations.sanitise import inline, sanitise
from policy.model import Need, Requirement, Tier
from policy.permissions import DANGEROUS, bits, names_of


class RoleCreateInput(RoleAppearance):
    guild: GuildRef | None = None
    name: str = Field(min_length=1, max_length=100)
    permissions: tuple[PermissionName, ...] = ()


class RoleCreateEffect(Model):
    """Exactly what is made. ``permissions``: bits. ``color``: 0 is none."""

    guild_id: int
    name: str
    permissions: int
    color: int
    hoist: bool
    mentionable: bool


class RoleCreateResult(Model):
    id: str
    name: str


class CreateRole(WriteOperation[RoleCreateInput, RoleCreateEffect, RoleCreateResult]):
    """Create a role, at the bottom of the list (role_reorder moves it). Nobody grants a permission that he lacks."""

    name = "role_create"
    toolset = "roles"
    scope = "roles:write"
    in_default_set = True
    # "Requires the MANAGE_ROLES permission." https://discord.com/developers/docs/resources/guild#create-guild-role
    bot_permissions = ("manage_roles",)
    actor_permissions = ("manage_roles",)
    reconcile = Reconcile.AUDIT_LOG
    audit_action = discord.AuditLogAction.role_create.value

    # ------------------------------------------------------------------- rights
    def needs(self, ctx: Context, arguments: RoleCreateInput) -> tuple[Need, ...]:
        return (self.need(ctx.guild_target, grants=bits(*arguments.permissions)),)

    def needs_of(self, ctx: Context, effect: RoleCreateEffect) -> tuple[Need, ...]:
        return (self.need(ctx.guild_target, grants=effect.permissions),)

    def requirement(self, ctx: Context, arguments: RoleCreateInput) -> Requirement:
        return _raised(super().requirement(ctx, arguments), bits(*arguments.permissions))

    def requirement_of(self, ctx: Context, effect: RoleCreateEffect) -> Requirement:
        return _raised(super().requirement_of(ctx, effect), effect.permissions)

    # ------------------------------------------------------------------ preview
    async def preview(self, ctx: Context, arguments: RoleCreateInput) -> Preview[RoleCreateEffect]:
        guild = ctx.guild.discord
        effect = RoleCreateEffect(
            guild_id=guild.id,
            name=arguments.name,
            permissions=bits(*arguments.permissions),
            color=0 if arguments.color is None else color_value(arguments.color),
            hoist=bool(arguments.hoist),
            mentionable=bool(arguments.mentionable),
        )
        return Preview(
            summary=f"Create the role @{inline(effect.name)}{_with(effect.permissions)} in {inline(guild.name)}",
            effect=effect,
            changes=_changes(effect),
            problems=told(
                rules.name_fits(effect.name),
                rules.guild_has_room(len(guild.roles)),
                common_problems(ctx),
            ),
            unknowns=common_unknowns(ctx),
            reversible=True,
        )

    # ------------------------------------------------------------------ execute
    async def execute(self, ctx: Context, effect: RoleCreateEffect) -> RoleCreateResult:
        role = await ctx.guild.discord.create_role(
            name=effect.name,
            permissions=discord.Permissions(effect.permissions),
            colour=discord.Colour(effect.color),
            hoist=effect.hoist,
            mentionable=effect.mentionable,
            reason=ctx.audit_reason,
        )
        return _result(role.id, role.name)

    def found(self, entry: discord.AuditLogEntry, effect: RoleCreateEffect) -> RoleCreateResult | None:
        role_id = getattr(entry.target, "id", None)
        return None if role_id is None else _result(role_id, effect.name)

    def inverse_of(self, effect: RoleCreateEffect, result: RoleCreateResult) -> Inverse | None:
        return Inverse(operation="role_delete", arguments={"role": result.id, "guild": str(effect.guild_id)})


def _raised(requirement: Requirement, permissions: int) -> Requirement:
    """Whoever gets such a role, later and by a call of its own, gets power over the guild."""
    if not permissions & DANGEROUS:
        return requirement
    return replace(requirement, tier=max(requirement.tier, Tier.RISKY))


def _with(permissions: int) -> str:
    dangerous = names_of(permissions & DANGEROUS)
    return f" with {', '.join(dangerous)}" if dangerous else ""


def _changes(effect: RoleCreateEffect) -> tuple[Change, ...]:
    target = f"new role @{inline(effect.name)}"
    given = (
        ("permissions", list(names_of(effect.permissions))),
        ("color", color_text(effect.color) if effect.color else None),
        ("hoist", effect.hoist or None),
        ("mentionable", effect.mentionable or None),
    )
    changes = [Change(target=target, field="exists", before=False, after=True)]
    changes += [Change(target=target, field=name, after=value) for name, value in given if value]
    return tuple(changes)


def _result(role_id: int, name: str) -> RoleCreateResult:
    return RoleCreateResult(id=str(role_id), name=sanitise(name, limit=rules.MAX_NAME))
