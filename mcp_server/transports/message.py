"""The envelope of one JSON-RPC message, checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from mcp.types import INVALID_REQUEST, RequestId

from mcp_server.transports.kernel import as_request_id
from mcp_server.transports.replies import RefusalError


@dataclass(frozen=True, slots=True)
class Message:
    """One request (id and method), notification (method alone) or response (id, with `raw` holding result or error)."""

    request_id: RequestId | None
    method: str | None
    params: dict[str, Any] | None
    raw: dict[str, Any]

    @property
    def is_request(self) -> bool:
        return self.method is not None and self.request_id is not None


def as_message(value: object) -> Message:
    """Check the envelope of a parsed body.

    Raises:
        RefusalError: an array (batches left the protocol in 2025-06-18), no object, or a malformed envelope.
    """
    if isinstance(value, list):
        raise _malformed("JSON-RPC batches are not supported: send each message in a POST of its own")
    if not isinstance(value, dict):
        raise _malformed("the body must be a single JSON-RPC object")
    raw = cast("dict[str, Any]", value)
    request_id = as_request_id(raw.get("id"))
    if raw.get("jsonrpc") != "2.0":
        raise _malformed('"jsonrpc" must be "2.0"', request_id)
    if "id" in raw and request_id is None:
        raise _malformed('"id" must be a string or an integer')
    method = raw.get("method")
    params = raw.get("params")
    if params is not None and not isinstance(params, dict):
        raise _malformed('"params" must be an object', request_id)
    if method is None:
        _check_response(raw, request_id)
    elif not isinstance(method, str):
        raise _malformed('"method" must be a string', request_id)
    return Message(request_id, method, cast("dict[str, Any] | None", params), raw)


def _check_response(raw: dict[str, Any], request_id: RequestId | None) -> None:
    if ("result" in raw) == ("error" in raw):
        raise _malformed('a message needs "method", or exactly one of "result" and "error"', request_id)
    if request_id is None:
        raise _malformed('a response needs the "id" of its request')
    if not isinstance(raw.get("result", raw.get("error")), dict):
        raise _malformed('"result" and "error" must be objects', request_id)


def _malformed(why: str, request_id: RequestId | None = None) -> RefusalError:
    return RefusalError(400, INVALID_REQUEST, f"Invalid request: {why}.", request_id=request_id)
