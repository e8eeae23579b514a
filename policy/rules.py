"""Guild and channel policy: what a workspace decides for its guilds, beyond Discord's own rights."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from policy.model import OperationClass, PlatformRole, Requirement, Rule, Tier

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
    ``record_reads``: audit allowed reads as entries instead of counting them.
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
