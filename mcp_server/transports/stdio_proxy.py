"""A stdio server that forwards to a running instance, so that one process holds the gateway and all clients see it."""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, cast

import aiohttp
from mcp.server.stdio import stdio_server
from mcp.types import (
    CONNECTION_CLOSED,
    INVALID_REQUEST,
    PARSE_ERROR,
    PROTOCOL_VERSION_META_KEY,
    ErrorData,
    JSONRPCError,
    JSONRPCMessage,
    JSONRPCNotification,
    JSONRPCRequest,
    JSONRPCResponse,
    RequestId,
    jsonrpc_message_adapter,
)
from pydantic import ValidationError

from mcp_server.transports.event_source import event_data
from mcp_server.transports.kernel import (
    NAME_BEARING_METHODS,
    ReadStream,
    SessionMessage,
    WriteStream,
    cancelled_request_id_from_params,
    coerce_request_id,
    encode_header_value,
)
from mcp_server.transports.proxy_failures import unanswered, unreachable
from mcp_server.transports.replies import SESSION_HEADER, VERSION_HEADER

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 10.0
READ_SECONDS = 60.0
"""An instance sends a comment line every 15 seconds; after four missed ones the connection is taken for dead."""
DRAIN_SECONDS = 1.0
"""How long calls may still finish after standard input ended. Clients kill a process that stays for 2 seconds."""
GOODBYE_SECONDS = 0.5
RECONNECT_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0)

_ACCEPT = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}


async def proxy_stdio(url: str, token: str) -> None:
    """Forward standard input and output to the MCP endpoint at `url`, as the holder of `token`, until input ends.

    Both protocol eras; progress, cancellation, and requests from server to client in both directions. When the instance
    can't be reached or refuses the token, each call is answered with an error that says so; the process stays, so that
    it works again as soon as the instance does.
    """
    async with stdio_server() as (incoming, outgoing):
        await proxy_streams(incoming, outgoing, url, token)


async def proxy_streams(
    incoming: ReadStream[SessionMessage | Exception], outgoing: WriteStream[SessionMessage], url: str, token: str
) -> None:
    """Forward the messages of `incoming` until it ends, and what comes back to `outgoing`, which is closed then."""
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=READ_SECONDS)
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}, timeout=timeout) as http:
        proxy = StdioProxy(http, url, outgoing)
        try:
            async for item in incoming:
                await proxy.take(item)
        finally:
            await proxy.aclose()
            await outgoing.aclose()


@dataclass
class _Sent:
    """A request of the client's that waits for its answer."""

    task: asyncio.Task[None]
    modern: bool


