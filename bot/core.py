"""The core without a face: database, Discord, policy and operations, built in one place and closed in order."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import AsyncGenerator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import structlog
import yarl

from bot.assistant import assistant
from bot.catalogue import CATALOGUE
from bot.chat_channel_upkeep import ChatChannelUpkeep
from bot.client import GuildhallClient
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
from bot.lost_messages import LostMessages
from bot.marked_database import opened_database
from bot.moderation_by_hand import ModerationByHand
from bot.privacy import forgetting_of
from bot.request_budget import RequestBudget
from bot.set_up import setup_posting
from bot.settings import Settings
from bot.upkeep import Upkeep
from cogs.log_channel import LogChannels
from cogs.log_ids import LogIds
from cogs.setup.posting import SetupPosting
from cogs.slash.sync import CommandSync
from operations import call_ids
from operations.approval import Approval
from operations.callers import Callers
from operations.claims import Claims
from operations.decider import Decider
from operations.desk import PlanDesk
from operations.events import EventHub
from operations.execution import Execution
from operations.executor import RoadExecutor
from operations.explainer import Explainer
from operations.file_fetch import FileFetcher
from operations.guild_state import GuildState
from operations.journal import Journal
from operations.pauses import AutomaticPauses
from operations.plan_book import PlanBook
from operations.plan_journal import PlanJournal
from operations.plan_runner import PlanRunner
from operations.plan_upkeep import PlanUpkeep
from operations.read_counts import ReadCounts
from operations.ready_reads import ReadyReads
from operations.recovery import Recovery
from operations.refusal_journal import RefusalJournal
from operations.registry import Registry
from operations.services import Services
from operations.settlement import Settlement
from operations.taints import Taints
from operations.temporary_effects import TemporaryEffects
from policy.model import Caller
from storage import calls, instance, temporary_effects
from storage.audit_chain import Chain
from storage.database import Database, DatabaseUnavailable
from storage.facts import PlatformFacts
from storage.forgetting import Forgetting
from storage.leases import ProcessLease
from storage.limits import RateLimits

log = structlog.get_logger(__name__)

DRAIN_SECONDS = 2.0
CANCEL_AGAIN_SECONDS = 0.5
LEASE_POLL_SECONDS = 1.0
INSTALL_AGAIN_SECONDS = 1.0
LOOK_WITHOUT_GATEWAY_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Core:
    """Everything that a face needs. ``failed`` ends when a part that must live has died; its exception says why.

    ``services``: what operations may ask for. ``commands``: what tells Discord the slash commands; None without a
    gateway.
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
    commands: CommandSync | None = None

    async def until_failed(self) -> None:
        """Returns never; raises what a part that must live died of."""
        await asyncio.shield(self.failed)


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
        core, upkeep, installing = _built(
            settings, database, facts, limits, lease, client, state, hub, files, process_id
        )
        core = replace(core, commands=await add_discord_face(core))
        await stack.enter_async_context(assistant(core))
        await upkeep.load()
        async with database.unit_of_work() as session:
            await calls.abandon(session, executor=process_id)
            await temporary_effects.abandon(session, executor=process_id)

        tasks = _Tasks(core.failed)
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
        core, _, _ = _built(settings, database, facts, limits, lease, client, state, hub, files, process_id)
        stack.push_async_callback(core.executor.drain, DRAIN_SECONDS)
        stack.callback(core.failed.cancel)
        yield core


