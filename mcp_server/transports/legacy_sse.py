"""The HTTP+SSE transport of 2024-11-05, for clients that never learned Streamable HTTP.

Native rather than the SDK's ASGI application behind a bridge: a legacy connection is one more session of the same table
with its replies on one `EventStream`, so caps, ownership, body checks, cancellation and revocation are the very same
code, and no second event loop machinery has to be kept alive inside aiohttp's.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from aiohttp import web
from mcp.types import INVALID_REQUEST, RequestId

from mcp_server.transports.accept import accepted_by, require_stream
from mcp_server.transports.body import read_json
from mcp_server.transports.call import Call
from mcp_server.transports.ending import Ending
from mcp_server.transports.handshake import refuse_duplicate, take_notification
from mcp_server.transports.host import Host
from mcp_server.transports.kernel import coerce_request_id
from mcp_server.transports.message import Message, as_message
from mcp_server.transports.replies import RefusalError, frame
from mcp_server.transports.session import SESSION, Session
from mcp_server.transports.stream import EventStream
from mcp_server.transports.streamable_http import StreamableHTTP, guarded


class StreamCall(Call):
    """A call whose reply and messages all go to the session's one stream."""

    def __init__(
        self, request: web.Request, request_id: RequestId | None, params: Mapping[str, Any] | None, session: Session
    ) -> None:
        super().__init__(request, request_id, params, session)
        self._stream = session.stream

    @property
    def reaches_client(self) -> bool:
        return self._stream is not None and not self._stream.closed

    @property
    def connected(self) -> bool:
        """The POST that brought the call has long been answered: the stream is the line."""
        return self.reaches_client

    async def emit(self, data: bytes) -> bool:
        return self._stream is not None and self._stream.send(data)

    def poll(self, now: float) -> None:
        if not self.connected:
            self.end(Ending.CLIENT_GONE)

    def cut(self) -> None:
        if self._stream is not None:
            self._stream.cut()


class LegacySSE:
    """Serves the same MCP server as `http`, to the same principals, within the same caps."""

    def __init__(self, http: StreamableHTTP) -> None:
        self._host: Host = http.host
        self._messages_path = ""
        self._tasks: set[asyncio.Task[None]] = set()

    def add_routes(self, app: web.Application, sse_path: str, messages_path: str) -> None:
        """Serve streams at `sse_path` and take messages at `messages_path`; `http` must be added to `app` as well."""
        self._messages_path = messages_path
        app.router.add_get(sse_path, guarded(self._connect), allow_head=False)
        app.router.add_post(messages_path, guarded(self._post))

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        """Open a session that lives as long as this response."""
        host = self._host
        host.policy.check(request)
        require_stream(accepted_by(request))
        principal = host.principal(request)
        await host.sessions.make_room(principal)
        stream = EventStream(host.limits)
        host.streams.enter(principal, stream)
        session = host.open_session(request, principal, "sse")
        session.stream = stream
        try:
            endpoint = f"{self._messages_path}?session_id={session.id}".encode()
            return await stream.serve(request, {}, [frame(endpoint, b"endpoint")])
        finally:
            host.streams.leave(principal, stream)
            await host.sessions.end(session, Ending.CLIENT_GONE)

    async def _post(self, request: web.Request) -> web.StreamResponse:
        host = self._host
        host.policy.check(request)
        if request.content_type != "application/json":
            raise RefusalError(415, INVALID_REQUEST, "Unsupported media type: send Content-Type: application/json.")
        session_id = request.query.get("session_id")
        if session_id is None:
            raise RefusalError(
                400, INVALID_REQUEST, "Missing session_id: open the event stream first, it names where to POST."
            )
        session = host.sessions.find(session_id, host.principal(request), "sse")
        message = as_message(await read_json(request, host.limits))
        session.used_at = time.monotonic()
        request[SESSION] = session
        if message.method is None:
            session.settle(message)
        elif message.request_id is None:
            await take_notification(session, message, StreamCall(request, None, message.params, session))
        else:
            await self._answer(request, message, session, message.request_id)
        return web.Response(status=202, text="Accepted")

    async def _answer(self, request: web.Request, message: Message, session: Session, request_id: RequestId) -> None:
        """Start answering; the reply follows on the stream. `initialize` is waited for: what follows depends on it."""
        refuse_duplicate(session, message)
        call = StreamCall(request, request_id, message.params, session)
        self._host.calls.enter(session.principal, call, request_id)
        session.calls[coerce_request_id(request_id)] = call
        task = asyncio.create_task(self._reply(call, message, session, request_id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if message.method == "initialize":
            await asyncio.wait({task})

    async def _reply(self, call: StreamCall, message: Message, session: Session, request_id: RequestId) -> None:
        try:
            reply = await call.perform(
                request_id, self._host.work(session.runner.on_request, call, message, modern=False)
            )
        finally:
            del session.calls[coerce_request_id(request_id)]
            self._host.calls.leave(session.principal, call)
        if call.ending is not Ending.CANCELLED:  # on a shared stream a cancelled request is owed no answer
            await call.emit(frame(reply.body))
