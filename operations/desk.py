"""The desk: where plans are left, found, confirmed, cancelled and denied. At most one confirmation takes effect."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from operations.approval import Approval
from operations.base import Model, Outcome, Status, WriteOperation
from operations.callers import Callers
from operations.errors import Refused
from operations.execution import Execution
from operations.journal import Journal, Replay
from operations.outcomes import replayed, structured
from operations.pauses import AutomaticPauses
from operations.plan_book import PlanBook
from operations.plan_journal import PlanJournal
from operations.plan_refusals import (
    CARD_ELSEWHERE,
    UNKNOWN_PLAN,
    ended,
    needs_person,
    no_approver,
    other_arguments,
    wrong_name,
)
from operations.plan_runner import PlanRunner
from operations.plan_upkeep import PlanUpkeep
from operations.plan_views import card_place, effect_of, waiting_outcome
from operations.plans import LONGEST_WAIT_SECONDS, ClientProof, PersonProof, PlanView, Proof, TokenProof
from operations.refusal_journal import RefusalJournal
from operations.refusals import DATABASE_DOWN, SHUTTING_DOWN
from operations.sanitise import inline
from policy import checks
from policy.checks import rate_allows
from policy.model import Caller, CallerKind, Face, Facts, NeedsConfirmation, Refuse, Strength, Tier
from storage import plans
from storage.audit import AuditEntry
from storage.calls import CallRecord, CallState
from storage.database import Database, DatabaseUnavailable
from storage.facts import PlatformFacts
from storage.limits import RateLimits

Operation = WriteOperation[Any, Any, Any]
LOOK_SECONDS = 1.0
NAME_LIMIT = 200
PROGRAMS = frozenset({Face.MCP, Face.AGENT, Face.AUTOMATION})
PROVES = {TokenProof: Strength.TOKEN, ClientProof: Strength.CLIENT, PersonProof: Strength.PERSON}


class PlanDesk:
    """Implements operations.plans.Plans."""

    def __init__(
        self,
        *,
        database: Database,
        facts: PlatformFacts,
        book: PlanBook,
        calls_journal: Journal,
        journal: PlanJournal,
        refusals: RefusalJournal,
        bursts: AutomaticPauses,
        approval: Approval,
        execution: Execution,
        runner: PlanRunner,
        upkeep: PlanUpkeep,
        callers: Callers,
        limits: RateLimits,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._keyring = database.keyring
        self._facts = facts
        self._book = book
        self._calls_journal = calls_journal
        self._journal = journal
        self._refusals = refusals
        self._bursts = bursts
        self._approval = approval
        self._execution = execution
        self._runner = runner
        self._upkeep = upkeep
        self._callers = callers
        self._limits = limits
        self._clock = clock

    # ---------------------------------------------------------------- proposing
    async def propose(
        self, record: CallRecord, entry: AuditEntry, effect: Model, shown: Outcome, idempotency_key: str | None
    ) -> Outcome | Refuse:
        """Stores the plan of a call that needs a confirmation, or takes the one that waits for the same already.

        A person is asked where ``record.asked``. Raises DatabaseUnavailable: then nothing was kept.
        """
        if record.strength is Strength.PERSON:
            remedy = await self._upkeep.reachable(self._book.view(record))
            if remedy is not None:
                return no_approver(remedy)
        opened = await self._journal.open(record, entry, idempotency_key)
        if isinstance(opened, Replay):
            return replayed(shown, opened.call_id, opened.outcome, same_payload=opened.same_payload)
        if isinstance(opened, Refuse):
            return opened
        if not record.asked:
            return self._waiting(opened, Status.PREVIEW, effect)
        return await self._asked(opened, effect, has_key=idempotency_key is not None)

    async def propose_by_hand(
        self,
        record: CallRecord,
        entry: AuditEntry,
        effect: Model,
        shown: Outcome,
        idempotency_key: str | None,
        caller: Caller,
        proof: PersonProof | None,
    ) -> Outcome | Refuse:
        """As ``propose``, where the person himself named operation and arguments: that confirms a risky plan. A
        critical one waits for one more press of his, and so does whatever he only previews (``proof`` None): nobody
        else has to be reached. Raises DatabaseUnavailable.
        """
        opened = await self._journal.open(record, entry, idempotency_key)
        if isinstance(opened, Replay):
            return replayed(shown, opened.call_id, opened.outcome, same_payload=opened.same_payload)
        if isinstance(opened, Refuse):
            return opened
        if proof is None:
            return self._waiting(opened, Status.PREVIEW, effect)
        if opened.tier is Tier.CRITICAL:
            return self._waiting(opened, Status.NEEDS_CONFIRMATION, effect)
        return await self.confirm(opened.call_id, caller, proof)

    async def _asked(self, record: CallRecord, effect: Model | None, *, has_key: bool) -> Outcome | Refuse:
        if record.strength is Strength.PERSON and card_place(record) is None:
            posted = await self._upkeep.post(record)
            if posted is None:
                await self._journal.release_key(record.call_id)
                return no_approver("Set an approvals channel for the guild, or open your direct messages to the bot.")
            record = posted
        waiting = self._waiting(record, Status.NEEDS_CONFIRMATION, effect)
        if has_key:
            await self._calls_journal.complete_key(record.call_id, structured(waiting))
        return waiting

    def _waiting(self, record: CallRecord, status: Status, effect: Model | None, by: Caller | None = None) -> Outcome:
        """``by``: who is answered, where that may be another client of the requester; the token is for its own."""
        own = by is None or by.client_id == record.client_id
        return waiting_outcome(record, status, plan_token=self._book.token(record) if own else None, effect=effect)

    async def redeem(self, operation: str, payload_mac: str, plan_token: str, caller: Caller) -> Outcome:
        """The very same call again, with its plan token."""
        plan_id = plan_token.partition(".")[0]
        limited = self._too_often(caller)
        if limited is not None:
            return await self._refuse(None, caller, plan_id, limited)
        try:
            record, _ = await self._of_client(plan_id, caller)
        except Refused as refused:
            return await self._refuse(None, caller, plan_id, refused.refusal)
        if record.operation != operation or record.payload_mac != payload_mac:
            return await self._refuse(record, caller, plan_id, other_arguments())
        return await self.confirm(plan_id, caller, TokenProof(plan_token))

    # ------------------------------------------------------------------ looking
    async def view(self, plan_id: str, by: Caller) -> PlanView:
        return self._book.view(await self._visible(plan_id, by))

    async def wait(self, plan_id: str, by: Caller, timeout_seconds: float) -> PlanView:
        ends_at = time.monotonic() + min(max(timeout_seconds, 0.0), LONGEST_WAIT_SECONDS)
        while True:
            changed = self._book.next_move(plan_id)
            record = await self._visible(plan_id, by)
            left = ends_at - time.monotonic()
            if record.state.terminal or left <= 0:
                return self._book.view(record)
            try:
                # Another process's doing shows in the row alone.
                async with asyncio.timeout(min(left, LOOK_SECONDS)):
                    await changed.wait()
            except TimeoutError:
                continue

    async def open(self, by: Caller, guild_id: int) -> Sequence[PlanView]:
        installation = self._facts.snapshot.installations.get(guild_id)
        if installation is None or installation.workspace_id != by.workspace_id:
            return ()
        async with self._database.read() as session:
            found = await plans.waiting(session, self._keyring, installation_id=installation.id)
        return [
            self._book.view(record) for record in found if _is_open(record, by) and await self._may_know(record, by)
        ]

    async def _visible(self, plan_id: str, by: Caller) -> CallRecord:
        record = await self._book.record(plan_id)
        if record is None or not await self._may_know(record, by):
            raise Refused(UNKNOWN_PLAN)
        return record

    async def _may_know(self, record: CallRecord, by: Caller) -> bool:
        operation = self._book.operation(record)
        if _is_closed_to(by, operation):
            return False
        if _is_requester(record, by, operation):
            return True
        # Whoever could approve it knows of it in Discord, where its card is; to programs it is the requester's alone.
        if by.kind is not CallerKind.MEMBER or record.workspace_id != by.workspace_id:
            return False
        if operation is None or by.user_id is None or record.state.terminal:
            return False
        return not isinstance(await self._approver_refusal(record, operation, by), Refuse)

    async def _of_client(self, plan_id: str, by: Caller) -> tuple[CallRecord, Operation]:
        record = await self._book.record(plan_id)
        operation = None if record is None else self._book.operation(record)
        if record is None or operation is None or _is_closed_to(by, operation):
            raise Refused(UNKNOWN_PLAN)
        if not _is_requester(record, by, operation, moves=True):
            raise Refused(UNKNOWN_PLAN)
        return record, operation

    # --------------------------------------------------------------- confirming
    async def ask(self, plan_id: str, by: Caller) -> Outcome:
        try:
            record, operation = await self._of_client(plan_id, by)
        except Refused as refused:
            return await self._refuse(None, by, plan_id, refused.refusal)
        refusal = self._not_waiting(record) or self._not_serving()
        if refusal is not None:
            return await self._refuse(record, by, plan_id, refusal)
        if record.strength is not Strength.PERSON:
            refusal = await self._client_refusal(record, operation, by, Strength.TOKEN)
            if refusal is None:
                return self._waiting(record, Status.NEEDS_CONFIRMATION, None, by)
            if refusal.code != needs_person().code:
                return await self._refuse(record, by, plan_id, refusal)
            # What he has read since has given it to a person.
            record = await self._journal.given_to_a_person(record)
        if not record.asked:
            remedy = await self._upkeep.reachable(self._book.view(record))
            if remedy is not None:
                return await self._refuse(record, by, plan_id, no_approver(remedy))
        answer = await self._execution.shielded(self._ask(record, by))
        return answer if isinstance(answer, Outcome) else await self._refuse(record, by, plan_id, answer)

    async def _ask(self, record: CallRecord, by: Caller) -> Outcome | Refuse:
        if not record.asked:
            asked = await self._journal.ask(record, by)
            if isinstance(asked, Refuse):
                return asked
            record = asked
        return await self._asked(record, None, has_key=False)

    async def confirm(self, plan_id: str, by: Caller, proof: Proof) -> Outcome:
        limited = self._too_often(by)
        if limited is not None:
            return await self._refuse(None, by, plan_id, limited)
        try:
            record, operation = await self._confirmable(plan_id, by, proof)
        except Refused as refused:
            return await self._refuse(None, by, plan_id, refused.refusal)
        refusal = await self._approver_says_no(record, operation, by, proof)
        if refusal is not None:
            return await self._refuse(record, by, plan_id, refusal)
        try:
            return await self._execution.shielded(self._runner.carry_out(record, operation, by))
        except DatabaseUnavailable:
            return await self._refuse(record, by, plan_id, DATABASE_DOWN)

    async def _confirmable(self, plan_id: str, by: Caller, proof: Proof) -> tuple[CallRecord, Operation]:
        """The plan, if this caller may know of it by this proof. Raises Refused: unknown, whatever there is."""
        record = await self._book.record(plan_id)
        operation = None if record is None else self._book.operation(record)
        if record is None or operation is None or record.workspace_id != by.workspace_id:
            raise Refused(UNKNOWN_PLAN)
        if isinstance(proof, PersonProof):
            if by.user_id is None or (by.guild_ids is not None and record.guild_id not in by.guild_ids):
                raise Refused(UNKNOWN_PLAN)
            if proof.via == "card" and (proof.place is None or proof.place != card_place(record)):
                raise Refused(CARD_ELSEWHERE)
            return record, operation
        if by.client_id != record.client_id or by.user_id != record.user_id or _is_closed_to(by, operation):
            raise Refused(UNKNOWN_PLAN)
        if isinstance(proof, TokenProof) and not self._book.accepts(record, proof.token):
            raise Refused(UNKNOWN_PLAN)
        return record, operation

    def _not_waiting(self, record: CallRecord) -> Refuse | None:
        if record.state is not CallState.PENDING:
            return ended(record.state)
        if record.expires_at is not None and record.expires_at <= self._clock():
            return ended(CallState.EXPIRED)
        return None

    def _not_serving(self) -> Refuse | None:
        return SHUTTING_DOWN if self._execution.draining else None

    async def _approver_says_no(
        self, record: CallRecord, operation: Operation, by: Caller, proof: Proof
    ) -> Refuse | None:
        """Everything that leaves the plan pending."""
        refusal = self._not_waiting(record) or self._not_serving()
        if refusal is not None:
            return refusal
        if isinstance(proof, PersonProof):
            found = await self._approver_refusal(record, operation, by)
            name = self._book.view(record).name_to_type
            # Told only to those who may confirm it: the name may be one of a place that others can't see.
            if found is None and name is not None and _folded(proof.typed) != _folded(name):
                return wrong_name(name)
        else:
            found = await self._client_refusal(record, operation, by, PROVES[type(proof)])
        return found or await self._rate_refusal(record, operation, by)

    async def _approver_refusal(self, record: CallRecord, operation: Operation, by: Caller) -> Refuse | None:
        try:
            effect = effect_of(record, operation)
        except ValidationError:
            return UNKNOWN_PLAN
        found = await self._approval.refusal(operation, effect, record, self._callers.revive(record), by)
        return UNKNOWN_PLAN if found is not None and found.hidden else found

    async def _client_refusal(
        self, record: CallRecord, operation: Operation, by: Caller, proves: Strength
    ) -> Refuse | None:
        prepared = await self._approval.prepared(operation, effect_of(record, operation), record, by)
        if isinstance(prepared, Refuse):
            return prepared
        decision = prepared.decide(0.0)
        if isinstance(decision, Refuse):
            return decision
        asked = decision.strength if isinstance(decision, NeedsConfirmation) else Strength.NONE
        # What it took when it was asked for, it takes still: taint that has run out since was there then.
        return needs_person() if Strength.PERSON in (asked, record.strength) and proves < Strength.PERSON else None

    def _too_often(self, by: Caller) -> Refuse | None:
        """Guessing has an end: every move counts as a read, whatever comes of it."""
        retry_after = self._limits.hit_read(caller=by.identity, guild_id=None)
        return rate_allows(Facts(now=0.0, platform_age_seconds=0.0, retry_after_seconds=retry_after))

    async def _rate_refusal(self, record: CallRecord, operation: Operation, by: Caller) -> Refuse | None:
        retry_after = await self._limits.hit(
            caller=by.identity,
            guild_id=record.guild_id,
            operation_class=operation.operation_class(),
            tier=record.tier,
        )
        refusal = rate_allows(Facts(now=0.0, platform_age_seconds=0.0, retry_after_seconds=retry_after))
        installation = self._facts.snapshot.installations.get(record.guild_id or 0)
        await self._bursts.count(by, installation, replace(operation.base_requirement(), tier=record.tier), refusal)
        return refusal

    # ------------------------------------------------------------------- ending
    async def cancel(self, plan_id: str, by: Caller, reason: str = "") -> PlanView:
        record, _ = await self._of_client(plan_id, by)
        return await self._close(record, CallState.CANCELLED, by, reason)

    async def deny(self, plan_id: str, by: Caller, proof: PersonProof) -> PlanView:
        try:
            record, operation = await self._confirmable(plan_id, by, proof)
        except Refused as refused:
            await self._refuse(None, by, plan_id, refused.refusal)
            raise
        refusal = self._not_waiting(record)
        refusal = refusal or await self._approver_refusal(record, operation, by)
        if refusal is not None:
            await self._refuse(record, by, plan_id, refusal)
            raise Refused(refusal)
        return await self._close(record, CallState.DENIED, by, "")

    async def _close(self, record: CallRecord, state: CallState, by: Caller, detail: str) -> PlanView:
        refusal = self._not_waiting(record)
        if refusal is None and not await self._journal.close(record, state, by, detail):
            refusal = ended((await self._book.record(record.call_id) or record).state)
        if refusal is not None:
            raise Refused(refusal)
        self._book.moved(record.call_id)
        return self._book.view(await self._book.record(record.call_id) or record)

    async def _refuse(self, record: CallRecord | None, by: Caller, plan_id: str, refusal: Refuse) -> Outcome:
        """A refused move; audited under an id of its own, for the plan itself goes on."""
        installation = None if record is None else self._facts.snapshot.installations.get(record.guild_id or 0)
        own = installation if installation is not None and installation.workspace_id == by.workspace_id else None
        return await self._refusals.moved(plan_id, by, own, refusal)


def _is_open(record: CallRecord, by: Caller) -> bool:
    """Asked of people; or the caller's own, named by hand, which has no card and waits for his press."""
    return record.asked or (record.face is Face.SLASH and record.user_id is not None and record.user_id == by.user_id)


def _is_closed_to(by: Caller, operation: Operation | None) -> bool:
    """Whether a program asks about what is never offered to programs, whoever is behind it."""
    return operation is not None and by.face in PROGRAMS and by.face not in operation.faces


def _is_requester(record: CallRecord, by: Caller, operation: Operation | None, *, moves: bool = False) -> bool:
    """The very client; or another one of the same person, as far as its own credential reaches: into that guild, and
    to that operation. ``moves``: not only to look.
    """
    if record.workspace_id != by.workspace_id:
        return False
    if record.client_id == by.client_id:
        return record.user_id == by.user_id
    if record.user_id is None or record.user_id != by.user_id or operation is None:
        return False
    if by.guild_ids is not None and record.guild_id not in by.guild_ids:
        return False
    asked = operation.base_requirement()
    beyond = checks.toolset_is_enabled(by, asked) or checks.scope_is_granted(by, asked)
    return beyond is None and not (moves and by.read_only)


def _folded(text: str | None) -> str:
    """As it is compared: what people copy from a card is sanitised, what they type has no sign before it."""
    return inline(text or "", NAME_LIMIT).casefold().removeprefix("#").removeprefix("@").strip()