class StdioProxy:
    """Keeps the handshake-era session's headers, and a task for each message on its way."""

    def __init__(self, http: aiohttp.ClientSession, url: str, outgoing: WriteStream[SessionMessage]) -> None:
        self._http = http
        self._url = url
        self._outgoing = outgoing
        self._session_id: str | None = None
        self._version: str | None = None
        self._initialize: JSONRPCRequest | None = None
        self._reopening = asyncio.Lock()
        self._requests: dict[RequestId, _Sent] = {}
        self._others: set[asyncio.Task[None]] = set()
        self._listener: asyncio.Task[None] | None = None

    async def take(self, item: SessionMessage | Exception) -> None:
        """Forward one message of the client's; does not wait for its answer."""
        if isinstance(item, Exception):
            await self._fail(None, PARSE_ERROR, "Parse error: each line must hold one JSON-RPC 2.0 message")
            return
        message = item.message
        if isinstance(message, JSONRPCRequest):
            key = coerce_request_id(message.id)
            if key in self._requests:
                await self._fail(message.id, INVALID_REQUEST, f"Request id {message.id!r} is still in flight")
                return
            modern = _modern_version(message) is not None
            task = asyncio.create_task(self._request(message))
            self._requests[key] = _Sent(task, modern)
            task.add_done_callback(lambda _: self._requests.pop(key, None))
        elif not self._cancels_modern(message):
            self._spawn(self._deliver(message))

    async def aclose(self) -> None:
        """Let calls finish for a moment, end the session, stop the rest."""
        waiting = {sent.task for sent in self._requests.values()} | self._others
        if waiting:
            await asyncio.wait(waiting, timeout=DRAIN_SECONDS)
        if self._session_id is not None:
            try:
                async with asyncio.timeout(GOODBYE_SECONDS), self._http.delete(self._url, headers=self._headers()):
                    pass
            except (aiohttp.ClientError, TimeoutError) as error:
                logger.info("the session could not be ended: %s", error)
        rest = {sent.task for sent in self._requests.values()} | self._others
        if self._listener is not None:
            rest.add(self._listener)
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    def _cancels_modern(self, message: JSONRPCMessage) -> bool:
        """On 2026-07-28 closing the connection cancels; the notification itself has no place on HTTP."""
        if not isinstance(message, JSONRPCNotification) or message.method != "notifications/cancelled":
            return False
        cancelled_id = cancelled_request_id_from_params(message.params)
        sent = None if cancelled_id is None else self._requests.get(coerce_request_id(cancelled_id))
        if sent is None or not sent.modern:
            return False
        sent.task.cancel()
        return True

    async def _request(self, message: JSONRPCRequest) -> None:
        connected = False
        try:
            for _ in range(2):
                session_id = self._session_id
                async with self._post(message) as response:
                    connected = True
                    if response.status == 404 and self._lost_session(message, session_id):
                        await self._reopen(session_id)
                        continue
                    if not await self._relay(message, response):
                        await self._fail(message.id, CONNECTION_CLOSED, unanswered(self._url, response.status))
                    return
            await self._fail(message.id, CONNECTION_CLOSED, "The session was lost and could not be opened again")
        except (aiohttp.ClientError, TimeoutError, ValidationError) as error:
            await self._fail(message.id, CONNECTION_CLOSED, unreachable(self._url, error, connected=connected))

    async def _deliver(self, message: JSONRPCMessage) -> None:
        """Send a notification or a response; nobody waits for an answer, so a failure is only logged."""
        if self._session_id is None:
            logger.debug("dropped a message outside of a session")
            return
        try:
            async with self._post(message) as response:
                if response.status >= 400:
                    logger.warning("Guildhall refused a message: HTTP %d", response.status)
        except (aiohttp.ClientError, TimeoutError) as error:
            logger.warning("%s", unreachable(self._url, error, connected=False))
        if isinstance(message, JSONRPCNotification) and message.method == "notifications/initialized":
            self._listen()

    def _post(self, message: JSONRPCMessage) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        body = message.model_dump_json(by_alias=True, exclude_unset=True).encode()
        headers = {**_ACCEPT, **self._headers(message)}
        # A redirect could carry the token to another host.
        return self._http.post(self._url, data=io.BytesIO(body), headers=headers, allow_redirects=False)

    def _headers(self, message: JSONRPCMessage | None = None) -> dict[str, str]:
        if isinstance(message, JSONRPCRequest):
            if message.method == "initialize":
                return {}
            version = _modern_version(message)
            if version is not None:
                headers = {VERSION_HEADER: version, "Mcp-Method": message.method}
                name = (message.params or {}).get(NAME_BEARING_METHODS.get(message.method, ""))
                if isinstance(name, str):
                    headers["Mcp-Name"] = encode_header_value(name)
                return headers
        headers = {} if self._session_id is None else {SESSION_HEADER: self._session_id}
        if self._version is not None:
            headers[VERSION_HEADER] = self._version
        return headers

    async def _relay(self, request: JSONRPCRequest, response: aiohttp.ClientResponse) -> bool:
        """Forward what the instance answers to `request`; False when it ended without an answer."""
        if response.content_type == "text/event-stream":
            async for data in event_data(response):
                if await self._relay_one(request, data, response):
                    return True
            return False
        if response.content_type != "application/json" or response.status == 401:
            return False
        return await self._relay_one(request, await response.read(), response)

    async def _relay_one(self, request: JSONRPCRequest, data: bytes, response: aiohttp.ClientResponse) -> bool:
        try:
            message = jsonrpc_message_adapter.validate_json(data, by_name=False)
        except ValidationError:
            if response.status >= 400:
                return False  # a proxy's own error page
            raise
        answers = isinstance(message, JSONRPCResponse | JSONRPCError)
        if answers:
            message.id = request.id  # an error from before the body was read carries null
        if isinstance(message, JSONRPCResponse) and request.method == "initialize":
            self._opened(request, message, response)
        await self._outgoing.send(SessionMessage(message))
        return answers

    def _opened(self, request: JSONRPCRequest, answer: JSONRPCResponse, response: aiohttp.ClientResponse) -> None:
        self._session_id = response.headers.get(SESSION_HEADER)
        self._initialize = request
        version = answer.result.get("protocolVersion")
        self._version = version if isinstance(version, str) else None

    def _lost_session(self, message: JSONRPCRequest, session_id: str | None) -> bool:
        return session_id is not None and self._initialize is not None and _modern_version(message) is None

    async def _reopen(self, lost: str | None) -> None:
        """Initialize again after the instance forgot the session, as in a restart; the client sees nothing of it."""
        async with self._reopening:
            request = self._initialize
            if self._session_id != lost or request is None:
                return
            async with self._post(request) as response:
                if response.status != 200 or response.content_type != "application/json":
                    return
                answer = jsonrpc_message_adapter.validate_json(await response.read(), by_name=False)
                if not isinstance(answer, JSONRPCResponse):
                    return
                self._opened(request, answer, response)
            await self._deliver(JSONRPCNotification(jsonrpc="2.0", method="notifications/initialized"))

    def _listen(self) -> None:
        if self._listener is not None:
            self._listener.cancel()
        self._listener = asyncio.create_task(self._forward_standalone(), name="mcp standalone stream")

    async def _forward_standalone(self) -> None:
        """Forward what the instance sends outside of calls, and reconnect while the session lives."""
        failures = 0
        while True:
            try:
                headers = {**self._headers(), "Accept": "text/event-stream"}
                async with self._http.get(self._url, headers=headers, allow_redirects=False) as response:
                    if response.status in (404, 405):
                        return  # the next call opens the session again, or there is no such stream
                    if response.status == 200:
                        failures = 0
                        async for data in event_data(response):
                            message = jsonrpc_message_adapter.validate_json(data, by_name=False)
                            await self._outgoing.send(SessionMessage(message))
            except (aiohttp.ClientError, TimeoutError, ValidationError) as error:
                logger.info("the event stream broke: %s", error)
            await asyncio.sleep(RECONNECT_SECONDS[min(failures, len(RECONNECT_SECONDS) - 1)])
            failures += 1

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._others.add(task)
        task.add_done_callback(self._others.discard)

    async def _fail(self, request_id: RequestId | None, code: int, why: str) -> None:
        error = JSONRPCError(jsonrpc="2.0", id=request_id, error=ErrorData(code=code, message=why))
        await self._outgoing.send(SessionMessage(error))


def _modern_version(message: JSONRPCRequest) -> str | None:
    """Give the version that a 2026-07-28 request names in its envelope; None in the handshake era."""
    if message.method == "initialize" or message.params is None:
        return None
    meta: object = message.params.get("_meta")
    if not isinstance(meta, dict):
        return None
    version = cast("dict[str, object]", meta).get(PROTOCOL_VERSION_META_KEY)
    return version if isinstance(version, str) else None
