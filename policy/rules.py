"""Guild and channel policy: what a workspace decides for its guilds, beyond Discord's own rights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from policy.agent_rules import AgentRules
from policy.model import OperationClass, PlatformRole, Requirement, Rule, Tier
from policy.presets import ALL, PresetName

RuleName = Literal["allow", "confirm", "deny"]
MappedRole = Literal["viewer", "member", "manager", "admin"]
RaisedTier = Literal["write", "risky", "critical"]
RULES: dict[RuleName, Rule] = {"allow": Rule.ALLOW, "confirm": Rule.CONFIRM, "deny": Rule.DENY}


class ClassRules(BaseModel):
    """One rule for each operation class; what is not named allows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    read: Literal["allow", "deny"] = "allow"
    write: RuleName = "allow"
    destroy: RuleName = "allow"

    def of(self, operation_class: OperationClass) -> Rule:
        name: RuleName = getattr(self, operation_class.value)
        return RULES[name]


class GuildRules(BaseModel):
    """The policy of one installation.

    ``role_map``: Discord role id -> platform role of members who hold it and have no explicit membership; the highest
    wins.
    ``tiers``: operation -> a tier to raise it to; a lower one than the catalogue's has no effect.
    ``preset``: the only operations that are served; None is all.
    ``record_reads``: audit allowed reads as entries instead of counting them.
    ``agent``: what it may cost, and which model answers.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rules: ClassRules = ClassRules()
    role_map: dict[int, MappedRole] = Field(default_factory=dict[int, MappedRole])
    tiers: dict[str, RaisedTier] = Field(default_factory=dict[str, RaisedTier])
    record_reads: bool = False
    approver_role_ids: tuple[int, ...] = ()
    four_eyes: bool = False
    approvals_channel_id: int | None = None
    log_channel_id: int | None = None
    preset: PresetName | None = None
    agent: AgentRules = AgentRules()


class ChannelRules(BaseModel):
    """The policy of one channel or category."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rules: ClassRules = ClassRules()


def effective(operation_class: OperationClass, guild: GuildRules, lineage: Iterable[ChannelRules]) -> Rule:
    """The strictest of the guild's rule and those along the lineage (channel, parent channel, category): deny wins."""
    strictest = guild.rules.of(operation_class)
    for channel in lineage:
        strictest = max(strictest, channel.rules.of(operation_class))
    return strictest


def raised_tier(guild: GuildRules, requirement: Requirement) -> Tier:
    """The tier after the guild's overrides; it never falls below what the effect asks for."""
    override = guild.tiers.get(requirement.operation)
    return requirement.tier if override is None else max(requirement.tier, Tier[override.upper()])


def mapped_role(guild: GuildRules, role_ids: Iterable[int]) -> PlatformRole:
    """The platform role of a member of the guild without an explicit membership."""
    mapped = [PlatformRole.named(guild.role_map[role_id]) for role_id in role_ids if role_id in guild.role_map]
    return max(mapped, default=PlatformRole.MEMBER)


def loosens(before: GuildRules, after: GuildRules) -> tuple[str, ...]:
    """What a change lets through that was held before, a phrase each; () for one that only tightens.

    Approvers and approvals channel, once set, are a person's to change, whichever way: whoever moves them decides who
    is asked. From nothing they are tightening: approver roles are asked for on top of the rights, and a channel takes
    no right away from those asked before.
    """
    found = list(_loosened_rules(before.rules, after.rules))
    found += [
        f"the tier of {operation} from {before.tiers.get(operation, 'unset')} to {after.tiers.get(operation, 'unset')}"
        for operation in sorted(before.tiers)
        if _tier(after, operation) < _tier(before, operation)
    ]
    if _raises_somebody(before.role_map, after.role_map):
        found.append("the role map upward")
    if before.approver_role_ids and set(before.approver_role_ids) != set(after.approver_role_ids):
        found.append("the approver roles, which are set already")
    if before.approvals_channel_id not in (None, after.approvals_channel_id):
        found.append("the approvals channel, which is set already")
    if before.log_channel_id not in (None, after.log_channel_id):
        found.append("the log channel, which is set already")
    if before.four_eyes and not after.four_eyes:
        found.append("four_eyes from on to off")
    if before.preset not in (None, ALL, after.preset):
        # Whether one lets more through than the other is for the catalogue to say; any change may.
        found.append(f"the preset from {before.preset} to {after.preset or ALL}")
    if before.record_reads and not after.record_reads:
        found.append("record_reads from on to off")
    found += before.agent.loosened(after.agent)
    return tuple(found)


def loosens_channel(before: ChannelRules, after: ChannelRules) -> tuple[str, ...]:
    """As ``loosens``, of one channel; no rules of its own are ``ChannelRules()``."""
    return tuple(_loosened_rules(before.rules, after.rules))


def _loosened_rules(before: ClassRules, after: ClassRules) -> Iterable[str]:
    for each in OperationClass:
        if after.of(each) < before.of(each):
            yield f"{each.value} from {before.of(each).name.lower()} to {after.of(each).name.lower()}"


def _tier(rules: GuildRules, operation: str) -> Tier:
    named = rules.tiers.get(operation)
    return Tier.READ if named is None else Tier[named.upper()]


def _raises_somebody(before: Mapping[int, MappedRole], after: Mapping[int, MappedRole]) -> bool:
    """Whether a member, by whatever roles he holds, would have a higher platform role than before.

    Two roles are enough to look at: the one that lifts him, and one that held him below ``member``.
    """
    old, new = GuildRules(role_map=dict(before)), GuildRules(role_map=dict(after))
    role_ids = sorted({*before, *after})
    pairs = ((first, second) for first in role_ids for second in role_ids)
    return any(mapped_role(new, pair) > mapped_role(old, pair) for pair in pairs)
