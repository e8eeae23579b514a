"""All open sessions, by id and by owner."""

from __future__ import annotations

import time
from collections.abc import Iterator

from mcp.types import INVALID_REQUEST, RequestId

from mcp_server.transports.ending import Ending
from mcp_server.transports.kernel import aclose_shielded
from mcp_server.transports.limits import TransportLimits
from mcp_server.transports.replies import RefusalError
from mcp_server.transports.session import Session, SessionKind


class SessionTable:
    """Sessions of the handshake era. Iterate over it for a broadcast; `of` for one principal."""

    def __init__(self, limits: TransportLimits) -> None:
        self._limits = limits
        self._by_id: dict[str, Session] = {}
        self._by_principal: dict[str, dict[str, Session]] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Session]:
        return iter(list(self._by_id.values()))

    def of(self, principal: str) -> tuple[Session, ...]:
        return tuple(self._by_principal.get(principal, {}).values())

    async def make_room(self, principal: str, request_id: RequestId | None = None) -> None:
        """Let `principal` open one more session, at the cost of its own longest unused one when it is at its cap.

        Raises:
            RefusalError: 429 at the principal's cap, 503 at the cap of all.
        """
        owned = self._by_principal.get(principal, {})
        if len(owned) >= self._limits.sessions_per_principal:
            now = time.monotonic()
            spare = max(owned.values(), key=lambda session: session.idle_seconds(now))
            if spare.idle_seconds(now) >= self._limits.session_spare_seconds:
                await self.end(spare, Ending.SESSION_OVER)
        if len(self._by_principal.get(principal, ())) >= self._limits.sessions_per_principal:
            raise RefusalError(
                429,
                INVALID_REQUEST,
                f"Too many open sessions: the limit for one client is {self._limits.sessions_per_principal}. End one "
                f"with DELETE and its Mcp-Session-Id, or wait: one that was unused for "
                f"{self._limits.session_spare_seconds:g} seconds makes room.",
                request_id=request_id,
                headers={"Retry-After": "60"},
            )
        if len(self._by_id) >= self._limits.sessions:
            raise RefusalError(
                503,
                INVALID_REQUEST,
                f"The server holds its limit of {self._limits.sessions} sessions. End one of yours with DELETE and its "
                "Mcp-Session-Id, or try again later.",
                request_id=request_id,
                headers={"Retry-After": "60"},
            )

    def add(self, session: Session) -> None:
        self._by_id[session.id] = session
        self._by_principal.setdefault(session.principal, {})[session.id] = session

    def find(self, session_id: str, principal: str, kind: SessionKind) -> Session:
        """Give the session.

        Raises:
            RefusalError: 404, the same for an unknown id, another principal's and another transport's.
        """
        session = self._by_id.get(session_id)
        if session is None or session.principal != principal or session.kind != kind:
            raise RefusalError(
                404,
                INVALID_REQUEST,
                "Session not found: it has ended or never was. Initialize a new one without a session id.",
            )
        return session

    async def end(self, session: Session, ending: Ending) -> None:
        """Forget the session, close it, and release what handlers hung on its connection."""
        if self._by_id.pop(session.id, None) is None:
            return
        owned = self._by_principal[session.principal]
        del owned[session.id]
        if not owned:
            del self._by_principal[session.principal]
        session.close(ending)
        await aclose_shielded(session.connection)

    def idle(self, now: float) -> list[Session]:
        """Sessions that no client was connected to for too long; `now` is `time.monotonic()`."""
        return [s for s in self._by_id.values() if s.idle_seconds(now) > self._limits.session_idle_seconds]
