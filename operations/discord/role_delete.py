"""Deleting a role."""

from __future__ import annotations

import discord

from operations.base import Change, Context, Model, Preview, Reconcile, WriteOperation
from operations.discord.fingerprints import GONE, fingerprint
from operations.discord.role_kinds import called, labelled, managed_by
from operations.discord.role_members import holder_count
from operations.discord.role_writes import ROLE_GONE, common_problems, common_unknowns
from operations.discord.wording import counted
from operations.errors import Refused
from operations.guild_state import GuildView
from operations.preflight import told
from operations.preflight.roles import MAX_NAME, role_is_deletable
from operations.refs import GuildRef, RoleRef
from operations.refusals import hidden
from operations.sanitise import inline, sanitise
from policy.model import Need, Target, Tier


class RoleDeleteInput(Model):
    role: RoleRef
    guild: GuildRef | None = None


class RoleDeleteEffect(Model):
    role: Target


class RoleDeleteResult(Model):
    id: str
    name: str


class DeleteRole(WriteOperation[RoleDeleteInput, RoleDeleteEffect, RoleDeleteResult]):
    """Delete a role: its members lose it, channels their overwrites for it. This cannot be undone."""

    name = "role_delete"
    toolset = "roles"
    scope = "roles:write"
    tier = Tier.CRITICAL
    in_default_set = True
    # https://discord.com/developers/docs/resources/guild#delete-guild-role
    bot_permissions = ("manage_roles",)
    actor_permissions = ("manage_roles",)
    reconcile = Reconcile.AUDIT_LOG
    audit_action = discord.AuditLogAction.role_delete.value
    idempotent = True

    def needs(self, ctx: Context, arguments: RoleDeleteInput) -> tuple[Need, ...]:
        return (self.need(ctx.targets["role"], outrank=True),)

    def needs_of(self, ctx: Context, effect: RoleDeleteEffect) -> tuple[Need, ...]:
        return (self.need(effect.role, outrank=True),)

    async def preview(self, ctx: Context, arguments: RoleDeleteInput) -> Preview[RoleDeleteEffect]:
        view, target = ctx.guild, ctx.targets["role"]
        role = view.discord.get_role(target.id)
        if role is None:
            raise Refused(hidden("role", "role"))
        effect = RoleDeleteEffect(role=target)
        details = _details(view, role)
        return Preview(
            summary=f"Delete {called(target)}{f' ({details})' if details else ''} in {inline(view.discord.name)}",
            effect=effect,
            changes=(Change(target=labelled(target), field="exists", before=True, after=False),),
            problems=told(
                role_is_deletable(is_everyone=role.is_default(), managed_by=managed_by(role) if role.managed else None),
                common_problems(ctx),
            ),
            unknowns=common_unknowns(ctx),
            fingerprint=_seen(view, effect),
            reversible=False,
        )

    async def observe(self, ctx: Context, effect: RoleDeleteEffect) -> str:
        return _seen(ctx.guild, effect)

    async def execute(self, ctx: Context, effect: RoleDeleteEffect) -> RoleDeleteResult:
        role = ctx.guild.discord.get_role(effect.role.id)
        if role is None:
            raise Refused(ROLE_GONE)
        await role.delete(reason=ctx.audit_reason)
        return _result(effect)

    def found(self, entry: discord.AuditLogEntry, effect: RoleDeleteEffect) -> RoleDeleteResult | None:
        return _result(effect) if getattr(entry.target, "id", None) == effect.role.id else None


def _details(view: GuildView, role: discord.Role) -> str:
    """What would go with it: its holders where they are known, its overwrites in channels that both see."""
    holders = holder_count(view, role)
    shared = (view.channel(channel_id) for channel_id in view.shared_ids())
    named = sum(
        1
        for channel in shared
        if channel is not None
        and not isinstance(channel, discord.Thread)
        and any(subject.id == role.id for subject in channel.overwrites)
    )
    found = [f"held by {counted(holders, 'member')}"] if holders is not None else []
    if named:
        found.append(f"named in the permissions of {counted(named, 'channel')} that you see")
    return ", ".join(found)


def _seen(view: GuildView, effect: RoleDeleteEffect) -> str:
    role = view.discord.get_role(effect.role.id)
    if role is None:
        return GONE
    return fingerprint({"id": role.id, "name": role.name, "permissions": str(role.permissions.value)})


def _result(effect: RoleDeleteEffect) -> RoleDeleteResult:
    return RoleDeleteResult(id=str(effect.role.id), name=sanitise(effect.role.name, limit=MAX_NAME))
