"""A server-sent event stream that stays open: the standalone GET stream, and the legacy SSE connection."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping

from aiohttp import web

from mcp_server.transports.ending import Ending
from mcp_server.transports.limits import TransportLimits
from mcp_server.transports.replies import OPENED, PING, STREAM_HEADERS


class EventStream:
    """Frames queue here and one task, the request's own, writes them.

    Senders never wait: a reader that lets more than `stream_messages` or `stream_bytes` pile up is cut off, so memory
    stays bounded. What it missed is gone; clients fetch anew after they reconnect.
    """

    def __init__(self, limits: TransportLimits) -> None:
        self._limits = limits
        self._frames: deque[bytes] = deque()
        self._bytes = 0
        self._wake = asyncio.Event()
        self._request: web.Request | None = None
        self.closed = False

    @property
    def waiting_bytes(self) -> int:
        """How much has yet to be written."""
        return self._bytes

    def send(self, frame: bytes) -> bool:
        """Queue a frame; False when the stream is closed, or was cut off by this very frame."""
        if self.closed:
            return False
        over = len(self._frames) >= self._limits.stream_messages or (
            self._bytes > 0 and self._bytes + len(frame) > self._limits.stream_bytes
        )
        if over:
            self.cut()
            return False
        self._frames.append(frame)
        self._bytes += len(frame)
        self._wake.set()
        return True

    def take_unsent(self) -> tuple[bytes, ...]:
        """Close the stream and give what it had not written yet, for the stream that replaces it."""
        unsent = tuple(self._frames)
        self._frames.clear()
        self._bytes = 0
        self.end(Ending.CLIENT_GONE)
        return unsent

    def end(self, ending: Ending) -> None:
        """Close after what is queued was written, or at once when the reader is stuck."""
        self.closed = True
        self._wake.set()

    def poll(self, now: float) -> None:
        """Close when the client has gone."""
        if self._request is not None and (self._request.transport is None or self._request.transport.is_closing()):
            self.cut()

    async def serve(
        self, request: web.Request, headers: Mapping[str, str], first: Iterable[bytes] = ()
    ) -> web.StreamResponse:
        """Answer `request` with this stream, `first` ahead of all frames, until it is closed or the reader left."""
        self._request = request
        response = web.StreamResponse(headers={**STREAM_HEADERS, **headers})
        try:
            await response.prepare(request)
            await self._write(response, OPENED + b"".join(first))
            while True:
                while self._frames:
                    frame = self._frames.popleft()
                    self._bytes -= len(frame)
                    await self._write(response, frame)
                if self.closed:
                    break
                self._wake.clear()
                try:
                    async with asyncio.timeout(self._limits.ping_seconds):
                        await self._wake.wait()
                except TimeoutError:
                    await self._write(response, PING)
        except (ConnectionResetError, TimeoutError):
            self.cut()
        finally:
            self.closed = True
        return response

    async def _write(self, response: web.StreamResponse, data: bytes) -> None:
        async with asyncio.timeout(self._limits.write_seconds):
            await response.write(data)

    def cut(self) -> None:
        """Close and drop the connection, with all that waits."""
        self.closed = True
        self._frames.clear()
        self._bytes = 0
        self._wake.set()
        if self._request is not None and self._request.transport is not None:
            self._request.transport.abort()
