"""The web application: what is served where, behind which checks."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import orjson
import structlog
from aiohttp import web

from mcp_server.auth import BearerAuth
from mcp_server.boundary import SecurityHeaders, error_boundary, host_policy
from mcp_server.health import Health
from mcp_server.metrics import Metrics, MetricsPage
from mcp_server.product import product_version
from mcp_server.revocations import Revocations
from mcp_server.server import MCPFace
from mcp_server.transports import LegacySSE, OriginPolicy, StreamableHTTP, TransportLimits
from operations.callers import Callers
from storage.facts import PlatformFacts

MCP_PATH = "/mcp"
SSE_PATH = "/sse"
MESSAGES_PATH = "/messages/"
PROTECTED = frozenset({MCP_PATH, SSE_PATH, MESSAGES_PATH})

MCP_HTTP = web.AppKey("mcp_http", StreamableHTTP)
METRICS = web.AppKey("metrics", Metrics)
HEALTH = web.AppKey("health", Health)
AUTH = web.AppKey("auth", BearerAuth)

_SHUTDOWN_SECONDS = 2.0

Loop = Callable[[], Coroutine[Any, Any, None]]
log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebParts:
    """What the application is made of.

    ``https``: whether people reach it by https. ``metrics_token``: None opens /metrics on this machine only.
    """

    face: MCPFace
    auth: BearerAuth
    callers: Callers
    facts: PlatformFacts
    health: Health
    metrics: Metrics
    metrics_token: str | None
    security: OriginPolicy
    https: bool
    limits: TransportLimits


def build(parts: WebParts) -> web.Application:
    """The application, its transports and its upkeep; all of that runs and ends with it.

    Handlers aren't cancelled when their client goes away (aiohttp's default): a 2026-07-28 call is ended by the
    transport, and one of the handshake era goes on, for its client may have lost the connection by accident.
    """
    metrics_page = MetricsPage(parts.metrics, parts.metrics_token)
    exempt = {"/health", "/ready"} | ({"/metrics"} if metrics_page.needs_token else set[str]())
    app = web.Application(
        middlewares=[
            error_boundary(),
            host_policy(parts.security, exempt),
            parts.auth.middleware(PROTECTED),
        ],
        # The transports read and bound their own bodies; what else takes one gets no more than they do.
        client_max_size=parts.limits.body_bytes,
    )
    app.on_response_prepare.append(SecurityHeaders(https=parts.https))
    # Before the transport cuts their streams, listeners get their goodbye.
    app.on_shutdown.append(_say_goodbye(parts.face))
    http = StreamableHTTP(
        parts.face.server,
        principal=parts.auth.principal,
        hot_path=parts.face.hot_path,
        ready_path=parts.face.ready_path,
        limits=parts.limits,
        security=parts.security,
    )
    http.add_routes(app, MCP_PATH)
    LegacySSE(http).add_routes(app, SSE_PATH, MESSAGES_PATH)
    app.router.add_get("/health", parts.health.health)
    app.router.add_get("/ready", parts.health.ready)
    app.router.add_get("/metrics", metrics_page.get, allow_head=False)
    app.router.add_get("/", _front_page)
    app[MCP_HTTP], app[METRICS], app[HEALTH], app[AUTH] = http, parts.metrics, parts.health, parts.auth
    _watch_transport(parts.metrics, http, parts.face)
    revocations = Revocations(parts.facts, parts.callers, parts.face.listing, http)
    app.cleanup_ctx.append(_running(revocations.run, parts.health.run, parts.metrics.watch_event_loop))
    app.on_cleanup.append(_close_auth)
    return app


@contextlib.asynccontextmanager
async def serve(app: web.Application, host: str, port: int) -> AsyncGenerator[int]:
    """Serves until the block ends; gives the port, which is a free one for ``port`` 0.

    Raises OSError when the address can't be bound. Access isn't logged: what matters of it is in metrics and audit.
    """
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def _front_page(request: web.Request) -> web.Response:
    body = {
        "name": "Guildhall",
        "version": product_version(),
        "what": "A control plane for Discord: MCP clients connect here with a client token.",
        "mcp": MCP_PATH,
        "mcp_legacy_sse": SSE_PATH,
        "health": "/health",
        "ready": "/ready",
        "metrics": "/metrics",
    }
    return web.Response(body=orjson.dumps(body, option=orjson.OPT_INDENT_2), content_type="application/json")


def _watch_transport(metrics: Metrics, http: StreamableHTTP, face: MCPFace) -> None:
    metrics.watch("guildhall_mcp_sessions", "Open sessions of the handshake era.", lambda: len(http.sessions))
    metrics.watch("guildhall_mcp_streams", "Open event streams.", lambda: len(http.host.streams))
    metrics.watch("guildhall_mcp_calls_in_flight", "Requests being answered.", lambda: len(http.host.calls))
    metrics.watch(
        "guildhall_mcp_subscriptions", "Resources being watched for clients.", lambda: len(face.subscriptions)
    )


def _say_goodbye(face: MCPFace) -> Callable[[web.Application], Coroutine[Any, Any, None]]:
    async def say(app: web.Application) -> None:
        await face.subscriptions.aclose()

    return say


def _running(*loops: Loop) -> Callable[[web.Application], AsyncGenerator[None]]:
    """Runs them beside the application. They end with it, and one that ends before is a fault, which is logged."""

    async def beside(app: web.Application) -> AsyncGenerator[None]:
        tasks = [asyncio.create_task(loop(), name=loop.__qualname__) for loop in loops]
        for task in tasks:
            task.add_done_callback(_ended)
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    return beside


def _ended(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("upkeep_ended", task=task.get_name(), exc_info=error)


async def _close_auth(app: web.Application) -> None:
    await app[AUTH].aclose()
