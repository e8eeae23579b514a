"""Ends what a client has open when its access ends, and tells sessions when their list of tools has changed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Protocol

import structlog

from mcp_server.listing import Names, ToolListing, explicit_role
from mcp_server.selection import Selection
from operations.callers import Callers
from policy.model import Face
from storage.facts import PlatformFacts
from storage.snapshot import Client, Snapshot

_LOOK_AGAIN_SECONDS = 5.0
"""At the latest: clocks get set, and a session may open at the very moment when its client's access ends."""
_LIST_CHANGED = "notifications/tools/list_changed"

log = structlog.stdlib.get_logger(__name__)


class OpenSession(Protocol):
    @property
    def principal(self) -> str: ...

    @property
    def selection(self) -> Selection | None: ...

    async def notify(self, method: str, params: None) -> None: ...


class Transport(Protocol):
    """What is asked of the HTTP transports."""

    @property
    def sessions(self) -> Iterable[OpenSession]: ...

    async def end_principal(self, principal: str) -> int: ...


class Revocations:
    """Hears of every change of the platform's facts, and of expiries when they are due.

    Calls need no such care: each is decided by the facts of its own moment. This is for streams and sessions, which
    would go on without a call.
    """

    def __init__(
        self,
        facts: PlatformFacts,
        callers: Callers,
        listing: ToolListing,
        transport: Transport,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``clock``: seconds since the epoch."""
        self._facts = facts
        self._callers = callers
        self._listing = listing
        self._transport = transport
        self._clock = clock
        self._changed = asyncio.Event()
        self._seen = facts.snapshot
        self._seen_alive = _alive(self._seen, clock())
        facts.subscribe(self._changed.set)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._changed.clear()
            try:
                await self.look()
            except Exception:
                # Without this loop a revoked client would keep its streams: it lives on.
                log.exception("revocations_not_applied")
            try:
                async with asyncio.timeout(self._pause_seconds()):
                    await self._changed.wait()
            except TimeoutError:
                pass

    async def look(self) -> None:
        """Applies what has changed since the last time."""
        before, before_alive = self._seen, self._seen_alive
        now = self._facts.snapshot
        alive = _alive(now, self._clock())
        in_sessions = frozenset(session.principal for session in self._transport.sessions)
        gone = ((before_alive | in_sessions) - alive) | (_lost_membership(before, now) & before_alive)
        ended = await asyncio.gather(*(self._transport.end_principal(client_id) for client_id in gone))
        if now is not before:
            await self._tell_of_tools(before, now)
        # Only now: what raised is tried again.
        self._seen, self._seen_alive = now, alive
        if any(ended):
            log.info("clients_ended", clients=sum(1 for count in ended if count), open_things=sum(ended))

    def _pause_seconds(self) -> float:
        now = self._clock()
        clients = self._facts.snapshot.clients
        due = [
            expires_at
            for client_id in self._seen_alive
            if (client := clients.get(client_id)) is not None and (expires_at := client.expires_at) is not None
        ]
        # A little late, so that what is due has come to pass by this very clock.
        return min(max(min(due, default=float("inf")) - now + 0.01, 0.0), _LOOK_AGAIN_SECONDS)

    async def _tell_of_tools(self, before: Snapshot, now: Snapshot) -> None:
        changed: dict[tuple[str, Selection | None], bool] = {}
        for session in self._transport.sessions:
            listed = (session.principal, session.selection)
            if listed not in changed:
                old, new = self._names(before, *listed), self._names(now, *listed)
                changed[listed] = new is not None and old != new
            if changed[listed]:
                await session.notify(_LIST_CHANGED, None)

    def _names(self, snapshot: Snapshot, client_id: str, selection: Selection | None) -> tuple[Names, bool] | None:
        client = snapshot.clients.get(client_id)
        if client is None:
            return None
        caller = self._callers.of_client(client, Face.MCP)
        if selection is not None:
            caller = selection.narrow(caller)
        return self._listing.names(caller, explicit_role(snapshot, caller), selection), caller.direct_writes


def _alive(snapshot: Snapshot, now: float) -> frozenset[str]:
    return frozenset(client.id for client in snapshot.clients.values() if client.active(now))


def _lost_membership(before: Snapshot, now: Snapshot) -> frozenset[str]:
    """The clients of people that are no explicit members any more."""
    lost = before.memberships.keys() - now.memberships.keys()
    return frozenset(client.id for client in now.clients.values() if _membership(client) in lost)


def _membership(client: Client) -> tuple[str, int]:
    return (client.workspace_id, client.user_id or 0)
