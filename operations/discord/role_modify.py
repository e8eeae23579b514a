"""Changing a role's settings and permissions."""

from __future__ import annotations

from typing import Any, Self

import discord
from pydantic import Field, model_validator

from operations.base import Change, Context, Inverse, Model, Preview, Reconcile, WriteOperation
from operations.discord.fingerprints import GONE, fingerprint
from operations.discord.overwrites import PermissionName
from operations.discord.role_kinds import called, labelled
from operations.discord.role_settings import SETTINGS, RoleAppearance, color_text, color_value, settings_of
from operations.discord.role_writes import ROLE_GONE, common_problems, common_unknowns
from operations.errors import Refused
from operations.guild_state import GuildView
from operations.preflight import roles as rules
from operations.preflight import told
from operations.refs import GuildRef, RoleRef
from operations.refusals import hidden
from operations.sanitise import inline, sanitise
from policy.model import Need, Target, Tier
from policy.permissions import bits, names_of


class RoleModifyInput(RoleAppearance):
    role: RoleRef
    guild: GuildRef | None = None
    name: str | None = Field(default=None, min_length=1, max_length=100)
    grant: tuple[PermissionName, ...] = ()
    revoke: tuple[PermissionName, ...] = ()

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if set(self.grant) & set(self.revoke):
            raise ValueError("a permission is either granted or revoked")
        return self


class RoleModifyEffect(Model):
    """Only what changes is set. ``granted``, ``revoked``: the bits that change; ``permissions``: all of them then."""

    role: Target
    name: str | None = None
    color: int | None = None
    hoist: bool | None = None
    mentionable: bool | None = None
    permissions: int | None = None
    granted: int = 0
    revoked: int = 0

    def settings(self) -> dict[str, Any]:
        """The new value of each setting that changes."""
        return {name: value for name in SETTINGS if (value := getattr(self, name)) is not None}

    @property
    def fields(self) -> list[str]:
        return [*self.settings(), *(["permissions"] if self.permissions is not None else [])]


class RoleModifyResult(Model):
    """``changed``: the fields that were set."""

    id: str
    name: str
    changed: list[str]


class ModifyRole(WriteOperation[RoleModifyInput, RoleModifyEffect, RoleModifyResult]):
    """Change a role below your highest one: name, colour, permissions. @everyone has permissions only."""

    name = "role_modify"
    toolset = "roles"
    scope = "roles:write"
    tier = Tier.RISKY
    in_default_set = True
    # https://discord.com/developers/docs/resources/guild#modify-guild-role
    bot_permissions = ("manage_roles",)
    actor_permissions = ("manage_roles",)
    reconcile = Reconcile.AUDIT_LOG
    audit_action = discord.AuditLogAction.role_update.value
    idempotent = True

    # ------------------------------------------------------------------- rights
    def needs(self, ctx: Context, arguments: RoleModifyInput) -> tuple[Need, ...]:
        target = ctx.targets["role"]
        role = ctx.guild.discord.get_role(target.id)
        granted, revoked = _bits(0 if role is None else role.permissions.value, arguments)
        return (self.need(target, outrank=True, grants=granted | revoked),)

    def needs_of(self, ctx: Context, effect: RoleModifyEffect) -> tuple[Need, ...]:
        return (self.need(effect.role, outrank=True, grants=effect.granted | effect.revoked),)

    # ------------------------------------------------------------------ preview
    async def preview(self, ctx: Context, arguments: RoleModifyInput) -> Preview[RoleModifyEffect]:
        view, target = ctx.guild, ctx.targets["role"]
        role = view.discord.get_role(target.id)
        if role is None:
            raise Refused(hidden("role", "role"))
        effect = _effect(target, role, arguments)
        carried = 0 if effect.permissions is None else effect.permissions & ~effect.granted
        has_gradient = role.secondary_color is not None and effect.color is not None
        return Preview(
            summary=(
                f"Change {', '.join(effect.fields) or 'nothing'} of {called(target)} in {inline(view.discord.name)}"
            ),
            effect=effect,
            changes=_changes(role, effect),
            problems=told(
                None if effect.fields else "Nothing would change; give a field with a new value.",
                None if effect.name is None else rules.name_fits(effect.name),
                rules.everyone_has_permissions_only(list(effect.settings()), is_everyone=role.is_default()),
                rules.carried_bits_are_held(carried, view.bot_bits()),
                common_problems(ctx),
            ),
            unknowns=told(
                common_unknowns(ctx),
                "The role's colour is a gradient, which may be lost." if has_gradient else None,
            ),
            fingerprint=_seen(view, effect),
            inverse=_inverse(role, effect),
            reversible=not has_gradient,
        )

    async def observe(self, ctx: Context, effect: RoleModifyEffect) -> str:
        return _seen(ctx.guild, effect)

    # ------------------------------------------------------------------ execute
    async def execute(self, ctx: Context, effect: RoleModifyEffect) -> RoleModifyResult:
        role = ctx.guild.discord.get_role(effect.role.id)
        if role is None:
            raise Refused(ROLE_GONE)
        options: dict[str, Any] = effect.settings()
        if effect.permissions is not None:
            options["permissions"] = discord.Permissions(effect.permissions)
        await role.edit(reason=ctx.audit_reason, **options)
        return _result(effect)

    def found(self, entry: discord.AuditLogEntry, effect: RoleModifyEffect) -> RoleModifyResult | None:
        return _result(effect) if getattr(entry.target, "id", None) == effect.role.id else None


