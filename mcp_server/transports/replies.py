"""What goes back over the wire: JSON-RPC bodies, event-stream frames, refusals."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web
from mcp.types import INTERNAL_ERROR, RequestId

from mcp_server.transports.kernel import modern_error_data

logger = logging.getLogger(__name__)

JSON_HEADERS: Mapping[str, str] = {"Content-Type": "application/json"}
STREAM_HEADERS: Mapping[str, str] = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-cache, no-transform",
    "X-Accel-Buffering": "no",
}
PING = b": ping\r\n\r\n"
OPENED = b": open\r\n\r\n"
"""A first comment line: aiohttp holds headers back until a body follows, and a client waits for them."""

SESSION_HEADER = "Mcp-Session-Id"
VERSION_HEADER = "MCP-Protocol-Version"

REQUEST_CANCELLED = -32800
"""Answers a cancelled request where the handshake era needs an answer; LSP's code, as in the SDK."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An encoded JSON-RPC response, and its error code when it is an error."""

    body: bytes
    error_code: int | None = None


class RefusalError(Exception):
    """A request that the transport itself turns down, as an HTTP status with a JSON-RPC error body.

    The message is written for the client's developer or model: what was wrong, what to do next.
    """

    def __init__(
        self,
        status: int,
        code: int,
        message: str,
        *,
        request_id: RequestId | None = None,
        data: object = None,
        headers: Mapping[str, str] | None = None,
        close: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.request_id = request_id
        self.data = data
        self.headers = headers
        self.close = close

    def response(self) -> web.Response:
        """Give the HTTP response; the connection ends after it when the body was left unread."""
        response = web.Response(
            body=encode_error(self.request_id, self.code, self.message, self.data).body,
            status=self.status,
            headers={**JSON_HEADERS, **(self.headers or {})},
        )
        if self.close:
            response.force_close()
        return response


def encode_message(method: str, params: Mapping[str, Any] | None, request_id: RequestId | None = None) -> bytes:
    """Encode a notification, or a request when `request_id` is given.

    Raises:
        orjson.JSONEncodeError: `params` hold something JSON has no form for, a lone surrogate for example.
    """
    message: dict[str, Any] = {"jsonrpc": "2.0"}
    if request_id is not None:
        message["id"] = request_id
    message["method"] = method
    if params:
        message["params"] = dict(params)
    return orjson.dumps(message)


def encode_result_bytes(request_id: RequestId, result: bytes) -> Reply:
    """Wrap an already encoded `result` object as the response to `request_id`."""
    return Reply(b'{"jsonrpc":"2.0","id":' + orjson.dumps(request_id) + b',"result":' + result + b"}")


def encode_result(request_id: RequestId, result: Mapping[str, Any]) -> Reply:
    """Encode the response to `request_id`; a result that can't be encoded becomes an internal error."""
    try:
        return encode_result_bytes(request_id, orjson.dumps(result))
    except orjson.JSONEncodeError:
        logger.exception("the result of a request can't be written as JSON")
        return encode_error(request_id, INTERNAL_ERROR, "Internal server error")


def encode_error(request_id: RequestId | None, code: int, message: str, data: object = None) -> Reply:
    """Encode an error response; `id` is null where the request's id could not be read."""
    error: dict[str, object] = {"code": code, "message": message}
    if data is not None:
        error["data"] = data
    try:
        body = orjson.dumps({"jsonrpc": "2.0", "id": request_id, "error": error})
    except orjson.JSONEncodeError:
        logger.exception("the error of a request can't be written as JSON")
        return encode_error(request_id, INTERNAL_ERROR, "Internal server error")
    return Reply(body, code)


def encode_exception(request_id: RequestId, raised: Exception) -> Reply:
    """Encode what a handler raised: `MCPError` as it is, invalid params as such, all else without its internals."""
    error = modern_error_data(raised)
    return encode_error(request_id, error.code, error.message, error.data)


def frame(body: bytes, event: bytes = b"message") -> bytes:
    """Give one server-sent event. JSON holds no raw line break, so one `data` line is enough."""
    return b"event: " + event + b"\r\ndata: " + body + b"\r\n\r\n"
