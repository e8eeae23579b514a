"""One JSON-RPC request being answered: the SDK's dispatch context, and what can end it early."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Coroutine, Mapping
from typing import Any

import anyio
import orjson
from aiohttp import web
from mcp.types import INTERNAL_ERROR, RequestId

from mcp_server.transports.ending import Ending
from mcp_server.transports.kernel import (
    CallOptions,
    NoBackChannelError,
    ServerMessageMetadata,
    TransportContext,
    progress_token_from_params,
)
from mcp_server.transports.replies import Reply, encode_error, encode_exception, encode_message, frame
from mcp_server.transports.session import Session

logger = logging.getLogger(__name__)


class Call(ABC):
    """Structurally the SDK's `DispatchContext`: what a handler reaches its client through while it works.

    `session` is None on 2026-07-28, where the server can't ask the client anything.
    """

    def __init__(
        self,
        request: web.Request,
        request_id: RequestId | None,
        params: Mapping[str, Any] | None,
        session: Session | None,
    ) -> None:
        self.request = request
        self.request_id = request_id
        self.session = session
        self.message_metadata = ServerMessageMetadata(request_context=request)
        self._ending: Ending | None = None
        self._progress_token = progress_token_from_params(params)
        self._task: asyncio.Task[Any] | None = None
        self._done = False
        self._cancel_requested: anyio.Event | None = None

    @property
    @abstractmethod
    def reaches_client(self) -> bool:
        """Whether a message sent now could arrive before the reply."""

    @property
    def connected(self) -> bool:
        """Whether the client that made this call is still on the line."""
        transport = self.request.transport
        return transport is not None and not transport.is_closing()

    @abstractmethod
    async def emit(self, data: bytes) -> bool:
        """Send one frame ahead of the reply; False when it can't arrive."""

    @property
    def transport(self) -> TransportContext:
        return TransportContext(
            kind="streamable-http", can_send_request=self.can_send_request, headers=self.request.headers
        )

    @property
    def cancel_requested(self) -> anyio.Event:
        # Made on demand: few handlers ask for it.
        if self._cancel_requested is None:
            self._cancel_requested = anyio.Event()
            if self._ending is not None:
                self._cancel_requested.set()
        return self._cancel_requested

    @property
    def can_send_request(self) -> bool:
        return self.session is not None and not self._done and self.reaches_client

    async def notify(self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None) -> None:
        """Send a notification that belongs to this call; dropped when it can't arrive. Never raises."""
        if self._done or not self.reaches_client:
            return
        try:
            await self.emit(frame(encode_message(method, params)))
        except orjson.JSONEncodeError:
            logger.exception("a notification can't be written as JSON: %s", method)

    async def send_raw_request(
        self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None
    ) -> dict[str, Any]:
        """Ask the client and wait for its answer.

        Raises:
            NoBackChannelError: the era or the client's Accept header leaves no way to ask.
            MCPError: see `Session.ask`.
        """
        if self.session is None or not self.can_send_request:
            raise NoBackChannelError(method)
        return await self.session.ask(self.emit, method, params, opts)

    async def progress(self, progress: float, total: float | None = None, message: str | None = None) -> None:
        """Report progress when the client asked for it."""
        if self._progress_token is None:
            return
        params: dict[str, Any] = {"progressToken": self._progress_token, "progress": progress}
        if total is not None:
            params["total"] = total
        if message is not None:
            params["message"] = message
        await self.notify("notifications/progress", params)

    @abstractmethod
    def poll(self, now: float) -> None:
        """See `Held.poll`."""

    def cut(self) -> None:
        """Drop the connection of this call without a word."""
        if self.request.transport is not None:
            self.request.transport.abort()

    def end(self, ending: Ending) -> None:
        """Cancel the handler; the first ending wins. What must not be torn in half is shielded further up.

        A handler that ends its own call, by withdrawing its own client's access, still gets to answer.
        """
        if self._done or self._ending is not None or (self._task is not None and self._task is asyncio.current_task()):
            return
        self._ending = ending
        if self._cancel_requested is not None:
            self._cancel_requested.set()
        if self._task is not None:
            self._task.cancel()

    async def perform(self, request_id: RequestId, work: Coroutine[Any, Any, Reply]) -> Reply:
        """Run `work` in the current task until it is done or the call is ended, and give the reply to send.

        A task of its own for each call would cost more than most calls do; so the current one is cancelled and, when
        the cancellation was ours, goes on.

        Raises:
            asyncio.CancelledError: somebody else cancelled the current task.
        """
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a call is performed inside of a task")
        if (ending := self.ending) is not None:
            work.close()
            self._done = True
            return encode_error(request_id, ending.code, ending.message)
        self._task = task
        try:
            reply = await work
        except asyncio.CancelledError:
            if self.ending is None:
                if task.cancelling():
                    raise
                # A handler let some other task's cancellation escape; its caller still gets an answer.
                logger.exception("a request handler was cancelled from within")
            reply = encode_error(request_id, INTERNAL_ERROR, "Internal server error")
        except Exception as raised:  # noqa: BLE001 - the boundary between handlers and the wire; it logs what is a fault
            reply = encode_exception(request_id, raised)
        finally:
            self._task = None
            self._done = True
        if (ending := self.ending) is not None:
            # The task itself lives on to send this, also where the handler swallowed the cancellation.
            task.uncancel()
            return encode_error(request_id, ending.code, ending.message)
        return reply

    @property
    def ending(self) -> Ending | None:
        """Why the call was ended early, if it was."""
        return self._ending
