"""What plans need while they wait: an end in time, the active process, and cards that tell the truth."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

import structlog

from operations.execution import Execution
from operations.plan_book import PlanBook
from operations.plan_journal import PlanJournal
from operations.plan_runner import PlanRunner
from operations.plans import Cards, PlanView
from storage import plans
from storage.calls import CallRecord, CallState
from storage.database import Database, DatabaseUnavailable

Work = Callable[[], Awaitable[object]]
LOOK_SECONDS = 1.0
# Whoever has just stored a plan posts its card himself; what a crash left behind is older.
LEFT_BEHIND_SECONDS = 10.0


class PlanUpkeep:
    """Posts cards, and runs beside the active process. Cards are attached by the floor above."""

    def __init__(
        self,
        *,
        database: Database,
        book: PlanBook,
        journal: PlanJournal,
        runner: PlanRunner,
        execution: Execution,
        is_active: Callable[[], bool],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._keyring = database.keyring
        self._book = book
        self._journal = journal
        self._runner = runner
        self._execution = execution
        self._is_active = is_active
        self._clock = clock
        self._cards: Cards | None = None
        self._showing: set[str] = set()
        self._wake = asyncio.Event()
        self._log = structlog.get_logger("guildhall.plans")
        book.watch(lambda _: self._wake.set())

    def attach(self, cards: Cards) -> None:
        self._cards = cards

    async def reachable(self, plan: PlanView) -> str | None:
        """None when somebody can be asked; else what helps."""
        return None if self._cards is None else await self._cards.reachable(plan)

    async def post(self, record: CallRecord) -> CallRecord | None:
        """Posts the card; None, and the plan is ended, when nobody could be reached."""
        if self._cards is None:
            return record
        place = await self._cards.post(self._book.view(record))
        if place is None:
            await self._journal.close(record, CallState.CANCELLED, None, "No approver could be reached.")
            self._book.moved(record.call_id)
            return None
        async with self._database.unit_of_work() as session:
            placed = await plans.place_card(session, record.call_id, place)
        if not placed:
            # It ended meanwhile; the next round shows that.
            self._wake.set()
        return replace(
            record,
            card_guild_id=place.guild_id,
            card_channel_id=place.channel_id,
            card_message_id=place.message_id,
            card_state=CallState.PENDING.value,
        )

    async def run(self) -> None:
        """Until cancelled: ends what waited too long, executes what others confirmed, keeps cards true.

        In the active process alone; survives outages.
        """
        while True:
            self._wake.clear()
            if self._is_active():
                try:
                    await self.once()
                except DatabaseUnavailable:
                    self._log.warning("plans wait for the database")
                except Exception:  # noqa: BLE001 - logged, and looked at again in the next round
                    self._log.exception("the upkeep of plans failed")
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def once(self) -> None:
        """One round. Raises DatabaseUnavailable."""
        for plan_id in await self._journal.expired():
            self._book.moved(plan_id)
        async with self._database.read() as session:
            confirmed = await plans.waiting(session, self._keyring, state=CallState.CONFIRMED)
            uncarded = await plans.without_card(session, self._keyring, now=self._clock())
            stale = await plans.with_stale_card(session, self._keyring)
        for record in confirmed:
            operation = self._book.operation(record)
            claimed = None if operation is None else await self._journal.claim_confirmed(record)
            if operation is not None and claimed is not None:
                self._execution.background(self._runner.execute(claimed, operation))
        if self._cards is None:
            return
        for record in uncarded:
            if self._clock() - record.created_at > LEFT_BEHIND_SECONDS:
                self._aside(record.call_id, partial(self.post, record))
        for record in stale:
            self._aside(record.call_id, partial(self._settle_card, record, self._cards))

    def _aside(self, plan_id: str, work: Work) -> None:
        """Discord may be slow in one guild: no other one's plans wait for it. At most one such work a plan."""
        if plan_id not in self._showing:
            self._showing.add(plan_id)
            self._execution.background(self._shown(plan_id, work))

    async def _shown(self, plan_id: str, work: Work) -> None:
        try:
            await work()
        except DatabaseUnavailable:
            self._log.warning("a card waits for the database", plan_id=plan_id)
        except Exception:  # noqa: BLE001 - logged, and done again in a later round
            self._log.exception("a card could not be brought up to date", plan_id=plan_id)
        finally:
            self._showing.discard(plan_id)

    async def _settle_card(self, record: CallRecord, cards: Cards) -> None:
        await cards.settle(self._book.view(record))
        async with self._database.unit_of_work() as session:
            await plans.card_shows(session, record.call_id, record.state)
