"""Giving a member a role, and taking it."""

from __future__ import annotations

from abc import ABC
from typing import ClassVar

import discord

from operations.base import Change, Context, Inverse, Model, Preview, Reconcile, WriteOperation
from operations.discord.fingerprints import GONE, fingerprint
from operations.discord.guilds import role_ids
from operations.discord.role_kinds import called, labelled, managed_by, told_permissions
from operations.discord.role_writes import ROLE_GONE, common_problems, common_unknowns
from operations.errors import Refused
from operations.guild_state import MEMBER_MAX_AGE_SECONDS, GuildView
from operations.preflight import told
from operations.preflight.roles import MAX_NAME, role_is_assignable
from operations.refs import GuildRef, MemberRef, RoleRef
from operations.refusals import hidden
from operations.sanitise import inline, sanitise
from policy.model import Need, Refuse, Step, Target, Tier
from policy.permissions import DANGEROUS

MEMBER_GONE = Refuse(
    Step.EXECUTE, "member_gone", "The member left meanwhile.", "Nothing is left to do for who is not in the guild."
)


class RoleMembershipInput(Model):
    member: MemberRef
    role: RoleRef
    guild: GuildRef | None = None


class RoleMembershipEffect(Model):
    member: Target
    role: Target


class RoleMembershipResult(Model):
    member_id: str
    member_name: str
    role_id: str
    role_name: str


class _RoleMembership(WriteOperation[RoleMembershipInput, RoleMembershipEffect, RoleMembershipResult], ABC):
    """What both directions share. ``gives``: which one it is.

    Discord asks where the role stands, never where the member does:
    https://discord.com/developers/docs/topics/permissions#permission-hierarchy
    """

    toolset = "roles"
    scope = "roles:write"
    tier = Tier.RISKY
    in_default_set = True
    bot_permissions = ("manage_roles",)
    actor_permissions = ("manage_roles",)
    reconcile = Reconcile.AUDIT_LOG
    audit_action = discord.AuditLogAction.member_role_update.value
    idempotent = True
    Input = RoleMembershipInput
    Effect = RoleMembershipEffect
    Result = RoleMembershipResult
    gives: ClassVar[bool]
    inverse_name: ClassVar[str]

    # ------------------------------------------------------------------- rights
    def needs(self, ctx: Context, arguments: RoleMembershipInput) -> tuple[Need, ...]:
        return self._needs(ctx.targets["role"], ctx.targets["member"])

    def needs_of(self, ctx: Context, effect: RoleMembershipEffect) -> tuple[Need, ...]:
        return self._needs(effect.role, effect.member)

    def _needs(self, role: Target, member: Target) -> tuple[Need, ...]:
        return self.need(role, outrank=True), self.need(member)

    # ------------------------------------------------------------------ preview
    async def preview(self, ctx: Context, arguments: RoleMembershipInput) -> Preview[RoleMembershipEffect]:
        effect = RoleMembershipEffect(member=ctx.targets["member"], role=ctx.targets["role"])
        has = await _has(ctx.guild, effect)
        role = ctx.guild.discord.get_role(effect.role.id)
        if role is None:
            raise Refused(hidden("role", "role"))
        if has is None:
            raise Refused(hidden("member", "member"))
        member, what = called(effect.member), called(effect.role)
        nothing = f"Nothing would change; {member} {'has' if has else 'does not have'} {what}."
        summary = f"Give {member} the role {what}" if self.gives else f"Take the role {what} from {member}"
        return Preview(
            summary=f"{summary} in {inline(ctx.guild.discord.name)}",
            effect=effect,
            changes=self._changes(effect, role, has=has),
            problems=told(
                role_is_assignable(is_everyone=role.is_default(), managed_by=managed_by(role)),
                nothing if has is self.gives and not role.is_default() else None,
                common_problems(ctx),
            ),
            unknowns=common_unknowns(ctx),
            fingerprint=_seen(role, has=has),
            inverse=Inverse(
                operation=self.inverse_name,
                arguments={
                    "member": str(effect.member.id),
                    "role": str(effect.role.id),
                    "guild": str(ctx.guild.id),
                },
            ),
            reversible=True,
        )

    def _changes(self, effect: RoleMembershipEffect, role: discord.Role, *, has: bool) -> tuple[Change, ...]:
        target = labelled(effect.member)
        changes = [Change(target=target, field=f"has {called(effect.role)}", before=has, after=self.gives)]
        power = role.permissions.value & DANGEROUS
        if power:
            # Who confirms must not have to look up what comes with it.
            listed = told_permissions(power)
            changes.append(
                Change(
                    target=target,
                    field="dangerous permissions through it",
                    before=None if self.gives else listed,
                    after=listed if self.gives else None,
                )
            )
        return tuple(changes)

    async def observe(self, ctx: Context, effect: RoleMembershipEffect) -> str:
        has = await _has(ctx.guild, effect)
        role = ctx.guild.discord.get_role(effect.role.id)
        return GONE if role is None or has is None else _seen(role, has=has)

    # ------------------------------------------------------------------ execute
    async def execute(self, ctx: Context, effect: RoleMembershipEffect) -> RoleMembershipResult:
        member = await _member(ctx.guild, effect)
        if member is None:
            raise Refused(MEMBER_GONE)
        role = ctx.guild.discord.get_role(effect.role.id)
        if role is None:
            raise Refused(ROLE_GONE)
        change = member.add_roles if self.gives else member.remove_roles
        await change(role, reason=ctx.audit_reason, atomic=True)
        ctx.guild.state.forget_member(ctx.guild.id, effect.member.id)
        return _result(effect)

    def found(self, entry: discord.AuditLogEntry, effect: RoleMembershipEffect) -> RoleMembershipResult | None:
        return _result(effect) if getattr(entry.target, "id", None) == effect.member.id else None


class AssignRole(_RoleMembership):
    """Give a member a role that stands below your highest one."""

    name = "role_assign"
    # https://discord.com/developers/docs/resources/guild#add-guild-member-role
    gives = True
    inverse_name = "role_remove"


class RemoveRole(_RoleMembership):
    """Take a role that stands below your highest one from a member; the role itself stays."""

    name = "role_remove"
    # https://discord.com/developers/docs/resources/guild#remove-guild-member-role
    gives = False
    inverse_name = "role_assign"


async def _member(view: GuildView, effect: RoleMembershipEffect) -> discord.Member | None:
    return await view.state.member(view.discord, effect.member.id, MEMBER_MAX_AGE_SECONDS)


async def _has(view: GuildView, effect: RoleMembershipEffect) -> bool | None:
    """Whether the member has the role; None for one who is not in the guild."""
    member = await _member(view, effect)
    if member is None:
        return None
    return effect.role.id == view.id or effect.role.id in role_ids(member)


def _seen(role: discord.Role, *, has: bool) -> str:
    """Whoever confirms says yes to the role as it was: what it gives counts."""
    return fingerprint({"role": role.id, "permissions": str(role.permissions.value), "has": has})


def _result(effect: RoleMembershipEffect) -> RoleMembershipResult:
    return RoleMembershipResult(
        member_id=str(effect.member.id),
        member_name=sanitise(effect.member.name, limit=MAX_NAME),
        role_id=str(effect.role.id),
        role_name=sanitise(effect.role.name, limit=MAX_NAME),
    )
