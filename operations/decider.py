"""From a call's arguments to a decision: resolve, gate, gather facts, judge.

A refused caller causes no request to Discord: steps 1-4 come before anything is fetched.
"""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from operations.arguments import RESOLVED_LAST, Arguments
from operations.audience import leaks, leaks_to_holders
from operations.base import Context, Model, Operation, Progress, WriteOperation, no_progress
from operations.failures import DISCORD_FAILED, refusal_of
from operations.guild_state import MEMBER_MAX_AGE_SECONDS, GuildState, GuildVanished, GuildView
from operations.ledger import charge_to, phase
from operations.membership import NO_RULES, Membership
from operations.refusals import (
    DATABASE_DOWN,
    Rejected,
    guild_starting,
    hidden,
)
from operations.resolve import snowflake
from operations.services import Services
from operations.taints import Taints
from policy import checks, pipeline
from policy.frozen import frozen
from policy.model import (
    Caller,
    CallerKind,
    Decision,
    Face,
    Facts,
    Installation,
    Kind,
    Need,
    NeedsConfirmation,
    PlatformRole,
    Reach,
    Refuse,
    Requirement,
    Rule,
    Step,
    Target,
    TargetFacts,
    Tier,
)
from policy.presets import ALL
from policy.rules import ChannelRules, effective, raised_tier
from policy.taint import Source
from storage import sent_messages
from storage.calls import CallRecord
from storage.database import Database
from storage.facts import PlatformFacts
from storage.outages import DatabaseUnavailable
from storage.snapshot import Snapshot

STARTING_SECONDS = 2.0
# Of the few fields that name a guild; asked for at each call, and needed by the refused ones alone.
_hidden = functools.cache(hidden)


class _Entered(NamedTuple):
    """A call that passed steps 1-4. ``outward``: what the caller hears instead of a hidden refusal."""

    early: Facts
    installation: Installation
    view: GuildView
    outward: Refuse


@frozen
class Prepared:
    """A call whose objects are resolved and whose facts are gathered; ``decision`` is the pipeline's without step 7."""

    operation: Operation
    arguments: Model
    ctx: Context
    requirement: Requirement
    facts: Facts
    installation: Installation | None

    @property
    def guild_id(self) -> int | None:
        return self.installation.guild_id if self.installation else self.facts.claimed_guild_id

    def decide(self, retry_after_seconds: float) -> Decision:
        """The pipeline's decision, with step 7 as the limiter says."""
        known = self.facts
        facts = gathered(
            known, known.targets, known.tainted, known.audience_leaks, known.four_eyes, retry_after_seconds
        )
        return pipeline.judge(self.ctx.caller, self.requirement, facts)


