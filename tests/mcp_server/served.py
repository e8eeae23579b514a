"""The web application over a real database, with real tokens and a scripted executor."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import mcp.types as t
import orjson
from aiohttp import web
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

from bot.catalogue import CATALOGUE
from mcp_server.app import WebParts, build, serve
from mcp_server.attempts import FailedAttempts
from mcp_server.auth import BearerAuth
from mcp_server.health import Health, Probe
from mcp_server.metrics import MeasuredExecutor, Metrics
from mcp_server.product import product_version
from mcp_server.server import MCPFace, mcp_face
from mcp_server.tools import ToolCatalogue
from mcp_server.transports import OriginPolicy, TransportLimits
from operations.callers import Callers
from operations.registry import Registry
from policy.model import Caller, PlatformRole, Refuse
from policy.scopes import EVERYTHING_BUT_ADMIN
from storage import clients, memberships, workspaces
from storage.database import Database
from storage.facts import PlatformFacts
from storage.snapshot import Client as StoredClient
from tests import databases
from tests.mcp_server.scripted_executor import ScriptedExecutor
from tests.mcp_server.scripted_plans import ScriptedPlans
from tests.mcp_server.transports.small_server import ENVELOPE, INITIALIZE, JSON, MODERN, bearer, request

OWNER_ID = 100
MEMBER_ID = 200
PUBLIC_URL = "https://guildhall.example"
REGISTRY = Registry(CATALOGUE)
TOOLS = ToolCatalogue(REGISTRY)


@dataclass
class Clock:
    """Seconds since the epoch, moved by hand."""

    now: float = field(default_factory=time.time)

    def __call__(self) -> float:
        return self.now


@dataclass
class Served:
    """A running application; ``told`` are the refused credentials that would be audited."""

    app: web.Application
    face: MCPFace
    base: str
    web: aiohttp.ClientSession
    database: Database
    facts: PlatformFacts
    executor: ScriptedExecutor
    plans: ScriptedPlans
    metrics: Metrics
    clock: Clock
    workspace_id: str
    told: list[tuple[Caller, Refuse]]

    @property
    def url(self) -> str:
        return f"{self.base}/mcp"

    async def token(self, **more: Any) -> tuple[StoredClient, str]:
        """A client of the workspace's member, with all scopes but admin's unless told otherwise."""
        wanted: dict[str, Any] = {"user_id": MEMBER_ID, "name": "test", "scopes": EVERYTHING_BUT_ADMIN, **more}
        async with self.database.unit_of_work() as session:
            return await clients.create(
                session, self.database.keyring, workspace_id=self.workspace_id, now=self.clock(), **wanted
            )

    async def revoke(self, client_id: str) -> None:
        async with self.database.unit_of_work() as session:
            assert await clients.revoke(session, client_id, self.clock())

    async def set_role(self, user_id: int, role: PlatformRole) -> None:
        async with self.database.unit_of_work() as session:
            await memberships.set_role(session, self.workspace_id, user_id, role, self.clock())

    def modern(
        self,
        token: str | None,
        method: str,
        params: Mapping[str, Any] | None = None,
        *,
        query: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """POST one 2026-07-28 request."""
        given = dict(params or {})
        sent = {**JSON, "MCP-Protocol-Version": MODERN, "Mcp-Method": method, **(bearer(token) if token else {})}
        if "name" in given:
            sent["Mcp-Name"] = given["name"]
        body = request(method, {**given, "_meta": {**ENVELOPE, **given.get("_meta", {})}})
        return self.web.post(self.url + query, headers={**sent, **(headers or {})}, data=orjson.dumps(body))

    async def tools(self, token: str, query: str = "") -> list[str]:
        async with self.modern(token, "tools/list", query=query) as response:
            assert response.status == 200, await response.text()
            return [tool["name"] for tool in (await response.json())["result"]["tools"]]

    async def session(self, token: str, query: str = "") -> dict[str, str]:
        """Open a session of the handshake era and give the headers that name it."""
        body = orjson.dumps(request("initialize", INITIALIZE))
        async with self.web.post(self.url + query, headers={**JSON, **bearer(token)}, data=body) as response:
            assert response.status == 200, await response.text()
            return {**JSON, **bearer(token), "Mcp-Session-Id": response.headers["Mcp-Session-Id"]}

    @asynccontextmanager
    async def official(self, token: str, mode: str, query: str = "", **options: Any) -> AsyncGenerator[Client]:
        """Connect the SDK's own client."""
        async with (
            create_mcp_http_client(headers=bearer(token)) as http,
            Client(streamable_http_client(self.url + query, http_client=http), mode=mode, **options) as client,
        ):
            yield client


@asynccontextmanager
async def serving(
    folder: Path,
    *,
    probes: Mapping[str, Probe] | None = None,
    metrics_token: str | None = None,
    attempts: FailedAttempts | None = None,
    limits: TransportLimits | None = None,
) -> AsyncGenerator[Served]:
    clock = Clock()
    async with (
        databases.fresh_database_url("sqlite", folder) as url,
        Database.open(url, databases.new_keyring()) as database,
    ):
        facts = PlatformFacts(database)
        async with database.unit_of_work() as session:
            workspace_id = await workspaces.create(session, "Test", OWNER_ID, clock())
        executor = ScriptedExecutor(REGISTRY)
        plans = ScriptedPlans()
        metrics = Metrics()
        callers = Callers(facts)
        told: list[tuple[Caller, Refuse]] = []

        async def tell(caller: Caller, refusal: Refuse) -> None:
            told.append((caller, refusal))

        auth = BearerAuth(
            callers,
            facts,
            toolsets=REGISTRY.toolsets,
            failures=metrics,
            refused=tell,
            attempts=attempts,
            clock=clock,
        )
        measured = MeasuredExecutor(executor, REGISTRY, metrics)
        face = mcp_face(REGISTRY, measured, auth, facts, plans, database.keyring, catalogue=TOOLS)
        app = build(
            WebParts(
                face=face,
                auth=auth,
                callers=callers,
                facts=facts,
                health=Health(product_version(), probes or {}, clock=clock),
                metrics=metrics,
                metrics_token=metrics_token,
                security=OriginPolicy.from_public_url(PUBLIC_URL),
                https=True,
                limits=limits or TransportLimits(poll_seconds=0.02),
            )
        )
        async with serve(app, "127.0.0.1", 0) as port, aiohttp.ClientSession() as web_session:
            yield Served(
                app,
                face,
                f"http://127.0.0.1:{port}",
                web_session,
                database,
                facts,
                executor,
                plans,
                metrics,
                clock,
                workspace_id,
                told,
            )


def text_of(result: object) -> str:
    assert isinstance(result, t.CallToolResult)
    assert isinstance(result.content[0], t.TextContent)
    return result.content[0].text
