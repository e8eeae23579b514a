"""The whole process: the core, and the web sidecar in the same event loop."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bot.core import Core, running_core
from bot.probes import alarms, probes
from bot.settings import Settings
from mcp_server.app import WebParts, build, serve
from mcp_server.auth import BearerAuth
from mcp_server.health import Health
from mcp_server.identities import Identities
from mcp_server.metrics import MeasuredExecutor, Metrics
from mcp_server.server import MCPFace, mcp_face, product_version
from mcp_server.transports import OriginPolicy, TransportLimits
from storage import instance

ADDRESS = "address"


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
        async with serve(build(parts), settings.host, settings.port if port is None else port) as bound:
            await _remember_address(core, bound)
            yield App(core, face, health, bound)


def face_of(core: Core, identities: Identities, metrics: Metrics) -> MCPFace:
    """The MCP server over the core; every call is measured."""
    executor = MeasuredExecutor(core.executor, core.registry, metrics)
    return mcp_face(core.registry, executor, identities, core.facts)


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
        await instance.put(session, ADDRESS, f"http://127.0.0.1:{port}")
