"""Whose budgets the agent's turns use: the operator's limits, narrowed by the guild's policy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from operations.membership import NO_RULES
from policy.agent_rules import AgentRules, DailyLimit, ModelChoice
from storage.facts import PlatformFacts
from storage.usage import Account, Scope

MICROS = 1_000_000


@dataclass(frozen=True, slots=True)
class OperatorLimits:
    """By settings; a guild's own come on top."""

    workspace: DailyLimit = field(default_factory=DailyLimit)
    guild: DailyLimit = field(default_factory=DailyLimit)
    user: DailyLimit = field(default_factory=DailyLimit)


@dataclass(frozen=True, slots=True)
class AgentSetup:
    """What the operator configured. ``has_key`` False: no model can be asked. ``small``: None where there is none."""

    enabled: bool = False
    has_key: bool = False
    model: str = ""
    small: str | None = None
    limits: OperatorLimits = field(default_factory=OperatorLimits)

    def named(self, choice: ModelChoice) -> str:
        """The model that answers in a guild which chose so."""
        return self.small if choice == "small" and self.small is not None else self.model


class AgentAccounts:
    """With the limits of now."""

    def __init__(self, facts: PlatformFacts, limits: OperatorLimits) -> None:
        self._facts = facts
        self._limits = limits

    def rules(self, guild_id: int) -> AgentRules:
        snapshot = self._facts.snapshot
        installation = snapshot.installations.get(guild_id)
        return (NO_RULES if installation is None else snapshot.guild_rules.get(installation.id, NO_RULES)).agent

    def of(self, workspace_id: str, guild_id: int, user_id: int, role_ids: Iterable[int]) -> tuple[Account, ...]:
        """Of a member's turn: all of them pay. A member's own account is one for all guilds of the workspace, a role's
        is shared by all who hold it.
        """
        rules = self.rules(guild_id)
        roles = [
            _account("role", f"{workspace_id}:{guild_id}:{role_id}", workspace_id, role_id, rules.roles[role_id])
            for role_id in sorted(set(role_ids) & rules.roles.keys())
        ]
        guild, user = rules.guild.within(self._limits.guild), rules.user.within(self._limits.user)
        return (
            _account("workspace", workspace_id, workspace_id, None, self._limits.workspace),
            _account("guild", f"{workspace_id}:{guild_id}", workspace_id, guild_id, guild),
            *roles,
            _account("user", f"{workspace_id}:{user_id}", workspace_id, user_id, user),
        )


def _account(scope: Scope, name: str, workspace_id: str, subject_id: int | None, limit: DailyLimit) -> Account:
    micros = None if limit.cost_usd is None else round(limit.cost_usd * MICROS)
    return Account(scope, name, workspace_id, subject_id, limit.tokens, micros)