def _built(
    settings: Settings,
    database: Database,
    facts: PlatformFacts,
    limits: RateLimits,
    lease: ProcessLease,
    client: GuildhallClient,
    state: GuildState,
    hub: EventHub,
    files: FileFetcher,
    process_id: str,
) -> tuple[Core, Upkeep, Installing]:
    keyring = database.keyring

    def tag_mac(call_id: str) -> str:
        return keyring.mac(call_ids.TAG_PURPOSE, call_id, length=call_ids.TAG_LENGTH)

    def audit_reason(call_id: str, caller: Caller, reason: str | None) -> str:
        return audit_header(call_ids.tag(call_id, tag_mac(call_id)), caller, reason)

    registry = Registry(CATALOGUE)
    callers, taints, read_counts, chain = Callers(facts), Taints(), ReadCounts(), Chain(database)
    allowed = settings.allowed_guild_ids or None
    decider = Decider(database, facts, state, taints, allowed_guild_ids=allowed)
    explainer = Explainer(registry, decider, limits, taints, lambda: services)
    journal = Journal(database, process_id, on_commit=chain.wake)
    bursts = AutomaticPauses(database, on_commit=chain.wake)
    refusals = RefusalJournal(registry, journal, bursts)
    settlement = Settlement(tag_mac, now=time.time)
    execution = Execution(journal, settlement)
    book = PlanBook(registry, database, facts)
    plan_journal = PlanJournal(database, journal, process_id, on_commit=chain.wake)
    approval = Approval(decider, facts, lambda: services)
    runner = PlanRunner(
        book=book,
        journal=plan_journal,
        approval=approval,
        execution=execution,
        callers=callers,
        audit_reason=audit_reason,
        is_active=lambda: lease.held,
    )
    plan_upkeep = PlanUpkeep(
        database=database,
        book=book,
        journal=plan_journal,
        runner=runner,
        execution=execution,
        is_active=lambda: lease.held,
    )
    desk = PlanDesk(
        database=database,
        facts=facts,
        book=book,
        calls_journal=journal,
        journal=plan_journal,
        refusals=refusals,
        bursts=bursts,
        approval=approval,
        execution=execution,
        runner=runner,
        upkeep=plan_upkeep,
        callers=callers,
        limits=limits,
    )
    forgetting = forgetting_of(settings, database.keyring)
    services = Services(database, facts, state, registry, explainer, desk, files, forgetting, settings.single_workspace)
    executor = RoadExecutor(
        registry=registry,
        decider=decider,
        services=services,
        journal=journal,
        refusals=refusals,
        bursts=bursts,
        execution=execution,
        desk=desk,
        claims=Claims(facts, state, decider.membership, journal),
        limits=limits,
        taints=taints,
        read_counts=read_counts,
        ready_reads=ReadyReads(facts, state),
        audit_reason=audit_reason,
        is_active=lambda: lease.held,
    )
    recovery = Recovery(
        registry=registry,
        database=database,
        decider=decider,
        services=services,
        journal=journal,
        settlement=settlement,
        callers=callers,
        executor_id=process_id,
        audit_reason=audit_reason,
        holds_lease=lambda: lease.held,
        clock=time.time,
    )
    log_channels = LogChannels(
        client=client,
        database=database,
        facts=facts,
        state=state,
        registry=registry,
        ids=LogIds(keyring) if settings.enable_gateway else None,
        is_active=lambda: lease.held,
    )
    chain.subscribe(log_channels.wake)
    facts.subscribe(log_channels.wake)
    ends = TemporaryEffects(
        database=database,
        facts=facts,
        state=state,
        doer=executor,
        callers=callers,
        executor_id=process_id,
        is_active=lambda: lease.held,
    )
    core = Core(
        settings=settings,
        database=database,
        facts=facts,
        limits=limits,
        lease=lease,
        client=client,
        state=state,
        hub=hub,
        registry=registry,
        services=services,
        executor=executor,
        explainer=explainer,
        desk=desk,
        book=book,
        plan_upkeep=plan_upkeep,
        refusals=refusals,
        callers=callers,
        chain=chain,
        forgetting=forgetting,
        recovery=recovery,
        log_channels=log_channels,
        temporary_effects=ends,
        failed=asyncio.get_running_loop().create_future(),
    )
    upkeep = Upkeep(database, read_counts, taints, forgetting, is_active=lambda: lease.held)
    installing = Installing(
        database,
        facts,
        state.source,
        single_workspace=settings.single_workspace,
        allowed_guild_ids=settings.allowed_guild_ids,
    )
    return core, upkeep, installing


def audit_header(tag: str, caller: Caller, reason: str | None) -> str:
    """What Discord's audit log shows as the reason: our tag, who asked, why; at most 512 characters."""
    who = f"user {caller.user_id}" if caller.user_id is not None else f"{caller.kind.value} {caller.client_id}"
    said = re.sub(r"\s+", " ", call_ids.without_tags(reason or "")).strip()
    return f"{tag} {who}{': ' + said if said else ''}"[:512]


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


class _Tasks:
    """The long-lived tasks of a core. One that dies fails the whole: half a control plane is none."""

    def __init__(self, failed: asyncio.Future[None]) -> None:
        self._failed = failed
        self._tasks: list[asyncio.Task[Any]] = []

    def start(self, work: Coroutine[Any, Any, Any], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        if task.cancelled() or self._failed.done():
            return
        error = task.exception()
        if error is not None:
            self._failed.set_exception(error)

    async def aclose(self) -> None:
        pending = set(self._tasks)
        while pending:
            # More than once: on Python 3.11 asyncio.wait_for swallows a cancellation that comes with its result.
            for task in pending:
                task.cancel()
            ended, pending = await asyncio.wait(pending, timeout=CANCEL_AGAIN_SECONDS)
            # How it ended was told by `_ended`, or comes of the closing.
            await asyncio.gather(*ended, return_exceptions=True)
        if self._failed.done() and not self._failed.cancelled():
            # Retrieved here, so that a failure nobody waited for is not reported a second time.
            self._failed.exception()
        else:
            self._failed.cancel()
