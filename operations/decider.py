"""From a call's arguments to a decision: resolve, gate, gather facts, judge.

A refused caller causes no request to Discord: steps 1-4 come before anything is fetched.
"""

from __future__ import annotations

import asyncio
import functools
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from operations.audience import leaks
from operations.base import Context, Model, Operation, Progress, WriteOperation, no_progress
from operations.failures import DISCORD_FAILED, refusal_of
from operations.guild_state import MEMBER_MAX_AGE_SECONDS, GuildState, GuildVanished, GuildView
from operations.refusals import (
    DATABASE_DOWN,
    Rejected,
    ambiguous,
    guild_starting,
    guild_uncertain,
    hidden,
    look_alike,
    which_guild,
)
from operations.resolve import Ambiguous, LookAlike, Resolver, link, pick, snowflake
from operations.services import Services
from operations.taints import Taints
from policy import checks, pipeline
from policy.frozen import frozen
from policy.model import (
    Caller,
    CallerKind,
    Decision,
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
from policy.rules import ChannelRules, GuildRules, effective, mapped_role, raised_tier
from policy.taint import Source
from storage import sent_messages
from storage.calls import CallRecord
from storage.database import Database
from storage.facts import PlatformFacts
from storage.outages import DatabaseUnavailable
from storage.snapshot import Snapshot

NO_RULES = GuildRules()
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
        return self.installation.guild_id if self.installation else None

    def decide(self, retry_after_seconds: float) -> Decision:
        """The pipeline's decision, with step 7 as the limiter says."""
        known = self.facts
        facts = _gathered(known, known.targets, known.tainted, known.audience_leaks, retry_after_seconds)
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
        self._allowed = allowed_guild_ids
        self._clock = clock
        self._resolver = Resolver()
        self._bases: dict[type[Operation], tuple[Requirement, Requirement]] = {}

    # ------------------------------------------------------------- early facts
    def _early(self, caller: Caller, guild_id: int | None, role: PlatformRole | None) -> Facts:
        snapshot = self._facts.snapshot
        installation = None if guild_id is None else snapshot.installations.get(guild_id)
        return Facts(
            now=self._clock(),
            platform_age_seconds=self._facts.age_seconds(),
            # Tokens and Discord identities are of this instance by construction; other audiences arrive with OAuth.
            audience_ok=caller.kind is not CallerKind.OAUTH,
            role=role,
            installation=installation,
            guild_allowed=guild_id is not None and (self._allowed is None or guild_id in self._allowed),
        )

    def _explicit_role(self, caller: Caller) -> PlatformRole | None:
        if caller.kind is CallerKind.OPERATOR:
            return PlatformRole.MEMBER
        if caller.user_id is None or caller.workspace_id is None:
            return None
        return self._facts.snapshot.memberships.get((caller.workspace_id, caller.user_id))

    def _guild_role(self, caller: Caller, installation: Installation, view: GuildView | None) -> PlatformRole | None:
        explicit = self._explicit_role(caller)
        if explicit is not None or view is None:
            return explicit
        rules = self._facts.snapshot.guild_rules.get(installation.id, NO_RULES)
        return mapped_role(rules, (role.id for role in view.actor.roles) if rules.role_map else ())

    def _candidate_guilds(self, caller: Caller) -> list[int]:
        """The guilds of the caller's workspace that his credential names; membership is not asked yet."""
        if caller.workspace_id is None:
            return []
        ids = self._facts.snapshot.workspace_guilds.get(caller.workspace_id, frozenset())
        return sorted(
            guild_id
            for guild_id in ids
            if (caller.guild_ids is None or guild_id in caller.guild_ids)
            and (self._allowed is None or guild_id in self._allowed)
        )

    async def reachable_guilds(self, caller: Caller) -> tuple[int, ...]:
        """Those of them that the person is a member of now, as far as Discord could be asked."""
        return (await self._memberships(caller))[0]

    async def _memberships(self, caller: Caller) -> tuple[tuple[int, ...], Exception | None]:
        """The guilds that the person is in now, and why one of the others could not be asked about."""
        candidates = self._candidate_guilds(caller)
        # All at once: one that is arriving makes a call wait for up to two seconds.
        answers = await asyncio.gather(*(self._is_member(guild_id, caller) for guild_id in candidates))
        inside = tuple(guild_id for guild_id, answer in zip(candidates, answers, strict=True) if answer is True)
        return inside, next((answer for answer in answers if isinstance(answer, Exception)), None)

    async def _is_member(self, guild_id: int, caller: Caller) -> bool | Exception:
        try:
            return await self._state.view(guild_id, caller.user_id) is not None
        except DISCORD_FAILED as error:
            return error

    async def role(self, caller: Caller) -> PlatformRole | None:
        """The role outside of any guild: the explicit one, else that of a member of any of the workspace's guilds."""
        return (await self._role_anywhere(caller))[0]

    async def _role_anywhere(self, caller: Caller) -> tuple[PlatformRole | None, Exception | None]:
        """The role, and why a guild could not be asked about."""
        explicit = self._explicit_role(caller)
        if explicit is not None:
            return explicit, None
        roles: list[PlatformRole] = []
        reachable, failed = await self._memberships(caller)
        for guild_id in reachable:
            installation = self._facts.snapshot.installations.get(guild_id)
            try:
                view = await self._state.view(guild_id, caller.user_id)
                role = self._guild_role(caller, installation, view) if installation and view else None
            except (*DISCORD_FAILED, GuildVanished):
                continue
            roles += [] if role is None else [role]
        return max(roles, default=None), failed

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
    ) -> Prepared:
        """Resolves and gathers. Raises Rejected with the refusal for the audit and the one for the caller."""
        base, _ = self._base(operation)
        if not operation.in_guild:
            self._gate(caller, base, self._early(caller, None, self._optimistic(caller)))
            role, failed = await self._role_anywhere(caller)
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
            operation, arguments, caller, call_id, services, entered, base, reason, audit_reason, progress
        )

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
        early = self._early(caller, guild_id, self._guild_role(caller, installation, view))
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
            early = self._early(caller, guild_id, self._guild_role(caller, installation, view))
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
        explicit = self._explicit_role(caller)
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
    ) -> Prepared:
        early, installation, view, outward = entered
        guild_id, strict = view.id, base.tier >= Tier.RISKY

        async def resolved(view: GuildView, *, strict: bool) -> Context:
            targets, many = await self._resolve(operation, arguments, view, installation, strict=strict)
            return Context(call_id, caller, early.now, services, view, targets, many, reason, audit_reason, progress)

        try:
            ctx = await resolved(view, strict=strict)
            requirement = self._raised(operation.requirement(ctx, arguments), installation)
            self._gate(caller, requirement, early, outward)
            facts = await self.facts(early, caller, requirement, view, installation)
            if not strict and isinstance(pipeline.proof(caller, requirement, facts), NeedsConfirmation):
                # Raised by its effect, by policy or by taint: now names must be beyond doubt, and the person fresh.
                await self._guild_of(operation, arguments, caller, strict=True)
                view = await self._view(guild_id, caller, Tier.RISKY, outward, installation)
                ctx = await resolved(view, strict=True)
                requirement = self._raised(operation.requirement(ctx, arguments), installation)
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

    def _raised(self, requirement: Requirement, installation: Installation) -> Requirement:
        rules = self._facts.snapshot.guild_rules.get(installation.id)
        if rules is None or requirement.kind is not Kind.WRITE:
            return requirement
        return replace(requirement, tier=raised_tier(rules, requirement))

    async def observer(self, record: CallRecord, caller: Caller, services: Services) -> Context:
        """A context that sees the guild of a stored call as the bot does: for looking what became of it. Raises
        Rejected.
        """
        if record.guild_id is None:
            raise Rejected(Refuse(Step.INSTALLATION, "not_installed", "The call names no guild."))
        try:
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
    ) -> Prepared:
        """The same from a stored effect, with the facts of now. Raises Rejected."""
        base = operation.base_requirement()
        guild_id = record.guild_id
        if guild_id is None:
            raise Rejected(Refuse(Step.INSTALLATION, "not_installed", "The call names no guild.", hidden=True))
        answer = hidden("guild", "guild")
        early = self._early(caller, guild_id, self._optimistic(caller))
        self._gate(caller, base, early, answer)
        installation = early.installation
        if installation is None or installation.id != record.installation_id:
            raise Rejected(Refuse(Step.INSTALLATION, "not_installed", "The installation is gone.", hidden=True), answer)
        view = await self._view(guild_id, caller, max(base.tier, record.tier), answer, installation)
        try:
            early = self._early(caller, guild_id, self._guild_role(caller, installation, view))
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
            requirement = replace(requirement, tier=max(requirement.tier, record.tier))
            facts = await self.facts(early, caller, requirement, view, installation)
        except GuildVanished:
            raise Rejected(self.vanished(guild_id), answer, installation=installation) from None
        return Prepared(operation, effect, ctx, requirement, facts, installation)

    # ------------------------------------------------------------------ facts
    async def facts(
        self, early: Facts, caller: Caller, requirement: Requirement, view: GuildView, installation: Installation
    ) -> Facts:
        """Early facts and those of every target. Raises GuildVanished."""
        snapshot = self._facts.snapshot
        owned = await self._owned(caller, requirement, installation)
        targets = tuple(
            self._target_facts(snapshot, view, need, requirement, installation, is_own=need.target.id in owned)
            for need in requirement.needs
        )
        if requirement.kind is not Kind.WRITE:
            return _gathered(early, targets, tainted=False, audience_leaks=False)
        sources = self._taints.sources(caller)
        return _gathered(
            early,
            targets,
            tainted=caller.always_tainted or bool(sources),
            audience_leaks=self._leaks(caller, requirement, view, sources),
        )

    def _leaks(self, caller: Caller, requirement: Requirement, view: GuildView, sources: frozenset[Source]) -> bool:
        if requirement.reach is not Reach.AUDIENCE:
            return True
        if caller.is_operator:
            # Nobody stands behind an operator: what it read cannot be bounded.
            return True
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
        """Which of the messages that must be the requester's own are; without the database none is known to be."""
        asked = [need.target.id for need in requirement.needs if need.own]
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

    # ---------------------------------------------------------------- resolve
    async def _guild_of(
        self, operation: Operation, arguments: Model, caller: Caller, *, strict: bool
    ) -> tuple[int, tuple[str, str]]:
        """The guild of a call, and the field (with its kind) by which it was named. Raises Rejected."""
        _, anywhere = self._base(operation)
        self._gate(caller, anywhere, self._early(caller, None, self._optimistic(caller)))
        given: str | None = getattr(arguments, "guild", None)
        if given is not None:
            guild_id = snowflake("guild", given)
            if guild_id is not None:
                return guild_id, ("guild", "guild")
            return await self._guild_by_name(given, caller, strict=strict), ("guild", "guild")
        for field, ref in operation.refs.items():
            value = getattr(arguments, field, None)
            if not isinstance(value, str):
                continue
            jump = link(value)
            if jump is not None:
                return jump.guild_id, (field, ref.kind)
            if ref.kind in ("channel", "category") and (channel_id := snowflake(ref.kind, value)) is not None:
                guild_id = self._state.source.guild_of_channel(channel_id)
                candidates = self._candidate_guilds(caller)
                # A channel of somebody else's guild is looked for, waited for and missed like one that is nowhere.
                if guild_id not in candidates:
                    guild_id = candidates[0] if len(candidates) == 1 else None
                if guild_id is None:
                    raise Rejected(
                        Refuse(Step.RESOLVE, "unknown", "No guild has that channel.", hidden=True),
                        hidden(field, ref.kind),
                    )
                return guild_id, (field, ref.kind)
        reachable, failed = await self._memberships(caller)
        if failed is not None:
            # Which guild is meant must not hang on which of them has arrived.
            raise Rejected(guild_uncertain(refusal_of(failed)))
        if len(reachable) == 1:
            return reachable[0], ("guild", "guild")
        raise Rejected(
            which_guild([guild.name for guild_id in reachable if (guild := self._state.source.cached(guild_id))])
        )

    async def _guild_by_name(self, name: str, caller: Caller, *, strict: bool) -> int:
        found: list[tuple[str, Target]] = []
        reachable, failed = await self._memberships(caller)
        if failed is not None:
            raise Rejected(guild_uncertain(refusal_of(failed)))
        for guild_id in reachable:
            guild = self._state.source.cached(guild_id)
            if guild is not None:
                found.append((guild.name, Target("guild", guild.id, guild.id, guild.name)))
        picked = pick(name, found, strict=strict)
        if isinstance(picked, Target):
            return picked.id
        if isinstance(picked, Ambiguous):
            raise Rejected(ambiguous("guild", "guild", picked.candidates))
        if isinstance(picked, LookAlike):
            raise Rejected(look_alike("guild", "guild", picked.candidates))
        raise Rejected(
            Refuse(Step.RESOLVE, "unknown", "No guild has that name.", hidden=True), hidden("guild", "guild")
        )

    async def _resolve(
        self, operation: Operation, arguments: Model, view: GuildView, installation: Installation, *, strict: bool
    ) -> tuple[dict[str, Target], dict[str, tuple[Target, ...]]]:
        """The refs of the input, as targets within what the requester sees: single ones, and those of lists."""
        targets: dict[str, Target] = {}
        many: dict[str, tuple[Target, ...]] = {}
        self._check_guild_wide(operation, view, installation)
        messages: list[str] = []
        for field, ref in operation.refs.items():
            value: Any = getattr(arguments, field)
            if value is None:
                continue
            if ref.kind == "guild":
                targets[field] = _guild_target(view)
            elif ref.kind == "message":
                messages.append(field)
            elif ref.many:
                many[field] = tuple(
                    [await self._one(view, field, ref.kind, item, installation, strict=strict) for item in value]
                )
            else:
                targets[field] = await self._one(view, field, ref.kind, value, installation, strict=strict)
        # Messages come last: they need their channel.
        for field in messages:
            text: str = getattr(arguments, field)
            targets |= await self._message(view, field, text, targets, installation, strict=strict)
        return targets, many

    @staticmethod
    def _check_guild_wide(operation: Operation, view: GuildView, installation: Installation) -> None:
        """Who lacks the right guild-wide is refused before a member is fetched for him."""
        if operation.kind is not Kind.WRITE:
            return
        kinds = {ref.kind for ref in operation.refs.values()}
        if "member" not in kinds or kinds & {"channel", "message"}:
            return
        need = operation.need(_guild_target(view))
        known = view.facts(need)
        refusal = checks.bot_holds_rights(need, known) or checks.actor_holds_rights(need, known)
        if refusal is not None:
            raise Rejected(refusal, installation=installation)

    async def _one(
        self, view: GuildView, field: str, kind: str, text: str, installation: Installation, *, strict: bool
    ) -> Target:
        resolved = await self._resolver.resolve(view, kind, text, strict=strict)
        if isinstance(resolved, Target):
            return resolved
        if isinstance(resolved, Ambiguous):
            raise Rejected(ambiguous(field, kind, resolved.candidates), installation=installation)
        if isinstance(resolved, LookAlike):
            raise Rejected(look_alike(field, kind, resolved.candidates), installation=installation)
        truth = Refuse(Step.RESOLVE, "unknown", f"No visible {kind} matches {field}.", hidden=True)
        raise Rejected(truth, hidden(field, kind), installation=installation)

    async def _message(
        self,
        view: GuildView,
        field: str,
        text: str,
        targets: Mapping[str, Target],
        installation: Installation,
        *,
        strict: bool,
    ) -> dict[str, Target]:
        """A message is named by its id together with a channel, or by a jump link, which names the channel as well."""
        message_id, jump = snowflake("message", text), link(text)
        channel = targets.get("channel")
        found: dict[str, Target] = {}
        if jump is not None and channel is None and jump.channel_id is not None:
            resolved = await self._resolver.resolve(view, "channel", str(jump.channel_id), strict=strict)
            if isinstance(resolved, Target):
                channel = found["channel"] = resolved
        names_another = jump is not None and (
            jump.guild_id != view.id or channel is None or jump.channel_id != channel.id
        )
        if message_id is None or channel is None or names_another:
            if channel is None and jump is None and message_id is not None:
                raise Rejected(
                    Refuse(
                        Step.VALIDATE,
                        "channel_missing",
                        f"`{field}` is an id without a channel.",
                        "Give `channel` as well, or a jump link (https://discord.com/channels/…).",
                    ),
                    installation=installation,
                )
            truth = Refuse(Step.RESOLVE, "unknown", f"No visible message matches {field}.", hidden=True)
            raise Rejected(truth, hidden(field, "message"), installation=installation)
        found[field] = Target("message", message_id, view.id, str(message_id), channel_id=channel.id)
        return found


def _guild_target(view: GuildView) -> Target:
    return Target("guild", view.id, view.id, view.discord.name)


def _gathered(
    early: Facts,
    targets: tuple[TargetFacts, ...],
    tainted: bool,
    audience_leaks: bool,
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
        guild_allowed=early.guild_allowed,
        targets=targets,
        tainted=tainted,
        audience_leaks=audience_leaks,
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
    for field, ref in sorted(refs.items(), key=lambda item: item[1].kind == "message"):
        if ref.kind != "guild" and getattr(prepared.arguments, field, None):
            return hidden(field, ref.kind)
    return hidden("guild", "guild")
