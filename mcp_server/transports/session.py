"""A handshake-era session: one client's connection over many HTTP requests."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

import orjson
from aiohttp import web
from mcp.types import CONNECTION_CLOSED, REQUEST_TIMEOUT, RequestId

from mcp_server.transports.ending import Ending
from mcp_server.transports.kernel import (
    CallOptions,
    Connection,
    MCPError,
    NoBackChannelError,
    ProgressFnT,
    ServerRunner,
    coerce_request_id,
    progress_token_from_params,
)
from mcp_server.transports.replies import encode_message, frame

if TYPE_CHECKING:
    from mcp.server import Server

    from mcp_server.selection import Selection
    from mcp_server.transports.call import Call
    from mcp_server.transports.message import Message
    from mcp_server.transports.stream import EventStream

logger = logging.getLogger(__name__)

SessionKind: TypeAlias = Literal["streamable", "sse"]
Emit: TypeAlias = Callable[[bytes], Awaitable[bool]]
"""Sends one frame to the client; False when it can't arrive."""


@dataclass(frozen=True, slots=True)
class _Pending:
    """A request of ours that the client has yet to answer."""

    answer: asyncio.Future[dict[str, Any]]
    on_progress: ProgressFnT | None


class Session:
    """One client's session; also the SDK's `Outbound` for messages that belong to no call (the standalone stream).

    Owned by the principal that opened it. It says nothing of who calls: that comes from each call's own request.
    ``selection``: which tools its URL asked to have listed.
    """

    def __init__(
        self,
        server: Server[Any],
        lifespan_state: Any,
        principal: str,
        kind: SessionKind,
        selection: Selection | None = None,
    ) -> None:
        self.id = secrets.token_hex(16)
        self.principal = principal
        self.kind: SessionKind = kind
        self.selection = selection
        self.connection = Connection.for_loop(self, session_id=self.id)
        self.runner: ServerRunner[Any] = ServerRunner(server, self.connection, lifespan_state)
        self.stream: EventStream | None = None
        self.calls: dict[RequestId, Call] = {}
        self.closed = False
        self.used_at = time.monotonic()
        self._asked = 0
        self._pending: dict[RequestId, _Pending] = {}
        self._closers: list[Callable[[], None]] = []

    @property
    def initialized(self) -> bool:
        return self.connection.initialize_accepted

    def idle_seconds(self, now: float) -> float:
        """How long no client was connected; 0 while a stream is open or a call's client waits."""
        connected = (self.stream is not None and not self.stream.closed) or any(
            call.connected for call in self.calls.values()
        )
        if connected:
            self.used_at = now
        return now - self.used_at

    def on_close(self, callback: Callable[[], None]) -> None:
        """Call `callback` once when the session ends; at once when it has. It must not block."""
        if self.closed:
            callback()
        else:
            self._closers.append(callback)

    async def notify(self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None) -> None:
        """Send a notification on the standalone stream; dropped when none is open. Never raises or waits."""
        try:
            await self._emit(frame(encode_message(method, params)))
        except orjson.JSONEncodeError:
            logger.exception("a notification can't be written as JSON: %s", method)

    async def send_raw_request(
        self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None
    ) -> dict[str, Any]:
        """Ask the client on the standalone stream.

        Raises:
            NoBackChannelError: the client has no stream open.
            MCPError: see `ask`.
        """
        if self.stream is None or self.stream.closed:
            raise NoBackChannelError(method)
        return await self.ask(self._emit, method, params, opts)

    async def ask(
        self, emit: Emit, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None
    ) -> dict[str, Any]:
        """Send a request through `emit` and wait for the client's answer, which arrives as a POST of its own.

        Raises:
            MCPError: the client answered with an error, the time in `opts` ran out, or the connection closed.
        """
        options: CallOptions = opts or {}
        self._asked += 1
        request_id = self._asked
        sent = dict(params or {})
        on_progress = options.get("on_progress")
        if on_progress is not None:
            sent["_meta"] = {**(sent.get("_meta") or {}), "progressToken": request_id}
        pending = _Pending(asyncio.get_running_loop().create_future(), on_progress)
        self._pending[request_id] = pending
        try:
            if self.closed or not await emit(frame(encode_message(method, sent, request_id))):
                raise MCPError(CONNECTION_CLOSED, "The client closed the stream this request was for")
            async with asyncio.timeout(options.get("timeout")):
                return await pending.answer
        except TimeoutError:
            await self._withdraw(emit, request_id, "timed out")
            raise MCPError(REQUEST_TIMEOUT, f"The client did not answer {method!r} in time") from None
        except asyncio.CancelledError:
            await asyncio.shield(self._withdraw(emit, request_id, "no longer needed"))
            raise
        finally:
            del self._pending[request_id]
            if not pending.answer.cancel() and not pending.answer.cancelled():
                pending.answer.exception()  # marks it as seen; asyncio logs what nobody has looked at

    def settle(self, message: Message) -> None:
        """Take the client's answer to a request of ours; late and unknown ones are dropped."""
        pending = None if message.request_id is None else self._pending.get(coerce_request_id(message.request_id))
        if pending is None or pending.answer.done():
            return
        error = message.raw.get("error")
        if error is None:
            pending.answer.set_result(message.raw["result"])
        else:
            code, text = error.get("code"), error.get("message")
            pending.answer.set_exception(
                MCPError(code if isinstance(code, int) else CONNECTION_CLOSED, str(text), error.get("data"))
            )

    async def progress(self, params: Mapping[str, Any] | None) -> None:
        """Hand the client's progress on a request of ours to whoever asked for it."""
        token = progress_token_from_params({"_meta": dict(params or {})})
        pending = self._pending.get(coerce_request_id(token)) if token is not None else None
        done, total, text = (params or {}).get("progress"), (params or {}).get("total"), (params or {}).get("message")
        if pending is None or pending.on_progress is None or not isinstance(done, int | float):
            return
        await pending.on_progress(
            float(done),
            float(total) if isinstance(total, int | float) else None,
            text if isinstance(text, str) else None,
        )

    def close(self, ending: Ending) -> None:
        """End the stream, the calls and what we asked the client; further messages go nowhere."""
        if self.closed:
            return
        self.closed = True
        for pending in self._pending.values():
            if not pending.answer.done():
                pending.answer.set_exception(MCPError(CONNECTION_CLOSED, "The session has ended"))
        for call in list(self.calls.values()):
            call.end(ending)
        if self.stream is not None:
            self.stream.end(ending)
        for callback in self._closers:
            try:
                callback()
            except Exception:
                # One subscriber's fault must not keep the others' resources.
                logger.exception("a callback for the end of a session failed")
        self._closers.clear()

    async def _emit(self, data: bytes) -> bool:
        return self.stream is not None and self.stream.send(data)

    async def _withdraw(self, emit: Emit, request_id: int, reason: str) -> None:
        await emit(frame(encode_message("notifications/cancelled", {"requestId": request_id, "reason": reason})))


SESSION: web.RequestKey[Session] = web.RequestKey("SESSION", Session)
"""Where a request keeps the session that it was found to belong to."""


def session_of(request: web.Request | None) -> Session | None:
    """The handshake-era session that a handler's `ctx.request` belongs to; None on 2026-07-28 and stdio."""
    return None if request is None else request.get(SESSION)


# Typed for readers alone: the transports know nothing of what a selection is.
SELECTION = cast("web.RequestKey[Selection]", web.RequestKey("SELECTION", object))
"""Where a request keeps what its URL selected; on a session's first one, it is what the session lists."""