class Decider:
    """Gathers facts for the pure pipeline. ``allowed_guild_ids`` None: no list is set."""

    def __init__(
        self,
        database: Database,
        facts: PlatformFacts,
        state: GuildState,
        taints: Taints,
        *,
        allowed_guild_ids: frozenset[int] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._facts = facts
        self._state = state
        self._taints = taints
        self._clock = clock
        self.membership = Membership(facts, state, allowed_guild_ids)
        self._arguments = Arguments(state, self.membership)
        self._bases: dict[type[Operation], tuple[Requirement, Requirement]] = {}

    # ------------------------------------------------------------- early facts
    def _early(self, caller: Caller, guild_id: int | None, role: PlatformRole | None) -> Facts:
        snapshot = self._facts.snapshot
        installation = None if guild_id is None else snapshot.installations.get(guild_id)
        now = self._clock()
        rules = NO_RULES if installation is None else snapshot.guild_rules.get(installation.id, NO_RULES)
        return Facts(
            now=now,
            platform_age_seconds=self._facts.age_seconds(),
            # Tokens and Discord identities are of this instance by construction; other audiences arrive with OAuth.
            audience_ok=caller.kind is not CallerKind.OAUTH,
            role=role,
            installation=installation,
            guild_allowed=guild_id is not None and self.membership.allows(guild_id),
            pause=snapshot.pause_of(installation, caller, now),
            preset=rules.preset or ALL,
        )

    def taint_sources(self, caller: Caller) -> frozenset[Source]:
        return self._taints.sources(caller)

    # ---------------------------------------------------------------- prepare
    async def prepare(
        self,
        operation: Operation,
        arguments: Model,
        caller: Caller,
        call_id: str,
        services: Services,
        *,
        reason: str | None = None,
        audit_reason: str | None = None,
        progress: Progress = no_progress,
        least_tier: Tier = Tier.READ,
    ) -> Prepared:
        """Resolves and gathers. Raises Rejected with the refusal for the audit and the one for the caller.

        Call it within a reading phase of this caller: what is fetched is charged to the guild once that is known.
        ``least_tier``: of a write that stands for another call.
        """
        base, _ = self._base(operation)
        if not operation.in_guild:
            self._gate(caller, base, self._early(caller, None, self._optimistic(caller)))
            role, failed = await self.membership.role_anywhere(caller)
            if role is None and failed is not None:
                # He may well be a member of the guild that has not arrived yet.
                raise Rejected(refusal_of(failed))
            facts = self._early(caller, None, role)
            self._gate(caller, base, facts)
            ctx = Context(call_id, caller, facts.now, services, reason=reason, progress=progress)
            return Prepared(operation, arguments, ctx, operation.requirement(ctx, arguments), facts, None)
        entered = self._enter_at_once(arguments, caller, base)
        if entered is None:
            guild_id, named_by = await self._guild_of(operation, arguments, caller, strict=operation.tier >= Tier.RISKY)
            entered = await self._enter(guild_id, caller, base, _hidden(*named_by))
        return await self._prepare_in_guild(
            operation, arguments, caller, call_id, services, entered, base, reason, audit_reason, progress, least_tier
        )

    async def _guild_of(
        self, operation: Operation, arguments: Model, caller: Caller, *, strict: bool
    ) -> tuple[int, tuple[str, str]]:
        """The guild of a call, and the field (with its kind) by which it was named. Raises Rejected."""
        _, anywhere = self._base(operation)
        self._gate(caller, anywhere, self._early(caller, None, self._optimistic(caller)))
        return await self._arguments.guild_of(operation, arguments, caller, strict=strict)

    def _enter_at_once(self, arguments: Model, caller: Caller, base: Requirement) -> _Entered | None:
        """Steps 1-4 in one go, where guild and person are known by now: what they let pass with the person's own role
        passes the earlier looks without it, too. None says nothing of the call: the long way is taken, which fetches
        what is missing and refuses in the order of the steps.
        """
        given: str | None = getattr(arguments, "guild", None)
        guild_id = None if given is None else snowflake("guild", given)
        if guild_id is None or base.tier >= Tier.RISKY:
            return None
        installation = self._facts.snapshot.installations.get(guild_id)
        # Nothing is done for somebody else's guild that is not done for one that is nowhere.
        if installation is None or installation.workspace_id != caller.workspace_id:
            return None
        view = self._state.view_at_once(guild_id, caller.user_id)
        if view is None:
            return None
        early = self._early(caller, guild_id, self.membership.guild_role(caller, installation, view))
        if isinstance(pipeline.gate(caller, base, early), Refuse):
            return None
        return _Entered(early, installation, view, _hidden("guild", "guild"))

    async def _enter(self, guild_id: int, caller: Caller, base: Requirement, outward: Refuse) -> _Entered:
        """Steps 1-4, before and after the person is looked up. Raises Rejected."""
        early = self._early(caller, guild_id, self._optimistic(caller))
        self._gate(caller, base, early, outward)
        installation = early.installation
        if installation is None:
            raise Rejected(
                Refuse(Step.INSTALLATION, "not_installed", "The guild is not installed.", hidden=True), outward
            )
        view = await self._view(guild_id, caller, base.tier, outward, installation)
        try:
            early = self._early(caller, guild_id, self.membership.guild_role(caller, installation, view))
        except GuildVanished:
            raise Rejected(self.vanished(guild_id), outward, installation=installation) from None
        self._gate(caller, base, early, outward)
        return _Entered(early, installation, view, outward)

    def _base(self, operation: Operation) -> tuple[Requirement, Requirement]:
        """What the declaration asks for, and the same without the guild's own step; a declaration never changes."""
        known = self._bases.get(type(operation))
        if known is None:
            base = operation.base_requirement()
            known = self._bases[type(operation)] = (base, replace(base, in_guild=False))
        return known

    def _optimistic(self, caller: Caller) -> PlatformRole:
        """The role before membership in Discord was asked: nothing may be refused for it yet, nor fetched for a call
        refused anyway.
        """
        explicit = self.membership.explicit_role(caller)
        return PlatformRole.OWNER if explicit is None else explicit

    @staticmethod
    def _gate(caller: Caller, requirement: Requirement, facts: Facts, outward: Refuse | None = None) -> None:
        decision = pipeline.gate(caller, requirement, facts)
        if isinstance(decision, Refuse):
            known = facts.installation if decision.step not in (Step.CLIENT, Step.MEMBERSHIP) else None
            own = known is not None and known.workspace_id == caller.workspace_id
            raise Rejected(decision, outward, installation=known if own else None)

    async def _prepare_in_guild(
        self,
        operation: Operation,
        arguments: Model,
        caller: Caller,
        call_id: str,
        services: Services,
        entered: _Entered,
        base: Requirement,
        reason: str | None,
        audit_reason: str | None,
        progress: Progress,
        least_tier: Tier,
    ) -> Prepared:
        early, installation, view, outward = entered
        guild_id, strict = view.id, base.tier >= Tier.RISKY
        charge_to(guild_id)

        async def resolved(view: GuildView, *, strict: bool) -> Context:
            targets, many = await self._arguments.resolve(operation, arguments, view, installation, strict=strict)
            return Context(call_id, caller, early.now, services, view, targets, many, reason, audit_reason, progress)

        try:
            ctx = await resolved(view, strict=strict)
            requirement = self._raised(operation.requirement(ctx, arguments), installation, least_tier)
            self._gate(caller, requirement, early, outward)
            facts = await self.facts(early, caller, requirement, view, installation)
            if not strict and isinstance(pipeline.proof(caller, requirement, facts), NeedsConfirmation):
                # Raised by its effect, by policy or by taint: now names must be beyond doubt, and the person fresh.
                await self._guild_of(operation, arguments, caller, strict=True)
                view = await self._view(guild_id, caller, Tier.RISKY, outward, installation)
                ctx = await resolved(view, strict=True)
                requirement = self._raised(operation.requirement(ctx, arguments), installation, least_tier)
                facts = await self.facts(early, caller, requirement, view, installation)
        except GuildVanished:
            raise Rejected(self.vanished(guild_id), outward, installation=installation) from None
        except DISCORD_FAILED as error:
            raise Rejected(refusal_of(error), installation=installation) from error
        return Prepared(operation, arguments, ctx, requirement, facts, installation)

    async def _view(
        self, guild_id: int, caller: Caller, tier: Tier, outward: Refuse, installation: Installation
    ) -> GuildView:
        """Risky and critical calls always ask Discord for the requester; others take what is at most a minute old."""
        max_age = MEMBER_MAX_AGE_SECONDS if tier < Tier.RISKY else 0.0
        charge_to(guild_id)
        try:
            view = await self._state.view(guild_id, caller.user_id, max_age)
        except DISCORD_FAILED as error:
            raise Rejected(refusal_of(error), installation=installation) from error
        if view is None:
            raise Rejected(
                Refuse(Step.MEMBERSHIP, "not_in_guild", "The person is not a member of the guild.", hidden=True),
                outward,
                installation=installation,
            )
        return view

    def vanished(self, guild_id: int | None) -> Refuse:
        """Why a guild or a membership was lost during a call: its shard was, or it is gone."""
        source = self._state.source
        if guild_id is not None and guild_id in source.guild_ids() and source.cached(guild_id) is None:
            return guild_starting(STARTING_SECONDS)
        return Refuse(Step.DISCORD, "vanished", "The guild or the membership was lost meanwhile.", hidden=True)

    def _raised(
        self, requirement: Requirement, installation: Installation, least_tier: Tier = Tier.READ
    ) -> Requirement:
        rules = self._facts.snapshot.guild_rules.get(installation.id)
        if requirement.kind is not Kind.WRITE or (rules is None and requirement.tier >= least_tier):
            return requirement
        tier = requirement.tier if rules is None else raised_tier(rules, requirement)
        return replace(requirement, tier=max(tier, least_tier))

    async def observer(self, record: CallRecord, caller: Caller, services: Services) -> Context:
        """A context that sees the guild of a stored call as the bot does: for looking what became of it. Raises
        Rejected.
        """
        if record.guild_id is None:
            raise Rejected(Refuse(Step.INSTALLATION, "not_installed", "The call names no guild."))
        try:
            with phase("read", record.call_id, caller_id=caller.identity, guild_id=record.guild_id):
                view = await self._state.view(record.guild_id, None)
        except DISCORD_FAILED as error:
            raise Rejected(refusal_of(error)) from error
        if view is None:
            raise Rejected(Refuse(Step.INSTALLATION, "bot_not_in_guild", "The bot is not in that guild any more."))
        return Context(record.call_id, caller, self._clock(), services, view, reason=record.reason or None)

    async def prepare_stored(
        self,
        operation: WriteOperation[Any, Any, Any],
        effect: Model,
        caller: Caller,
        record: CallRecord,
        services: Services,
        *,
        audit_reason: str | None = None,
        owner: Caller | None = None,
    ) -> Prepared:
        """The same from a stored effect, with the facts of now. Raises Rejected.

        ``owner``: the requester, where ``caller`` is an approver: messages must be the owner's own, and the approver is
        not asked through which face he came, for a button is none.
        """
        base = operation.base_requirement()
        if owner is not None:
            base = replace(base, faces=frozenset(Face))
        guild_id = record.guild_id
        if guild_id is None:
            raise Rejected(Refuse(Step.INSTALLATION, "not_installed", "The call names no guild.", hidden=True))
        answer = hidden("guild", "guild")
        early = self._early(caller, guild_id, self._optimistic(caller))
        self._gate(caller, base, early, answer)
        installation = early.installation
        if installation is None or installation.id != record.installation_id:
            raise Rejected(Refuse(Step.INSTALLATION, "not_installed", "The installation is gone.", hidden=True), answer)
        with phase("read", record.call_id, caller_id=caller.identity):
            view = await self._view(guild_id, caller, max(base.tier, record.tier), answer, installation)
        try:
            early = self._early(caller, guild_id, self.membership.guild_role(caller, installation, view))
            self._gate(caller, base, early, answer)
            ctx = Context(
                record.call_id,
                caller,
                early.now,
                services,
                view,
                reason=record.reason or None,
                audit_reason=audit_reason,
            )
            requirement = self._raised(operation.requirement_of(ctx, effect), installation)
            requirement = replace(requirement, tier=max(requirement.tier, record.tier), faces=base.faces)
            # The effect may ask for a higher role than the declaration does.
            self._gate(caller, requirement, early, answer)
            await self._look_anew(view, requirement)
            facts = await self.facts(early, caller, requirement, view, installation, owner=owner)
        except GuildVanished:
            raise Rejected(self.vanished(guild_id), answer, installation=installation) from None
        except DISCORD_FAILED as error:
            raise Rejected(refusal_of(error), installation=installation) from error
        return Prepared(operation, effect, ctx, requirement, facts, installation)

    async def _look_anew(self, view: GuildView, requirement: Requirement) -> None:
        """Members whose rank counts are fetched: since the plan was made they may have got other roles, or have left.
        Not for somebody who lacks the rights anyway. Raises discord.HTTPException and GuildVanished.
        """
        for need in requirement.needs:
            if not need.outrank or need.target.kind not in ("member", "user"):
                continue
            known = view.facts(need)
            if checks.bot_holds_rights(need, known) is None and checks.actor_holds_rights(need, known) is None:
                await self._state.member(view.discord, need.target.id, 0)

    # ------------------------------------------------------------------ facts
    async def facts(
        self,
        early: Facts,
        caller: Caller,
        requirement: Requirement,
        view: GuildView,
        installation: Installation,
        *,
        owner: Caller | None = None,
    ) -> Facts:
        """Early facts and those of every target. Raises GuildVanished."""
        snapshot = self._facts.snapshot
        owned = await self._owned(owner or caller, requirement, installation)
        targets = tuple(
            self._target_facts(snapshot, view, need, requirement, installation, is_own=need.target.id in owned)
            for need in requirement.needs
        )
        if requirement.kind is not Kind.WRITE:
            return gathered(early, targets, tainted=False, audience_leaks=False, four_eyes=False)
        sources = self._taints.sources(caller)
        return gathered(
            early,
            targets,
            tainted=caller.always_tainted or bool(sources),
            audience_leaks=self._leaks(caller, requirement, view, sources),
            four_eyes=snapshot.guild_rules.get(installation.id, NO_RULES).four_eyes,
        )

    def _leaks(self, caller: Caller, requirement: Requirement, view: GuildView, sources: frozenset[Source]) -> bool:
        if requirement.reach is not Reach.AUDIENCE:
            return True
        if caller.is_operator:
            # Nobody stands behind an operator: what it read cannot be bounded.
            return True
        if requirement.reader_bits:
            return leaks_to_holders(view, requirement.reader_bits, sources)
        return any(leaks(view, _destination(need.target), sources) for need in requirement.needs)

    @staticmethod
    def _target_facts(
        snapshot: Snapshot,
        view: GuildView,
        need: Need,
        requirement: Requirement,
        installation: Installation,
        *,
        is_own: bool,
    ) -> TargetFacts:
        rule = Rule.ALLOW
        guild_rules = snapshot.guild_rules.get(installation.id)
        if guild_rules is not None or snapshot.channel_rules:
            lineage: list[ChannelRules] = [
                rules
                for channel_id in view.lineage_ids(need.target)
                if (rules := snapshot.channel_rules.get((installation.id, channel_id))) is not None
            ]
            rule = effective(requirement.operation_class, guild_rules or NO_RULES, lineage)
        return view.facts(need, rule, is_own=is_own)

    async def _owned(self, caller: Caller, requirement: Requirement, installation: Installation) -> frozenset[int]:
        """Which of the messages for which it matters are the requester's own; without the database none is known to
        be.
        """
        asked = [need.target.id for need in requirement.needs if need.own or need.own_waives]
        if not asked:
            return frozenset()
        try:
            async with self._database.read() as session:
                return await sent_messages.owned(
                    session,
                    asked,
                    installation_id=installation.id,
                    user_id=caller.user_id,
                    client_id=caller.client_id,
                )
        except DatabaseUnavailable:
            raise Rejected(DATABASE_DOWN, installation=installation) from None


def gathered(
    early: Facts,
    targets: tuple[TargetFacts, ...],
    tainted: bool,
    audience_leaks: bool,
    four_eyes: bool,
    retry_after_seconds: float = math.inf,
) -> Facts:
    """What `dataclasses.replace` would give in four times the time, at each call. A fact that this forgot would stay at
    its refusing default.
    """
    return Facts(
        now=early.now,
        platform_age_seconds=early.platform_age_seconds,
        audience_ok=early.audience_ok,
        role=early.role,
        installation=early.installation,
        claimed_guild_id=early.claimed_guild_id,
        guild_allowed=early.guild_allowed,
        pause=early.pause,
        preset=early.preset,
        targets=targets,
        tainted=tainted,
        audience_leaks=audience_leaks,
        four_eyes=four_eyes,
        retry_after_seconds=retry_after_seconds,
    )


def _destination(target: Target) -> int | None:
    """The channel whose audience would see what is written at a target; None for the whole guild."""
    if target.channel_id is not None:
        return target.channel_id
    return target.id if target.kind in ("channel", "thread", "category") else None


def outward(prepared: Prepared, refusal: Refuse) -> Refuse:
    """What the caller hears of a refusal. For a hidden one: the answer that he would get if nothing that he named
    existed. It follows from his arguments alone, in the order in which they are resolved.
    """
    if not refusal.hidden:
        return refusal
    refs = prepared.operation.refs
    for field, ref in sorted(refs.items(), key=lambda item: item[1].kind in RESOLVED_LAST):
        if ref.kind != "guild" and getattr(prepared.arguments, field, None):
            return hidden(field, ref.kind)
    return hidden("guild", "guild")
