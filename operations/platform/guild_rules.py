"""The family of writes that change a guild's policy: each says what the rules would be; the rest is here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Generic

from operations.base import Change, Context, InputT, Inverse, Model, Preview
from operations.declaring import ADMINISTRATION
from operations.discord.fingerprints import difference, fingerprint
from operations.errors import Refused
from operations.plan_refusals import changed_since
from operations.platform.administration import (
    ROLES_DECIDE,
    channel_words,
    installation_of,
    is_gone,
    loosening,
    role_words,
    rules_of,
    stored_rules,
    summary_of,
)
from operations.platform_writes import PlatformWrite
from operations.sanitise import inline
from policy.agent_rules import AgentRules
from policy.model import Need, OperationClass, Reach, Requirement, Target, Tier
from policy.rules import GuildRules, loosens
from storage import policies
from storage.session import Session


class RulesEffect(Model):
    """The whole policy before and after. ``channel``: the one that is named, so that an approver must see it."""

    guild: Target
    before: GuildRules
    after: GuildRules
    channel: Target | None = None


class RulesResult(Model):
    """``loosened``: what is let through now that was held before."""

    guild_id: str
    changed: list[str]
    loosened: list[str]


class GuildRulesWrite(PlatformWrite[InputT, RulesEffect, RulesResult], ABC, Generic[InputT]):
    """Risky, and critical where it loosens: then of a workspace admin who is Discord administrator. What changed since
    the preview refuses it.
    """

    toolset = "administration"
    scope = "admin:policy"
    faces = ADMINISTRATION
    tier = Tier.RISKY
    reach = Reach.SAME_CHANNEL
    open_to_members = ROLES_DECIDE
    idempotent = True
    works_paused = True
    Effect = RulesEffect
    Result = RulesResult

    # -------------------------------------------------------- what differs
    @abstractmethod
    def changed(self, ctx: Context, arguments: InputT, before: GuildRules) -> GuildRules:
        """The rules as they would be."""

    @abstractmethod
    def back(self, effect: RulesEffect) -> dict[str, Any]:
        """The arguments of the call that restores what this one changes."""

    def problems(self, ctx: Context, arguments: InputT, effect: RulesEffect) -> tuple[str, ...]:
        return ()

    def unknowns(self, ctx: Context, effect: RulesEffect) -> tuple[str, ...]:
        return ()

    # --------------------------------------------------------------- rights
    def needs(self, ctx: Context, arguments: InputT) -> tuple[Need, ...]:
        return self._needs(ctx, ctx.targets.get("channel"))

    def needs_of(self, ctx: Context, effect: RulesEffect) -> tuple[Need, ...]:
        return self._needs(ctx, effect.channel)

    def _needs(self, ctx: Context, channel: Target | None) -> tuple[Need, ...]:
        return (self.need(ctx.guild_target),) if channel is None else (self.need(ctx.guild_target), self.need(channel))

    def requirement(self, ctx: Context, arguments: InputT) -> Requirement:
        base = self.base_requirement(self.needs(ctx, arguments))
        return self._raised(ctx, base, self._effect(ctx, arguments))

    def requirement_of(self, ctx: Context, effect: RulesEffect) -> Requirement:
        return self._raised(ctx, self.base_requirement(self.needs_of(ctx, effect)), effect)

    def _raised(self, ctx: Context, requirement: Requirement, effect: RulesEffect) -> Requirement:
        return loosening(requirement, self.need(ctx.guild_target), loosened_by(ctx, effect))

    def _effect(self, ctx: Context, arguments: InputT) -> RulesEffect:
        before = rules_of(ctx)
        after = self.changed(ctx, arguments, before)
        return RulesEffect(guild=ctx.guild_target, before=before, after=after, channel=ctx.targets.get("channel"))

    # -------------------------------------------------------------- preview
    async def preview(self, ctx: Context, arguments: InputT) -> Preview[RulesEffect]:
        effect = self._effect(ctx, arguments)
        changes = rule_changes(ctx, effect.before, effect.after)
        problems = self.problems(ctx, arguments, effect)
        if not changes and not problems:
            problems = ("Nothing would change; it is so already.",)
        what = f"Set {', '.join(change.field for change in changes) or 'nothing'}"
        return Preview(
            summary=summary_of(ctx, what, loosened_by(ctx, effect)),
            effect=effect,
            changes=changes,
            problems=problems,
            unknowns=self.unknowns(ctx, effect),
            fingerprint=seen(effect.before),
            inverse=Inverse(operation=self.name, arguments={"guild": str(ctx.guild.id), **self.back(effect)}),
            reversible=True,
        )

    async def observe(self, ctx: Context, effect: RulesEffect) -> str:
        return seen(rules_of(ctx))

    # ---------------------------------------------------------------- apply
    async def apply(self, ctx: Context, session: Session, effect: RulesEffect) -> RulesResult:
        installation = installation_of(ctx)
        await policies.lock(session, installation.id)
        fields = difference(seen(effect.before), seen(await stored_rules(session, installation.id)))
        if fields:
            raise Refused(changed_since(fields))
        await policies.set_guild(session, installation.id, effect.after, by=ctx.caller.user_id, now=ctx.now)
        return RulesResult(
            guild_id=str(effect.guild.id),
            changed=[change.field for change in rule_changes(ctx, effect.before, effect.after)],
            loosened=list(loosened_by(ctx, effect)),
        )


def loosened_by(ctx: Context, effect: RulesEffect) -> tuple[str, ...]:
    """A channel that no longer exists counts as none: nobody is asked, and nothing is told, in it."""
    before = effect.before
    gone = {name: None for name in ("approvals_channel_id", "log_channel_id") if is_gone(ctx, getattr(before, name))}
    return loosens(before.model_copy(update=gone), effect.after)


def seen(rules: GuildRules) -> str:
    """The fingerprint of a policy, a field each."""
    fields = rules.model_dump(mode="json")
    return fingerprint(fields.pop("rules") | fields)


def rule_changes(ctx: Context, before: GuildRules, after: GuildRules) -> tuple[Change, ...]:
    """What differs, with names beside ids."""
    guild = f"guild {ctx.guild.id} {inline(ctx.guild.discord.name)}"
    found: list[tuple[str, Any, Any]] = [
        (each.value, getattr(before.rules, each.value), getattr(after.rules, each.value)) for each in OperationClass
    ]
    found += [
        (f"tier of {name}", before.tiers.get(name), after.tiers.get(name))
        for name in sorted(before.tiers.keys() | after.tiers.keys())
    ]
    for role_id in sorted(before.role_map.keys() | after.role_map.keys()):
        words = f"platform role of {role_words(ctx, role_id)}"
        found.append((words, before.role_map.get(role_id), after.role_map.get(role_id)))
    found += [(name, getattr(before, name), getattr(after, name)) for name in ("four_eyes", "record_reads", "preset")]
    found += _agent_changes(ctx, before.agent, after.agent)
    if before.approver_role_ids != after.approver_role_ids:
        earlier, later = (
            [role_words(ctx, role_id) for role_id in rules.approver_role_ids] for rules in (before, after)
        )
        found.append(("approver_roles", earlier, later))
    for field, name in (("approvals_channel", "approvals_channel_id"), ("log_channel", "log_channel_id")):
        ids: tuple[int | None, int | None] = (getattr(before, name), getattr(after, name))
        if ids[0] != ids[1]:
            found.append((field, channel_words(ctx, ids[0]), channel_words(ctx, ids[1])))
    return tuple(
        Change(target=guild, field=field, before=was, after=will_be) for field, was, will_be in found if was != will_be
    )


def _agent_changes(ctx: Context, before: AgentRules, after: AgentRules) -> list[tuple[str, Any, Any]]:
    found: list[tuple[str, Any, Any]] = [
        ("agent's model", before.model, after.model),
        ("agent's budget of the guild", str(before.guild), str(after.guild)),
        ("agent's budget of each member", str(before.user), str(after.user)),
    ]
    for role_id in sorted(before.roles.keys() | after.roles.keys()):
        limits = (str(before.limit("role", role_id)), str(after.limit("role", role_id)))
        found.append((f"agent's budget of {role_words(ctx, role_id)}", *limits))
    return found
