"""MCP's Streamable HTTP transport inside aiohttp, without ASGI: both protocol eras on one path."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from mcp.server import Server
from mcp.types import INVALID_REQUEST

from mcp_server.transports.accept import accepted_by, require_json, require_stream
from mcp_server.transports.body import read_json
from mcp_server.transports.handshake import HandshakeEra
from mcp_server.transports.host import Host
from mcp_server.transports.hot_path import HotPath, ReadyPath
from mcp_server.transports.kernel import HANDSHAKE_PROTOCOL_VERSIONS
from mcp_server.transports.limits import TransportLimits
from mcp_server.transports.message import as_message
from mcp_server.transports.modern import ModernEra
from mcp_server.transports.origin import OriginPolicy
from mcp_server.transports.replies import VERSION_HEADER, RefusalError
from mcp_server.transports.session_table import SessionTable


class StreamableHTTP:
    """Serves one low-level MCP server.

    A request whose `MCP-Protocol-Version` names no handshake version goes to the 2026-07-28 era, which refuses versions
    it doesn't know by name; without the header, or with a handshake version, it belongs to a session. The SDK routes
    the same way.
    """

    def __init__(
        self,
        server: Server[Any],
        *,
        principal: Callable[[web.Request], str],
        hot_path: HotPath | None = None,
        ready_path: ReadyPath | None = None,
        limits: TransportLimits | None = None,
        security: OriginPolicy | None = None,
    ) -> None:
        """`principal` gives the id under which sessions are owned and capped; a middleware has refused strangers."""
        self.host = Host(
            server, principal, hot_path, ready_path, limits or TransportLimits(), security or OriginPolicy()
        )
        self._handshake = HandshakeEra(self.host)
        self._modern = ModernEra(self.host)

    @property
    def sessions(self) -> SessionTable:
        return self.host.sessions

    @property
    def policy(self) -> OriginPolicy:
        return self.host.policy

    def add_routes(self, app: web.Application, path: str) -> None:
        """Serve at `path`, keep the server's lifespan entered while `app` runs, and close when it shuts down."""
        app.router.add_post(path, guarded(self._post))
        app.router.add_get(path, guarded(self._get), allow_head=False)
        app.router.add_delete(path, guarded(self._delete))
        app.cleanup_ctx.append(self.host.run)
        app.on_shutdown.append(self._close_with)

    async def end_principal(self, principal: str) -> int:
        """End all that `principal` has open, for a revocation; gives how many sessions, streams and calls."""
        return await self.host.end_principal(principal)

    async def aclose(self) -> None:
        """End everything, in under a second. Close a `ListenHandler` before, for a graceful goodbye to listeners."""
        await self.host.aclose()

    async def _post(self, request: web.Request) -> web.StreamResponse:
        self.host.policy.check(request)
        accepted = accepted_by(request)
        require_json(accepted)
        if request.content_type != "application/json":
            raise RefusalError(415, INVALID_REQUEST, "Unsupported media type: send Content-Type: application/json.")
        message = as_message(await read_json(request, self.host.limits))
        era = self._modern if _is_modern(request) else self._handshake
        return await era.post(request, message, accepted)

    async def _get(self, request: web.Request) -> web.StreamResponse:
        self.host.policy.check(request)
        _require_handshake(request)
        require_stream(accepted_by(request))
        return await self._handshake.get(request)

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        self.host.policy.check(request)
        _require_handshake(request)
        return await self._handshake.delete(request)

    async def _close_with(self, app: web.Application) -> None:
        await self.aclose()


def guarded(
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Turn the refusals of `handler` into their responses."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except RefusalError as refusal:
            return refusal.response()

    return answer


def _is_modern(request: web.Request) -> bool:
    version = request.headers.get(VERSION_HEADER)
    return version is not None and version not in HANDSHAKE_PROTOCOL_VERSIONS


def _require_handshake(request: web.Request) -> None:
    if _is_modern(request):
        raise RefusalError(
            405,
            INVALID_REQUEST,
            "This protocol version has neither sessions nor a GET stream: POST subscriptions/listen for events.",
            headers={"Allow": "POST"},
        )
