"""The core at work: its parts opened, started and closed in order."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import structlog
import yarl

from bot.assistant import assistant
from bot.chat_channel_upkeep import ChatChannelUpkeep
from bot.client import GuildhallClient
from bot.core import Core
from bot.deletions import QUEUE_SIZE, Deletions, is_wanted
from bot.departures import Departures
from bot.discord_addresses import point_discord_at
from bot.discord_face import add_discord_face
from bot.edge_ban import EdgeBan
from bot.garbage import GarbagePauses
from bot.guild_sources import GatewaySource, RestSource
from bot.http_guard import HttpGuard
from bot.installing import Installing
from bot.intents import intents_for
from bot.long_tasks import LongTasks
from bot.lost_messages import LostMessages
from bot.marked_database import opened_database
from bot.moderation_by_hand import ModerationByHand
from bot.parts import built
from bot.request_budget import RequestBudget
from bot.set_up import setup_posting
from bot.settings import Settings
from cogs.setup.posting import SetupPosting
from operations.events import EventHub
from operations.file_fetch import FileFetcher
from operations.guild_state import GuildState
from storage import calls, instance, temporary_effects
from storage.database import Database, DatabaseUnavailable
from storage.facts import PlatformFacts
from storage.leases import ProcessLease
from storage.limits import RateLimits

log = structlog.get_logger(__name__)

DRAIN_SECONDS = 2.0
LEASE_POLL_SECONDS = 1.0
INSTALL_AGAIN_SECONDS = 1.0
LOOK_WITHOUT_GATEWAY_SECONDS = 600.0


@asynccontextmanager
async def running_core(settings: Settings, mark: instance.Mark) -> AsyncGenerator[Core]:
    """Builds, connects and closes the core. It serves as soon as this yields; guilds arrive meanwhile."""
    point_discord_at(settings.discord_api_base_url)
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(opened_database(settings, mark))
        facts = PlatformFacts(database)
        await facts.load()
        redis_url = settings.redis_url.get_secret_value() if settings.redis_url else None
        limits = await stack.enter_async_context(RateLimits.open(redis_url))
        process_id = f"px_{secrets.token_hex(8)}"
        lease = ProcessLease(database, process_id)
        await _become_active(lease)
        stack.push_async_callback(lease.release)

        hub = EventHub()
        garbage = await stack.enter_async_context(GarbagePauses(hub))
        guard = HttpGuard(edge_ban=EdgeBan(), budget=RequestBudget())
        client = GuildhallClient(hub=hub, guard=guard, intents=intents_for(settings), garbage=garbage)
        await stack.enter_async_context(client)
        await client.login(settings.discord_bot_token.get_secret_value() if settings.discord_bot_token else "")
        if settings.enable_gateway:
            source: GatewaySource | RestSource = GatewaySource(client)
        else:
            source = await stack.enter_async_context(RestSource(client))
            garbage.settle()

        state = GuildState(source)
        hub.listen(state.on_event)
        by_hand = ModerationByHand(database, facts, state)
        hub.listen(by_hand.on_event)
        files = await stack.enter_async_context(FileFetcher.open(_sandbox_origin(settings)))
        core, upkeep, installing = built(
            settings, database, facts, limits, lease, client, state, hub, files, process_id
        )
        face = await add_discord_face(core)
        core = replace(core, face=face, commands=None if face is None else face.commands)
        await stack.enter_async_context(assistant(core, face))
        await upkeep.load()
        async with database.unit_of_work() as session:
            await calls.abandon(session, executor=process_id)
            await temporary_effects.abandon(session, executor=process_id)

        tasks = LongTasks(core.failed)
        stack.push_async_callback(tasks.aclose)
        stack.push_async_callback(core.executor.drain, DRAIN_SECONDS)
        tasks.start(facts.watch(), "facts")
        tasks.start(lease.run(), "lease")
        tasks.start(core.chain.run(), "audit chain")
        tasks.start(core.recovery.run(), "recovery")
        tasks.start(core.plan_upkeep.run(), "plans")
        tasks.start(core.log_channels.run(), "log channels")
        tasks.start(core.temporary_effects.run(), "temporary effects")
        tasks.start(upkeep.run(), "upkeep")
        if core.commands is not None:
            tasks.start(core.commands.run(), "commands")
        events, departing = stack.enter_context(hub.subscribe()), stack.enter_context(hub.subscribe())
        deleted = stack.enter_context(hub.subscribe(QUEUE_SIZE, is_wanted))
        posting = setup_posting(core)
        changing = stack.enter_context(hub.subscribe())
        if settings.enable_gateway:
            tasks.start(client.connect(), "gateway")
            tasks.start(_install_when_known(client, installing, posting), "first installations")
            tasks.start(posting.watch(stack.enter_context(hub.subscribe())), "set-up cards")
        else:
            await installing.start()
        tasks.start(installing.watch(events), "installations")
        tasks.start(Departures(database, facts, state).watch(departing), "departures")
        lost = LostMessages(state.source, reads_texts=settings.message_content_intent)
        every_seconds = None if settings.enable_gateway else LOOK_WITHOUT_GATEWAY_SECONDS
        deletions = Deletions(database, facts, core.forgetting, lost, every_seconds=every_seconds)
        tasks.start(deletions.watch(deleted), "deletions")
        tasks.start(deletions.look(), "deleted messages")
        tasks.start(ChatChannelUpkeep(database, facts, state.source).watch(changing), "chat channels")
        tasks.start(by_hand.run(), "moderation by hand")
        yield core


@asynccontextmanager
async def passive_core(settings: Settings, database: Database) -> AsyncGenerator[Core]:
    """A core beside the active one: for a command that calls operations in somebody's name.

    It never becomes active, and asks Discord over REST alone. What is a transaction of our own it executes; other
    writes are refused. The plans that it stores get their cards from the active process.
    """
    point_discord_at(settings.discord_api_base_url)
    async with AsyncExitStack() as stack:
        facts = PlatformFacts(database)
        await facts.load()
        redis_url = settings.redis_url.get_secret_value() if settings.redis_url else None
        limits = await stack.enter_async_context(RateLimits.open(redis_url))
        process_id = f"px_{secrets.token_hex(8)}"
        hub = EventHub()
        garbage = await stack.enter_async_context(GarbagePauses(hub))
        guard = HttpGuard(edge_ban=EdgeBan(), budget=RequestBudget())
        client = GuildhallClient(hub=hub, guard=guard, intents=intents_for(settings), garbage=garbage)
        await stack.enter_async_context(client)
        await client.login(settings.discord_bot_token.get_secret_value() if settings.discord_bot_token else "")
        source = await stack.enter_async_context(RestSource(client))
        garbage.settle()
        state = GuildState(source)
        files = await stack.enter_async_context(FileFetcher.open(_sandbox_origin(settings)))
        lease = ProcessLease(database, process_id)
        core, _, _ = built(settings, database, facts, limits, lease, client, state, hub, files, process_id)
        stack.push_async_callback(core.executor.drain, DRAIN_SECONDS)
        stack.callback(core.failed.cancel)
        yield core


def _sandbox_origin(settings: Settings) -> yarl.URL | None:
    if not settings.talks_to_loopback or settings.discord_api_base_url is None:
        return None
    return yarl.URL(settings.discord_api_base_url).origin()


async def _become_active(lease: ProcessLease) -> None:
    """Waits while another process is active: a rolling deploy takes over when the old one has ended."""
    told = False
    while not await lease.acquire():
        if not told:
            log.info("another process is active on this database; waiting for it to end")
            told = True
        await asyncio.sleep(LEASE_POLL_SECONDS)


async def _install_when_known(client: GuildhallClient, installing: Installing, posting: SetupPosting) -> None:
    """READY names every guild of its shard; installations are compared once all shards are connected."""
    while True:
        connected, count = client.readiness.connected_shards()
        if count and connected == count:
            break
        await asyncio.sleep(0.05)
    while True:
        try:
            await installing.start()
            return posting.begin()
        except DatabaseUnavailable:
            log.warning("first installations wait for the database")
            await asyncio.sleep(INSTALL_AGAIN_SECONDS)
