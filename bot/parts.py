"""The composition of the core: database, Discord, policy and operations, built in one place."""

from __future__ import annotations

import asyncio
import re
import time

from bot.agent_setup import agent_setup
from bot.catalogue import CATALOGUE
from bot.client import GuildhallClient
from bot.core import Core
from bot.installing import Installing
from bot.privacy import forgetting_of
from bot.settings import Settings
from bot.upkeep import Upkeep
from cogs.log_channel import LogChannels
from cogs.log_ids import LogIds
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
from storage.audit_chain import Chain
from storage.database import Database
from storage.facts import PlatformFacts
from storage.leases import ProcessLease
from storage.limits import RateLimits


def built(
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
    services = Services(
        database=database,
        facts=facts,
        state=state,
        registry=registry,
        decisions=explainer,
        plans=desk,
        files=files,
        forgetting=forgetting,
        single_workspace=settings.single_workspace,
        agent=agent_setup(settings),
    )
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
