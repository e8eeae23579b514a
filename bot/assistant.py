"""The assistant, built of its parts. Nothing of it is there while it is off, or no gateway tells of mentions."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from cogs.agent.asides import Asides
from cogs.agent.budget import Budget, Model, StoredLedgers
from cogs.agent.cog import AgentCog
from cogs.agent.conversations import StoredConversations
from cogs.agent.enabling import EnableCog, EnableIds
from cogs.agent.engine import Engine, Limits, Parts
from cogs.agent.messages import Provider
from cogs.agent.messenger import DiscordMessenger
from cogs.agent.plan_outcomes import PlanOutcomes
from cogs.agent.provider import MessagesProvider
from cogs.agent.reply import EditPace
from cogs.agent.tool_calls import CLICK_SECONDS, ToolCalls
from cogs.agent.tools import ToolCatalogue
from cogs.agent.turns import Shares, Turns
from operations.agent_accounts import AgentAccounts
from operations.turn_journal import TurnJournal

if TYPE_CHECKING:
    from bot.core import Core
    from bot.discord_face import DiscordFace


@asynccontextmanager
async def assistant(core: Core, face: DiscordFace | None) -> AsyncGenerator[None]:
    """Mentions are answered until the block ends; turns under way end with it. ``face`` None: nobody can reach it."""
    settings = core.settings
    if not settings.agent_enabled or face is None:
        yield
        return
    async with AsyncExitStack() as stack:
        provider = None
        if settings.agent_api_key is not None:
            key = settings.agent_api_key.get_secret_value()
            provider = await stack.enter_async_context(MessagesProvider.open(key, settings.agent_base_url))
        turns = await stack.enter_async_context(turns_of(core, provider))
        ids = EnableIds(core.database.keyring)
        await core.client.add_cog(agent_cog(core, turns, ids, has_key=provider is not None))
        await core.client.add_cog(EnableCog(core.client, face.runner, ids))
        yield


def agent_cog(core: Core, turns: Turns, ids: EnableIds, *, has_key: bool) -> AgentCog:
    return AgentCog(
        core.client, turns, DiscordMessenger(core.client), core.state, core.facts, enable=ids.view, has_key=has_key
    )


@asynccontextmanager
async def turns_of(
    core: Core,
    provider: Provider | None,
    *,
    click_seconds: float = CLICK_SECONDS,
    shares: Shares | None = None,
    limits: Limits | None = None,
) -> AsyncGenerator[Turns]:
    """The engine behind ``submit``, and what answers commands; ``provider`` None: it says that no key is set."""
    settings = core.settings
    messenger = DiscordMessenger(core.client)
    kept = StoredConversations(core.database)
    outcomes = PlanOutcomes(core.desk, messenger, kept, core.state.source)
    budget = _budget(core)
    accounts = AgentAccounts(core.facts, core.services.agent.limits)
    journal = TurnJournal(core.database, core.facts, on_commit=core.chain.wake)
    engine = Engine(
        Parts(
            provider=provider,
            calls=ToolCalls(core.executor, core.desk, click_seconds=click_seconds),
            catalogue=ToolCatalogue(core.registry),
            budget=budget,
            accounts=accounts,
            conversations=kept,
            messenger=messenger,
            outcomes=outcomes,
            journal=journal,
            pace=EditPace(lambda: core.client.guard.budget.free),
            callers=core.callers,
            decisions=core.services.decisions,
            facts=core.facts,
            state=core.state,
            files=core.services.files,
            limits=limits or Limits(settings.agent_max_output_tokens, settings.agent_history_tokens),
        )
    )
    asides = Asides(
        provider=provider,
        budget=budget,
        accounts=accounts,
        executor=core.executor,
        callers=core.callers,
        state=core.state,
        journal=journal,
    )
    turns = Turns(engine, shares)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(outcomes.aclose)
        stack.push_async_callback(engine.aclose)
        stack.push_async_callback(turns.aclose)
        core.agent.turns, core.agent.asides = turns, asides
        try:
            yield turns
        finally:
            core.agent.turns = core.agent.asides = None


def _budget(core: Core) -> Budget:
    settings = core.settings
    model = Model(settings.agent_model, settings.agent_input_price, settings.agent_output_price)
    small = None
    if settings.agent_small_model is not None:
        prices = settings.agent_small_input_price, settings.agent_small_output_price
        small = Model(settings.agent_small_model, *prices)
    return Budget(StoredLedgers(core.database), model, small)
