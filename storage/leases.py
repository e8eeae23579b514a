"""The lease of the active process: exactly one holds it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import structlog
from sqlalchemy import ColumnElement, Double, bindparam, delete, func, or_
from sqlalchemy import cast as sql_cast
from sqlmodel import col

from storage import tables
from storage.database import Database, Session
from storage.outages import DatabaseUnavailable
from storage.upserts import insert_into, is_postgresql

TTL_SECONDS = 15.0
RENEW_SECONDS = 5.0
ACTIVE = "active"

log = structlog.stdlib.get_logger(__name__)


class ProcessLease:
    """A row that one process holds for ``ttl_seconds`` and renews.

    Times in the row are the database's, so that the clocks of machines need not agree; ``clock`` (seconds since the
    epoch) takes its place where given. ``held`` asks no database: it turns False by this process's own monotonic clock,
    before the row lets another process in.
    """

    def __init__(
        self,
        database: Database,
        process_id: str,
        *,
        ttl_seconds: float = TTL_SECONDS,
        renew_seconds: float = RENEW_SECONDS,
        name: str = ACTIVE,
        clock: Callable[[], float] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        if not 0 < renew_seconds < ttl_seconds:
            raise ValueError("A lease must be renewed before it runs out.")
        self.process_id = process_id
        self._database = database
        self._ttl_seconds = ttl_seconds
        self._renew_seconds = renew_seconds
        self._name = name
        self._clock = clock
        self._monotonic = monotonic
        self._held_until = float("-inf")
        self._changed: list[Callable[[bool], None]] = []

    @property
    def held(self) -> bool:
        return self._monotonic() < self._held_until

    def subscribe(self, callback: Callable[[bool], None]) -> None:
        """Calls back with ``held`` when ``run`` sees that it has changed."""
        self._changed.append(callback)

    async def acquire(self) -> bool:
        """Takes or renews the lease; False when another process holds it. Raises DatabaseUnavailable."""
        # What counts is when it was asked for: the answer may take its time.
        asked_at = self._monotonic()
        async with self._database.unit_of_work() as session:
            won = await self._take(session)
        self._held_until = asked_at + self._ttl_seconds if won else float("-inf")
        return won

    async def run(self) -> None:
        """Acquires and renews until cancelled, then releases."""
        was_held = self.held
        try:
            while True:
                try:
                    await self.acquire()
                except DatabaseUnavailable as error:
                    log.warning("lease_not_renewed", reason=str(error), held=self.held)
                if self.held is not was_held:
                    was_held = not was_held
                    self._tell(was_held)
                await asyncio.sleep(self._pause_seconds())
        finally:
            await self.release()
            if was_held:
                self._tell(False)

    async def release(self) -> None:
        """Gives the lease up, so that another process need not wait for its end. Never raises DatabaseUnavailable."""
        self._held_until = float("-inf")
        table = tables.ProcessLease
        try:
            async with self._database.unit_of_work() as session:
                mine = (col(table.name) == self._name, col(table.holder) == self.process_id)
                await session.execute(delete(table).where(*mine))
        except DatabaseUnavailable as error:
            log.warning("lease_not_released", reason=str(error))

    def _pause_seconds(self) -> float:
        left = self._held_until - self._monotonic()
        # The end of a lease that could not be renewed must not be overslept.
        return min(self._renew_seconds, left) if left > 0 else self._renew_seconds

    def _tell(self, held: bool) -> None:
        log.info("lease_changed", held=held)
        for callback in self._changed:
            callback(held)

    async def _take(self, session: Session) -> bool:
        table = tables.ProcessLease
        now = self._now(session)
        statement = insert_into(session, table).values(
            name=self._name, holder=self.process_id, expires_at=now + self._ttl_seconds
        )
        free = or_(col(table.holder) == self.process_id, col(table.expires_at) <= now)
        taken = statement.on_conflict_do_update(
            index_elements=["name"],
            set_={"holder": self.process_id, "expires_at": now + self._ttl_seconds},
            where=free,
        ).returning(col(table.holder))
        return await session.scalar(taken) is not None

    def _now(self, session: Session) -> ColumnElement[float]:
        if self._clock is not None:
            return bindparam("now", self._clock(), type_=Double)
        if is_postgresql(session):
            return sql_cast(func.extract("epoch", func.clock_timestamp()), Double)
        # SQLite before 3.42 gives fractions of seconds as days alone; day 2440587.5 is 1970-01-01.
        return (func.julianday("now", type_=Double) - 2440587.5) * 86_400.0
