"""Why a call, a stream or a session ends before its time, and what the client is told."""

from __future__ import annotations

from enum import Enum

from mcp.types import CONNECTION_CLOSED

from mcp_server.transports.replies import REQUEST_CANCELLED


class Ending(Enum):
    """JSON-RPC code, message and HTTP status of the reply, where one can still be sent."""

    CANCELLED = (REQUEST_CANCELLED, "Request cancelled", 200)
    CLIENT_GONE = (CONNECTION_CLOSED, "The client closed the connection", 499)
    SESSION_OVER = (CONNECTION_CLOSED, "The session has ended: initialize a new one", 404)
    REVOKED = (CONNECTION_CLOSED, "This client's access was withdrawn", 403)
    SHUTDOWN = (CONNECTION_CLOSED, "The server is shutting down: try again in a moment", 503)

    def __init__(self, code: int, message: str, status: int) -> None:
        self.code = code
        self.message = message
        self.status = status
