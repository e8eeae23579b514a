"""The parts of setting up a guild in Discord, built with what they need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cogs.setup.choices import Choices
from cogs.setup.cog import SetupCog
from cogs.setup.ids import SetupIds
from cogs.setup.posting import SetupPosting
from cogs.setup.state import SetupStates
from cogs.slash.running import SlashRunner

if TYPE_CHECKING:
    from bot.core import Core


def _states(core: Core) -> SetupStates:
    return SetupStates(core.registry, core.facts, core.client.application_id or 0, core.settings.allowed_guild_ids)


def setup_cog(core: Core, runner: SlashRunner) -> SetupCog:
    states = _states(core)
    choices = Choices(core.executor, core.callers, core.state.source, states, runner)
    return SetupCog(core.client, core.state, core.facts, states, SetupIds(core.database.keyring), choices)


def setup_posting(core: Core) -> SetupPosting:
    return SetupPosting(
        core.client,
        core.database,
        core.state.source,
        _states(core),
        SetupIds(core.database.keyring),
        posts=core.settings.set_up_cards,
    )
