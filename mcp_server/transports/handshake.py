"""Streamable HTTP of the handshake era, 2024-11-05 to 2025-11-25: `initialize`, `Mcp-Session-Id`, the GET stream."""

from __future__ import annotations

import time

from aiohttp import web
from mcp.types import INVALID_REQUEST

from mcp_server.transports.accept import Accepted
from mcp_server.transports.call import Call
from mcp_server.transports.ending import Ending
from mcp_server.transports.host import Host
from mcp_server.transports.kernel import cancelled_request_id_from_params, coerce_request_id
from mcp_server.transports.message import Message
from mcp_server.transports.post_call import PostCall
from mcp_server.transports.replies import SESSION_HEADER, RefusalError
from mcp_server.transports.session import SESSION, Session
from mcp_server.transports.stream import EventStream


class HandshakeEra:
    """Answers what comes without the header of 2026-07-28."""

    def __init__(self, host: Host) -> None:
        self._host = host

    async def post(self, request: web.Request, message: Message, accepted: Accepted) -> web.StreamResponse:
        """Take one message.

        Raises:
            RefusalError: no or unknown session, duplicate id, a cap.
        """
        principal = self._host.principal(request)
        if message.method == "initialize" and message.is_request:
            return await self._initialize(request, message, accepted, principal)
        session = self._find(request, principal)
        if message.method is None:
            session.settle(message)
            return web.Response(status=202)
        if message.request_id is None:
            await take_notification(
                session,
                message,
                PostCall(request, None, message.params, session, streams=False, limits=self._host.limits),
            )
            return web.Response(status=202)
        return await self._answer(request, message, session, accepted)

    async def get(self, request: web.Request) -> web.StreamResponse:
        """Open the standalone stream. The newest wins: the one before it may be a connection that died unnoticed."""
        principal = self._host.principal(request)
        session = self._find(request, principal)
        stream = EventStream(self._host.limits)
        unsent: tuple[bytes, ...] = ()
        if session.stream is not None:
            unsent = session.stream.take_unsent()
            self._host.streams.leave(principal, session.stream)
        self._host.streams.enter(principal, stream)
        session.stream = stream
        try:
            return await stream.serve(request, {SESSION_HEADER: session.id}, unsent)
        finally:
            self._host.streams.leave(principal, stream)
            if session.stream is stream:
                session.stream = None

    async def delete(self, request: web.Request) -> web.Response:
        """End the session."""
        session = self._find(request, self._host.principal(request))
        await self._host.sessions.end(session, Ending.SESSION_OVER)
        return web.Response(status=200)

    def _find(self, request: web.Request, principal: str) -> Session:
        session_id = request.headers.get(SESSION_HEADER)
        if session_id is None:
            raise RefusalError(
                400,
                INVALID_REQUEST,
                f"Missing session id: send initialize first, then its {SESSION_HEADER} header with each call.",
            )
        session = self._host.sessions.find(session_id, principal, "streamable")
        session.used_at = time.monotonic()
        request[SESSION] = session
        return session

    async def _initialize(
        self, request: web.Request, message: Message, accepted: Accepted, principal: str
    ) -> web.StreamResponse:
        if SESSION_HEADER in request.headers:
            self._find(request, principal)
            raise RefusalError(
                400,
                INVALID_REQUEST,
                f"This session is initialized: send initialize without {SESSION_HEADER} for a new one.",
                request_id=message.request_id,
            )
        await self._host.sessions.make_room(principal, message.request_id)
        session = self._host.open_session(request, principal, "streamable")
        try:
            return await self._answer(request, message, session, accepted)
        finally:
            if not session.initialized:
                await self._host.sessions.end(session, Ending.SESSION_OVER)

    async def _answer(
        self, request: web.Request, message: Message, session: Session, accepted: Accepted
    ) -> web.StreamResponse:
        request_id = message.request_id
        if request_id is None:
            raise ValueError("only a request is answered")
        key = coerce_request_id(request_id)
        refuse_duplicate(session, message)
        ready = self._host.answer_at_once(request, session.principal, message, session) if session.initialized else None
        if ready is not None:
            return ready
        call = PostCall(request, request_id, message.params, session, streams=accepted.stream, limits=self._host.limits)
        self._host.calls.enter(session.principal, call, request_id)
        session.calls[key] = call
        try:
            reply = await call.perform(
                request_id, self._host.work(session.runner.on_request, call, message, modern=False)
            )
        finally:
            del session.calls[key]
            self._host.calls.leave(session.principal, call)
            session.used_at = time.monotonic()
        return await call.respond(reply, 200 if call.ending is None else call.ending.status)


def refuse_duplicate(session: Session, message: Message) -> None:
    """Refuse a request whose id is still being answered: replies and cancellations could not be told apart.

    Raises:
        RefusalError: 409.
    """
    if message.request_id is not None and coerce_request_id(message.request_id) in session.calls:
        raise RefusalError(
            409,
            INVALID_REQUEST,
            f"Request id {message.request_id!r} is still in flight in this session: give each request its own id.",
            request_id=message.request_id,
        )


async def take_notification(session: Session, message: Message, call: Call) -> None:
    """Apply cancellation and progress, then hand the notification to the server's handlers."""
    if message.method is None:
        raise ValueError("a notification has a method")
    if message.method == "notifications/cancelled":
        cancelled_id = cancelled_request_id_from_params(message.params)
        if cancelled_id is not None and (cancelled := session.calls.get(coerce_request_id(cancelled_id))) is not None:
            cancelled.end(Ending.CANCELLED)
    elif message.method == "notifications/progress":
        await session.progress(message.params)
    await session.runner.on_notify(call, message.method, message.params)
