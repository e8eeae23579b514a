"""What the operator configured of the agent: from the settings."""

from __future__ import annotations

from bot.settings import Settings
from operations.agent_accounts import AgentSetup, OperatorLimits
from policy.agent_rules import DailyLimit


def agent_setup(settings: Settings) -> AgentSetup:
    def limit(tokens: int | None, cost_usd: float | None) -> DailyLimit:
        return DailyLimit(tokens=tokens, cost_usd=cost_usd)

    return AgentSetup(
        enabled=settings.agent_enabled and settings.enable_gateway,
        has_key=settings.agent_api_key is not None,
        model=settings.agent_model,
        small=settings.agent_small_model,
        limits=OperatorLimits(
            workspace=limit(settings.agent_workspace_daily_tokens, settings.agent_workspace_daily_cost),
            guild=limit(settings.agent_guild_daily_tokens, settings.agent_guild_daily_cost),
            user=limit(settings.agent_user_daily_tokens, settings.agent_user_daily_cost),
        ),
    )
