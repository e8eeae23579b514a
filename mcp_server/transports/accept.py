"""The Accept header, as far as MCP uses it."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web
from mcp.types import INVALID_REQUEST

from mcp_server.transports.replies import RefusalError


@dataclass(frozen=True, slots=True)
class Accepted:
    """Whether the client takes a JSON reply, and whether it takes an event stream."""

    json: bool
    stream: bool


_BOTH = Accepted(json=True, stream=True)
_USUAL = "application/json, text/event-stream"


def accepted_by(request: web.Request) -> Accepted:
    """Read the header; without one a client takes anything (RFC 9110, 12.5.1)."""
    header = request.headers.get("Accept")
    if header is None or header == _USUAL:
        return _BOTH
    kinds = {part.partition(";")[0].strip().lower() for part in header.split(",")}
    anything = "*/*" in kinds
    return Accepted(
        json=anything or not kinds.isdisjoint({"application/json", "application/*"}),
        stream=anything or not kinds.isdisjoint({"text/event-stream", "text/*"}),
    )


def require_json(accepted: Accepted) -> None:
    """Let a POST pass. An event stream is optional: a client that takes none gets no messages ahead of its reply.

    Raises:
        RefusalError: 406.
    """
    if not accepted.json:
        raise RefusalError(406, INVALID_REQUEST, "Not acceptable: send Accept: application/json, text/event-stream.")


def require_stream(accepted: Accepted) -> None:
    """Let a request pass whose answer is an event stream.

    Raises:
        RefusalError: 406.
    """
    if not accepted.stream:
        raise RefusalError(
            406, INVALID_REQUEST, "Not acceptable: the answer is an event stream, send Accept: text/event-stream."
        )
