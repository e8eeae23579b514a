"""The assistant, built of its parts. Nothing of it is there while it is off, or no gateway tells of mentions."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from cogs.agent.budget import Budget, DailyLimits, MemoryLedgers, Model
from cogs.agent.cog import AgentCog
from cogs.agent.conversations import Conversations, MemoryConversations
from cogs.agent.engine import Engine, Limits, Parts
from cogs.agent.messages import Provider
from cogs.agent.messenger import DiscordMessenger
from cogs.agent.plan_outcomes import PlanOutcomes
from cogs.agent.provider import MessagesProvider
from cogs.agent.reply import EditPace
from cogs.agent.tool_calls import CLICK_SECONDS, ToolCalls
from cogs.agent.tools import ToolCatalogue
from cogs.agent.turns import Shares, Turns
from operations.turn_journal import TurnJournal

if TYPE_CHECKING:
    from bot.core import Core
    from bot.settings import Settings


@asynccontextmanager
async def assistant(core: Core) -> AsyncGenerator[None]:
    """Mentions are answered until the block ends; turns under way end with it."""
    settings = core.settings
    if not settings.agent_enabled or not settings.enable_gateway:
        yield
        return
    async with AsyncExitStack() as stack:
        provider = None
        if settings.agent_api_key is not None:
            key = settings.agent_api_key.get_secret_value()
            provider = await stack.enter_async_context(MessagesProvider.open(key, settings.agent_base_url))
        turns = await stack.enter_async_context(turns_of(core, provider))
        messenger = DiscordMessenger(core.client)
        await core.client.add_cog(AgentCog(core.client, turns, messenger, core.state, core.facts))
        yield


@asynccontextmanager
async def turns_of(
    core: Core,
    provider: Provider | None,
    *,
    conversations: Conversations | None = None,
    click_seconds: float = CLICK_SECONDS,
    shares: Shares | None = None,
    limits: Limits | None = None,
) -> AsyncGenerator[Turns]:
    """The engine behind ``submit``; ``provider`` None: it says that no key is set."""
    settings = core.settings
    messenger = DiscordMessenger(core.client)
    kept = MemoryConversations() if conversations is None else conversations
    outcomes = PlanOutcomes(core.desk, messenger, kept, core.state.source)
    engine = Engine(
        Parts(
            provider=provider,
            calls=ToolCalls(core.executor, core.desk, click_seconds=click_seconds),
            catalogue=ToolCatalogue(core.registry),
            budget=_budget(settings),
            accounts=DailyLimits(
                settings.agent_workspace_daily_cost, settings.agent_guild_daily_cost, settings.agent_user_daily_tokens
            ),
            conversations=kept,
            messenger=messenger,
            outcomes=outcomes,
            journal=TurnJournal(core.database, core.facts, on_commit=core.chain.wake),
            pace=EditPace(lambda: core.client.guard.budget.free),
            callers=core.callers,
            decisions=core.services.decisions,
            facts=core.facts,
            state=core.state,
            files=core.services.files,
            limits=limits or Limits(settings.agent_max_output_tokens, settings.agent_history_tokens),
        )
    )
    turns = Turns(engine, shares)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(outcomes.aclose)
        stack.push_async_callback(engine.aclose)
        stack.push_async_callback(turns.aclose)
        yield turns


def _budget(settings: Settings) -> Budget:
    model = Model(settings.agent_model, settings.agent_input_price, settings.agent_output_price)
    small = None
    if settings.agent_small_model is not None:
        prices = settings.agent_small_input_price, settings.agent_small_output_price
        small = Model(settings.agent_small_model, *prices)
    return Budget(MemoryLedgers(), model, small)
