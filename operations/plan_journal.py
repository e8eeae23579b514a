"""The records of plans: how they are stored, asked for, claimed and ended, each with its audit entry."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from operations.journal import EXECUTION_LEASE_SECONDS, Journal, Replay, plan_seconds
from operations.plan_refusals import DENIED_SECONDS, PLANS_A_CALLER, PLANS_A_GUILD, denied_recently, too_many_plans
from policy.model import Caller, Refuse, Strength
from storage import audit, calls, idempotency, plans
from storage.audit import AuditEntry
from storage.calls import CallRecord, CallState
from storage.database import Database, Session


class PlanJournal:
    """Every method is one transaction; DatabaseUnavailable means that nothing of it was kept."""

    def __init__(
        self,
        database: Database,
        journal: Journal,
        executor_id: str,
        *,
        on_commit: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._keyring = database.keyring
        self._journal = journal
        self._entries = journal.entries
        self._executor_id = executor_id
        self._on_commit = on_commit
        self._clock = clock

    async def open(
        self, record: CallRecord, entry: AuditEntry, idempotency_key: str | None
    ) -> Replay | CallRecord | Refuse:
        """Commit 1 of a plan: its row and intent, or the waiting one of the same caller for the same effect, or why it
        may not be asked for.
        """
        now, installation_id = record.created_at, record.installation_id or ""
        async with self._database.unit_of_work() as session:
            found = await plans.find(
                session,
                self._keyring,
                client_id=record.client_id,
                installation_id=installation_id,
                effect_mac=record.effect_mac,
                fingerprint=record.fingerprint,
                now=now,
            )
            if found is not None and (found.strength < record.strength or found.tier < record.tier):
                found = None
            # Under the id of the plan that will answer it.
            replay = await self._journal.reserve(session, found or record, idempotency_key)
            if replay is not None:
                return replay
            adds = record.asked and not (found is not None and found.asked)
            refusal = await self._denied(session, record, now)
            refusal = refusal or (await self._over_cap(session, record, now) if adds else None)
            if refusal is not None:
                await idempotency.release(session, (found or record).call_id)
                return refusal
            if found is not None:
                if not adds:
                    return found
                expires_at = now + plan_seconds(found.strength)
                await plans.ask(session, found.call_id, expires_at=expires_at)
                await audit.append(session, self._entries.move(found, "asked", None, now))
                return replace(found, asked=True, expires_at=expires_at)
            if not record.asked:
                of_dry_runs = await self._open_ids(session, record, now, asked=False)
                await plans.expire(session, of_dry_runs[: max(0, len(of_dry_runs) + 1 - PLANS_A_CALLER)], now)
            await calls.insert(session, self._keyring, record)
            await audit.append(session, entry)
        self._on_commit()
        return record

    async def _open_ids(self, session: Session, record: CallRecord, now: float, *, asked: bool = True) -> list[str]:
        """The open plans of a person, whichever client asked for them; of the client, where nobody stands behind it."""
        if record.user_id is None:
            return await plans.open_ids(session, now=now, asked=asked, client_id=record.client_id)
        return await plans.open_ids(
            session, now=now, asked=asked, user_id=record.user_id, workspace_id=record.workspace_id
        )

    async def _denied(self, session: Session, record: CallRecord, now: float) -> Refuse | None:
        denied_at = await plans.denied_at(
            session,
            installation_id=record.installation_id or "",
            user_id=record.user_id,
            client_id=record.client_id,
            effect_mac=record.effect_mac,
            since=now - DENIED_SECONDS,
        )
        return None if denied_at is None else denied_recently(denied_at + DENIED_SECONDS - now)

    async def _over_cap(self, session: Session, record: CallRecord, now: float) -> Refuse | None:
        of_caller = await self._open_ids(session, record, now)
        if len(of_caller) >= PLANS_A_CALLER:
            return too_many_plans(of_caller)
        of_guild = await plans.open_ids(session, now=now, installation_id=record.installation_id)
        return too_many_plans(None) if len(of_guild) >= PLANS_A_GUILD else None

    async def ask(self, record: CallRecord, by: Caller) -> CallRecord | Refuse:
        """A plan that a dry run stored is asked for from now on."""
        now = self._clock()
        async with self._database.unit_of_work() as session:
            refusal = await self._denied(session, record, now) or await self._over_cap(session, record, now)
            if refusal is not None:
                return refusal
            expires_at = now + plan_seconds(record.strength)
            await plans.ask(session, record.call_id, expires_at=expires_at)
            await audit.append(session, self._entries.move(record, "asked", by, now))
        self._on_commit()
        return replace(record, asked=True, expires_at=expires_at)

    async def given_to_a_person(self, record: CallRecord) -> CallRecord:
        """From now on this waiting plan takes a person."""
        async with self._database.unit_of_work() as session:
            await plans.raise_strength(session, record.call_id, Strength.PERSON)
        return replace(record, strength=Strength.PERSON)

    async def refused_at_confirmation(self, record: CallRecord, truth: Refuse, told: Refuse) -> None:
        """Why a confirmed plan was refused after all; what its requester is not told stands here alone."""
        entry = replace(
            self._entries.move(record, "refused", None, self._clock(), truth.reason),
            step=truth.step.value,
            code=truth.code,
            outward_step=told.step.value,
        )
        async with self._database.unit_of_work() as session:
            await audit.append(session, entry)
        self._on_commit()

    async def release_key(self, call_id: str) -> None:
        """The key of a call that came to nothing may be used again."""
        async with self._database.unit_of_work() as session:
            await idempotency.release(session, call_id)

    async def claim(self, record: CallRecord, by: Caller, *, active: bool) -> CallRecord | None:
        """Takes a waiting plan to execution, and says who confirmed it; None when it does not wait any more.

        ``active`` False: this process may not execute; the active one takes it up.
        """
        now = self._clock()
        entry = self._entries.move(record, "confirmed", by, now)
        async with self._database.unit_of_work() as session:
            if active:
                claimed = await calls.claim(
                    session,
                    record.call_id,
                    executor=self._executor_id,
                    lease_seconds=EXECUTION_LEASE_SECONDS,
                    now=now,
                    confirmed_by=by.user_id,
                )
            else:
                claimed = await calls.accept(session, record.call_id, now=now, confirmed_by=by.user_id)
            if not claimed:
                return None
            await audit.append(session, entry)
        self._on_commit()
        if not active:
            return replace(record, state=CallState.CONFIRMED, confirmed_by=by.user_id)
        return self._executing(record, by.user_id, now)

    async def claim_confirmed(self, record: CallRecord) -> CallRecord | None:
        """Takes up a plan that another process has confirmed; None when somebody else has."""
        now = self._clock()
        async with self._database.unit_of_work() as session:
            claimed = await calls.claim_confirmed(
                session,
                record.call_id,
                executor=self._executor_id,
                lease_seconds=EXECUTION_LEASE_SECONDS,
                now=now,
            )
        return self._executing(record, record.confirmed_by, now) if claimed else None

    def _executing(self, record: CallRecord, confirmed_by: int | None, now: float) -> CallRecord:
        return replace(
            record,
            state=CallState.EXECUTING,
            executor=self._executor_id,
            lease_until=now + EXECUTION_LEASE_SECONDS,
            started_at=now,
            confirmed_by=confirmed_by,
        )

    async def close(self, record: CallRecord, state: CallState, by: Caller | None, detail: str = "") -> bool:
        """Ends a waiting plan without executing it; False when it does not wait any more. ``by`` None: nobody did."""
        now = self._clock()
        async with self._database.unit_of_work() as session:
            closed = await calls.close(
                session,
                self._keyring,
                record.call_id,
                state=state,
                now=now,
                detail=detail,
                denied_by=by.user_id if by is not None and state is CallState.DENIED else None,
            )
            if closed:
                await audit.append(session, self._entries.move(record, state.value, by, now, detail))
        self._on_commit()
        return closed

    async def expired(self) -> list[str]:
        """Ends what has waited too long; the ids of those plans."""
        now = self._clock()
        async with self._database.read() as session:
            # Asked twice a second, and mostly for nothing: writes need not wait for that.
            if not await plans.due(session, self._keyring, now):
                return []
        async with self._database.unit_of_work() as session:
            ended = await plans.due(session, self._keyring, now)
            for record in ended:
                await calls.close(session, self._keyring, record.call_id, state=CallState.EXPIRED, now=now)
                await audit.append(session, self._entries.move(record, CallState.EXPIRED.value, None, now))
        if ended:
            self._on_commit()
        return [record.call_id for record in ended]
