"""What a guild's policy says of its agent: which of the configured models answers, and daily limits of its own.

They come on top of the operator's limits, so that they only ever narrow.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

ModelChoice = Literal["standard", "small"]
BudgetScope = Literal["guild", "role", "user"]
Tokens = Annotated[int, Field(ge=0, le=10**12)]
Dollars = Annotated[float, Field(ge=0, le=1_000_000)]


class DailyLimit(BaseModel):
    """Of one day (UTC). None: no limit. ``cost_usd``: US dollars."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tokens: Tokens | None = None
    cost_usd: Dollars | None = None

    def __bool__(self) -> bool:
        return self != DailyLimit()

    def within(self, other: DailyLimit) -> DailyLimit:
        """The stricter of both."""
        tokens = [each for each in (self.tokens, other.tokens) if each is not None]
        dollars = [each for each in (self.cost_usd, other.cost_usd) if each is not None]
        return DailyLimit(tokens=min(tokens, default=None), cost_usd=min(dollars, default=None))

    def allows_more_than(self, other: DailyLimit) -> bool:
        return _more(self.tokens, other.tokens) or _more(self.cost_usd, other.cost_usd)

    def __str__(self) -> str:
        told = [] if self.tokens is None else [f"{self.tokens:,} tokens"]
        told += [] if self.cost_usd is None else [f"${self.cost_usd:,.2f}"]
        return " and ".join(told) or "no limit"


class AgentRules(BaseModel):
    """``user``: of each member. ``roles``: role id -> what its holders may use together."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: ModelChoice = "standard"
    guild: DailyLimit = DailyLimit()
    user: DailyLimit = DailyLimit()
    roles: dict[int, DailyLimit] = Field(default_factory=dict[int, DailyLimit])

    def limit(self, scope: BudgetScope, role_id: int | None = None) -> DailyLimit:
        match scope:
            case "guild":
                return self.guild
            case "user":
                return self.user
            case "role":
                return self.roles.get(role_id or 0, DailyLimit())

    def with_limit(self, scope: BudgetScope, limit: DailyLimit, role_id: int | None = None) -> AgentRules:
        """Raises ValueError for the scope role without one."""
        match scope:
            case "guild":
                return self.model_copy(update={"guild": limit})
            case "user":
                return self.model_copy(update={"user": limit})
            case "role":
                if role_id is None:
                    raise ValueError("whose limit it is takes a role")
                roles = {**self.roles, role_id: limit}
                return self.model_copy(update={"roles": {key: each for key, each in roles.items() if each}})

    def loosened(self, after: AgentRules) -> Iterator[str]:
        """What ``after`` lets the agent cost that was held before, a phrase each."""
        if self.model == "small" and after.model == "standard":
            yield "the agent's model from small to standard"
        for name, was, will_be in (
            ("each member", self.user, after.user),
            ("the guild", self.guild, after.guild),
            *(
                (f"the role {role_id}", self.limit("role", role_id), after.limit("role", role_id))
                for role_id in sorted(self.roles)
            ),
        ):
            if will_be.allows_more_than(was):
                yield f"the agent's budget of {name} from {was} to {will_be}"


def _more(mine: float | None, other: float | None) -> bool:
    return other is not None and (mine is None or mine > other)
