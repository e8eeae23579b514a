"""The whole process: the core, and the web sidecar in the same event loop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bot.core import Core
from bot.probes import alarms, probes
from bot.serving_core import DRAIN_SECONDS, running_core
from bot.settings import Settings
from mcp_server.app import MCP_HTTP, WebParts, build, serve
from mcp_server.auth import BearerAuth
from mcp_server.health import Health
from mcp_server.identities import Identities
from mcp_server.metrics import MeasuredExecutor, Metrics
from mcp_server.product import product_version
from mcp_server.server import MCPFace, mcp_face
from mcp_server.transports import OriginPolicy, TransportLimits
from storage import instance

ANSWER_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class App:
    """A running process. ``port``: where it listens."""

    core: Core
    face: MCPFace
    health: Health
    port: int


@asynccontextmanager
async def running(settings: Settings, mark: instance.Mark, *, port: int | None = None) -> AsyncGenerator[App]:
    """Core and sidecar until the block ends. ``port`` 0 takes a free one; None the setting's.

    Raises what running_core raises, and OSError when the port is taken.
    """
    async with running_core(settings, mark) as core:
        metrics = Metrics()
        auth = BearerAuth(
            core.callers,
            core.facts,
            toolsets=core.registry.toolsets,
            failures=metrics,
            refused=core.refusals.credential,
        )
        face = face_of(core, auth, metrics)
        metrics.watch("guildhall_events_dropped", "Events that slow subscribers missed.", lambda: core.hub.dropped)
        health = Health(product_version(), probes(core), alarms(core))
        parts = WebParts(
            face=face,
            auth=auth,
            callers=core.callers,
            facts=core.facts,
            health=health,
            metrics=metrics,
            metrics_token=settings.metrics_token.get_secret_value() if settings.metrics_token else None,
            security=origin_policy(settings),
            https=(settings.public_url or "").startswith("https://"),
            limits=TransportLimits(body_bytes=settings.max_body_bytes),
        )
        web = build(parts)
        async with serve(web, settings.host, settings.port if port is None else port) as bound:
            await _remember_address(core, bound)
            try:
                yield App(core, face, health, bound)
            finally:
                # The web ends whatever is open: before that, those whose writes are under way get their answers.
                await core.executor.drain(DRAIN_SECONDS)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(ANSWER_SECONDS):
                        await web[MCP_HTTP].host.calls.wait_empty()


def face_of(core: Core, identities: Identities, metrics: Metrics) -> MCPFace:
    """The MCP server over the core; every call is measured."""
    executor = MeasuredExecutor(core.executor, core.registry, metrics)
    return mcp_face(core.registry, executor, identities, core.facts, core.desk, core.database.keyring)


def origin_policy(settings: Settings) -> OriginPolicy:
    """Hosts and origins that are served: those of PUBLIC_URL, ALLOWED_HOSTS, ALLOWED_ORIGINS, and loopback."""
    public = OriginPolicy() if settings.public_url is None else OriginPolicy.from_public_url(settings.public_url)
    return OriginPolicy(
        allowed_hosts=public.allowed_hosts | settings.allowed_hosts,
        allowed_origins=public.allowed_origins | settings.allowed_origins,
        loopback_origins=public.loopback_origins,
    )


async def _remember_address(core: Core, port: int) -> None:
    """So that `guildhall stdio` on the same database finds this process and becomes a proxy to it."""
    async with core.database.unit_of_work() as session:
        await instance.put(session, instance.ADDRESS, f"http://127.0.0.1:{port}")
