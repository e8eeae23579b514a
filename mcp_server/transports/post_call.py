"""A call answered in its own POST: plain JSON, or an event stream once something has to be sent ahead of the reply."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Mapping
from typing import Any

from aiohttp import web
from mcp.types import RequestId

from mcp_server.transports.call import Call
from mcp_server.transports.ending import Ending
from mcp_server.transports.limits import TransportLimits
from mcp_server.transports.replies import JSON_HEADERS, PING, SESSION_HEADER, STREAM_HEADERS, Reply, frame
from mcp_server.transports.session import Session


class PostCall(Call):
    """Streamable HTTP of both eras.

    On 2026-07-28 closing the connection cancels the call. In the handshake era it does not: only
    `notifications/cancelled` does, and the client may have lost its connection by accident.
    """

    def __init__(
        self,
        request: web.Request,
        request_id: RequestId | None,
        params: Mapping[str, Any] | None,
        session: Session | None,
        *,
        streams: bool,
        limits: TransportLimits,
    ) -> None:
        """`streams` tells whether the client accepts an event stream."""
        super().__init__(request, request_id, params, session)
        self._streams = streams
        self._limits = limits
        self._response: web.StreamResponse | None = None
        self._broken = False
        self._wrote_at = asyncio.get_running_loop().time()
        self._ping: asyncio.Task[bool] | None = None

    @functools.cached_property
    def _lock(self) -> asyncio.Lock:
        # Made when something is sent ahead of the reply, which few calls do.
        return asyncio.Lock()

    @property
    def reaches_client(self) -> bool:
        return self._streams and not self._broken and self.connected

    async def emit(self, data: bytes) -> bool:
        if not self.reaches_client:
            return False
        async with self._lock:
            return await self._write(data)

    def poll(self, now: float) -> None:
        if not self.connected:
            self._broken = True
            if self.session is None:
                self.end(Ending.CLIENT_GONE)
        elif (
            self.reaches_client
            and now - self._wrote_at >= self._limits.ping_seconds
            and (self._ping is None or self._ping.done())
        ):
            self._ping = asyncio.create_task(self._ping_once())

    async def respond(self, reply: Reply, status: int) -> web.StreamResponse:
        """Send the reply; `status` holds only while no stream was begun."""
        if self._ping is not None and not self._ping.done():
            await asyncio.wait({self._ping})
        if self._response is None:
            return web.Response(body=reply.body, status=status, headers={**JSON_HEADERS, **self._session_header()})
        if self.ending is not Ending.CLIENT_GONE:
            await self._write(frame(reply.body))
        return self._response

    async def _ping_once(self) -> bool:
        async with self._lock:
            # The handler may have finished while this waited for its turn.
            return not self._done and await self._write(PING)

    async def _write(self, data: bytes) -> bool:
        """Write, opening the stream first; a reader that doesn't take it in time is cut off."""
        if self._broken:
            return False
        self._wrote_at = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(self._limits.write_seconds):
                if self._response is None:
                    response = web.StreamResponse(headers={**STREAM_HEADERS, **self._session_header()})
                    await response.prepare(self.request)
                    self._response = response
                await self._response.write(data)
        except ConnectionResetError:
            self._broken = True
        except TimeoutError:
            self._broken = True
            self.cut()
        return not self._broken

    def _session_header(self) -> dict[str, str]:
        return {} if self.session is None else {SESSION_HEADER: self.session.id}
