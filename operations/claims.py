"""The road of a claim: the one call that is made in a guild which nobody has installed.

Its facts are its own (there is no installation and no workspace to ask), its steps are the pipeline's, its audit, its
limits and its execution are those of every other call. Nothing else of such a guild can be reached: this way is taken
for operations that say ``of_inert_guild`` alone, and those pass step 3 for no guild that is installed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from operations.arguments import guild_target
from operations.base import Common, Context, Model, Operation, Outcome, Preview, Progress, Status
from operations.decider import Prepared, gathered
from operations.errors import Refused
from operations.failures import DISCORD_FAILED, refusal_of
from operations.guild_state import GuildState, GuildVanished, GuildView
from operations.inert_guilds import InertGuildWrite
from operations.journal import Applied, Journal
from operations.ledger import charge_to
from operations.membership import Membership
from operations.refusals import Rejected, hidden
from operations.resolve import snowflake
from operations.services import Services
from operations.settlement import Settled
from policy import pipeline
from policy.model import Caller, Facts, PlatformRole, Refuse, Requirement, Rule, Step, Strength
from storage.audit import AuditEntry
from storage.calls import CallRecord, CallState
from storage.facts import PlatformFacts
from storage.session import Session

NOT_IN_GUILD = Refuse(Step.MEMBERSHIP, "not_in_guild", "The bot or the person is not in the guild.", hidden=True)


class Claims:
    """Decides and executes claims."""

    def __init__(
        self,
        facts: PlatformFacts,
        state: GuildState,
        membership: Membership,
        journal: Journal,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._facts = facts
        self._state = state
        self._membership = membership
        self._journal = journal
        self._clock = clock

    # ----------------------------------------------------------------- prepare
    async def prepare(
        self,
        operation: Operation,
        arguments: Model,
        caller: Caller,
        call_id: str,
        services: Services,
        *,
        reason: str | None,
        audit_reason: str | None,
        progress: Progress,
    ) -> Prepared:
        """Steps 1-4, and the facts for 5-7. Raises Rejected with the refusal for the audit and the one for the caller.

        Call it within a reading phase of this caller. Whoever is refused by what is known here causes no request.
        """
        base, outward = operation.base_requirement(), hidden("guild", "guild")
        guild_id = _named(arguments, caller)
        self._gate(caller, base, self._early(caller, guild_id), outward)
        if guild_id is None:
            raise Rejected(NOT_IN_GUILD, outward)
        charge_to(guild_id)
        view = await self._view(guild_id, caller, outward)
        early = self._early(caller, guild_id)
        self._gate(caller, base, early, outward)
        try:
            targets = {"guild": guild_target(view)}
            ctx = Context(call_id, caller, early.now, services, view, targets, {}, reason, audit_reason, progress)
            requirement = operation.requirement(ctx, arguments)
            # Nobody has set a policy for it, and nothing was read in it.
            found = tuple(view.facts(need, Rule.ALLOW) for need in requirement.needs)
        except GuildVanished:
            raise Rejected(NOT_IN_GUILD, outward) from None
        facts = gathered(early, found, tainted=False, audience_leaks=False, four_eyes=False)
        return Prepared(operation, arguments, ctx, requirement, facts, None)

    def _early(self, caller: Caller, guild_id: int | None) -> Facts:
        """``role``: what a member of any guild has, until Discord says whether he is one."""
        now = self._clock()
        return Facts(
            now=now,
            platform_age_seconds=self._facts.age_seconds(),
            audience_ok=True,
            role=PlatformRole.MEMBER,
            installation=None if guild_id is None else self._facts.snapshot.installations.get(guild_id),
            claimed_guild_id=guild_id,
            guild_allowed=guild_id is not None and self._membership.allows(guild_id),
            pause=self._facts.snapshot.pause_of(None, caller, now),
        )

    @staticmethod
    def _gate(caller: Caller, requirement: Requirement, facts: Facts, outward: Refuse) -> None:
        decision = pipeline.gate(caller, requirement, facts)
        if isinstance(decision, Refuse):
            raise Rejected(decision, outward)

    async def _view(self, guild_id: int, caller: Caller, outward: Refuse) -> GuildView:
        """Discord is always asked for the person: what he may do counts as of now."""
        if caller.user_id is None:
            raise Rejected(NOT_IN_GUILD, outward)
        try:
            view = await self._state.view(guild_id, caller.user_id, 0.0)
        except DISCORD_FAILED as error:
            raise Rejected(refusal_of(error)) from error
        if view is None:
            raise Rejected(NOT_IN_GUILD, outward)
        return view

    # ------------------------------------------------------------------ commit
    async def commit(
        self,
        operation: InertGuildWrite[Any, Any, Any],
        prepared: Prepared,
        arguments: Mapping[str, Any],
        common: Common,
        preview: Preview[Any],
        shown: Outcome,
    ) -> Outcome | Refuse:
        """Intent, effect and outcome in one transaction: they are recorded under the installation that they make. Of
        several at once one is kept. Raises DatabaseUnavailable.
        """
        ctx = prepared.ctx

        async def work(session: Session) -> tuple[CallRecord, AuditEntry, Applied]:
            result = await operation.apply(ctx, session, preview.effect)
            installation = await operation.made(session, preview.effect)
            caller = replace(ctx.caller, workspace_id=installation.workspace_id)
            record = self._journal.record(
                ctx.call_id,
                operation,
                prepared.requirement,
                caller,
                installation,
                preview,
                arguments,
                strength=Strength.NONE,
                tainted=False,
                sources=frozenset(),
                reason=common.reason,
            )
            entry = self._journal.intent(record, prepared.requirement, caller, installation, arguments)
            answer = replace(shown, status=Status.DONE, data=result)
            return record, entry, Applied(Settled(CallState.DONE, result), None, answer)

        try:
            return await self._journal.apply_at_once(work)
        except Refused as refused:
            return refused.refusal


def _named(arguments: Model, caller: Caller) -> int | None:
    """The guild that is named; else the one that the caller is in."""
    given: str | None = getattr(arguments, "guild", None)
    if given is not None:
        return snowflake("guild", given)
    return next(iter(caller.guild_ids)) if caller.guild_ids is not None and len(caller.guild_ids) == 1 else None