def _bits(current: int, arguments: RoleModifyInput) -> tuple[int, int]:
    """The bits that are really granted and revoked."""
    return bits(*arguments.grant) & ~current, bits(*arguments.revoke) & current


def _effect(target: Target, role: discord.Role, arguments: RoleModifyInput) -> RoleModifyEffect:
    current = settings_of(role)
    given: dict[str, Any] = arguments.model_dump(include=set(SETTINGS), exclude_none=True)
    if arguments.color is not None:
        given["color"] = color_value(arguments.color)
    changed = {name: value for name, value in given.items() if current[name] != value}
    value = role.permissions.value
    granted, revoked = _bits(value, arguments)
    if granted or revoked:
        changed |= {"permissions": (value | granted) & ~revoked, "granted": granted, "revoked": revoked}
    return RoleModifyEffect(role=target, **changed)


def _changes(role: discord.Role, effect: RoleModifyEffect) -> tuple[Change, ...]:
    target, current = labelled(effect.role), settings_of(role)
    changes = [
        Change(target=target, field=name, before=_shown(name, current[name]), after=_shown(name, value))
        for name, value in effect.settings().items()
    ]
    for field, value, before in (
        ("permissions granted", effect.granted, False),
        ("permissions revoked", effect.revoked, True),
    ):
        names = list(names_of(value))
        if names:
            changes.append(
                Change(target=target, field=field, before=names if before else [], after=[] if before else names)
            )
    return tuple(changes)


def _shown(name: str, value: object) -> object:
    if name == "color" and isinstance(value, int):
        return color_text(value)
    return inline(value) if isinstance(value, str) else value


def _seen(view: GuildView, effect: RoleModifyEffect) -> str:
    """The values that would be replaced."""
    role = view.discord.get_role(effect.role.id)
    if role is None:
        return GONE
    current = settings_of(role)
    seen: dict[str, object] = {name: current[name] for name in effect.settings()}
    if effect.permissions is not None:
        # As text: a digest takes whole numbers of 64 bits at most.
        seen["permissions"] = str(role.permissions.value)
    return fingerprint({"id": role.id, **seen})


def _inverse(role: discord.Role, effect: RoleModifyEffect) -> Inverse:
    current = settings_of(role)
    arguments: dict[str, Any] = {"role": str(role.id), "guild": str(role.guild.id)}
    arguments |= {name: current[name] for name in effect.settings()}
    if effect.color is not None:
        arguments["color"] = color_text(role.color.value)
    if effect.granted:
        arguments["revoke"] = list(names_of(effect.granted))
    if effect.revoked:
        arguments["grant"] = list(names_of(effect.revoked))
    return Inverse(operation="role_modify", arguments=arguments)


def _result(effect: RoleModifyEffect) -> RoleModifyResult:
    return RoleModifyResult(
        id=str(effect.role.id),
        name=sanitise(effect.name or effect.role.name, limit=rules.MAX_NAME),
        changed=effect.fields,
    )
