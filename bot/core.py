"""The core without a face, as every face sees it; bot.parts builds it, bot.serving_core runs it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from bot.client import GuildhallClient
from bot.discord_face import DiscordFace
from bot.settings import Settings
from cogs.agent.running import Running
from cogs.log_channel import LogChannels
from cogs.slash.sync import CommandSync
from operations.callers import Callers
from operations.desk import PlanDesk
from operations.events import EventHub
from operations.executor import RoadExecutor
from operations.explainer import Explainer
from operations.guild_state import GuildState
from operations.plan_book import PlanBook
from operations.plan_upkeep import PlanUpkeep
from operations.recovery import Recovery
from operations.refusal_journal import RefusalJournal
from operations.registry import Registry
from operations.services import Services
from operations.temporary_effects import TemporaryEffects
from storage.audit_chain import Chain
from storage.database import Database
from storage.facts import PlatformFacts
from storage.forgetting import Forgetting
from storage.leases import ProcessLease
from storage.limits import RateLimits


@dataclass(frozen=True, slots=True)
class Core:
    """Everything that a face needs. ``failed`` ends when a part that must live has died; its exception says why.

    ``services``: what operations may ask for. ``agent``: the assistant, once it runs. ``commands``: what tells Discord
    the slash commands, ``face``: what members meet in Discord; None without a gateway.
    """

    settings: Settings
    database: Database
    facts: PlatformFacts
    limits: RateLimits
    lease: ProcessLease
    client: GuildhallClient
    state: GuildState
    hub: EventHub
    registry: Registry
    services: Services
    executor: RoadExecutor
    explainer: Explainer
    desk: PlanDesk
    book: PlanBook
    plan_upkeep: PlanUpkeep
    refusals: RefusalJournal
    callers: Callers
    chain: Chain
    forgetting: Forgetting
    recovery: Recovery
    log_channels: LogChannels
    temporary_effects: TemporaryEffects
    failed: asyncio.Future[None]
    agent: Running = field(default_factory=Running)
    commands: CommandSync | None = None
    face: DiscordFace | None = None

    async def until_failed(self) -> None:
        """Returns never; raises what a part that must live died of."""
        await asyncio.shield(self.failed)
