"""A small MCP server with a tool for each thing a transport must carry."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import mcp.types as t
from aiohttp import web
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.server import Server, ServerRequestContext
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp.shared.exceptions import MCPError
from mcp.shared.message import ServerMessageMetadata

from mcp_server.transports import HotPath, LegacySSE, OriginPolicy, ReadyPath, StreamableHTTP, TransportLimits

Context = ServerRequestContext[Any, Any]
logger = logging.getLogger(__name__)
Answer = t.CallToolResult | t.InputRequiredResult

MODERN = "2026-07-28"
HANDSHAKE = "2025-11-25"
JSON = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
QUICK = TransportLimits(poll_seconds=0.01)
ENVELOPE = {
    t.PROTOCOL_VERSION_META_KEY: MODERN,
    t.CLIENT_CAPABILITIES_META_KEY: {},
    t.CLIENT_INFO_META_KEY: {"name": "test", "version": "1"},
}


def says(content: str) -> t.CallToolResult:
    return t.CallToolResult(content=[t.TextContent(type="text", text=content)])


def said(result: object) -> str:
    assert isinstance(result, t.CallToolResult)
    assert isinstance(result.content[0], t.TextContent)
    return result.content[0].text


@dataclass
class Small:
    """The server's tools, and what happened in them."""

    bus: InMemorySubscriptionBus = field(default_factory=InMemorySubscriptionBus)
    started: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    finish: asyncio.Event = field(default_factory=asyncio.Event)
    finished: asyncio.Event = field(default_factory=asyncio.Event)
    lifespan_open: bool = False
    contexts: list[Context] = field(default_factory=list[Context])

    def server(self) -> Server[Any]:
        @asynccontextmanager
        async def lifespan(_: Server[Any]) -> AsyncGenerator[str]:
            self.lifespan_open = True
            yield "state"
            self.lifespan_open = False

        return Server(
            "small",
            version="1",
            lifespan=lifespan,
            on_list_tools=self.list_tools,
            on_call_tool=self.call_tool,
            on_subscriptions_listen=ListenHandler(self.bus),
            get_tool_input_schema=self.schema_of,
        )

    def schema_of(self, name: str) -> dict[str, Any]:
        if name == "region":
            properties = {"region": {"type": "string", "x-mcp-header": "Region"}}
            return {"type": "object", "properties": properties}
        return {"type": "object"}

    async def list_tools(self, ctx: Context, params: t.PaginatedRequestParams | None) -> t.ListToolsResult:
        return t.ListToolsResult(tools=[t.Tool(name="echo", input_schema=self.schema_of("echo"))])

    async def call_tool(self, ctx: Context, params: t.CallToolRequestParams) -> Answer:
        self.contexts.append(ctx)
        arguments = params.arguments or {}
        logger.info("called %s", params.name)
        match params.name:
            case "echo" | "region":
                return says(str(arguments.get("text")))
            case "who":
                return says(ctx.request.headers["Authorization"] if ctx.request is not None else "nobody")
            case "progress":
                for done in (1, 2):
                    await ctx.session.report_progress(done, 2, f"step {done}")
                return says("done")
            case "wait":
                return await self.wait()
            case "ask":
                return await self.ask(ctx)
            case "confirm":
                given = (params.input_responses or {}).get("sure")
                if isinstance(given, t.ElicitResult):
                    return says(f"{given.action} {params.request_state}")
                return t.InputRequiredResult(input_requests={"sure": self.question()}, request_state="kept")
            case "announce":
                await ctx.session.send_notification(t.ToolListChangedNotification())
                return says("announced")
            case "unwritable":
                return t.CallToolResult(content=[], structured_content={"half": "\ud800"})
            case "refuse":
                raise MCPError(-32001, "No", {"why": "because"})
            case "break":
                raise RuntimeError("an internal detail")
            case "flood":
                for _ in range(100):
                    await ctx.session.report_progress(1, 1, "x" * 1_000_000)
                self.finished.set()
                return says("flooded")
            case "stubborn":
                self.started.set()
                while not self.finish.is_set():
                    try:
                        await self.finish.wait()
                    except asyncio.CancelledError:
                        continue
                self.finished.set()
                return says("late")
            case "swallow":
                try:
                    await self.wait()
                except asyncio.CancelledError:
                    return says("too late")
            case _:
                pass
        raise MCPError(t.INVALID_PARAMS, "Unknown tool")

    def question(self) -> t.ElicitRequest:
        schema: dict[str, Any] = {"type": "object", "properties": {"ok": {"type": "boolean"}}}
        return t.ElicitRequest(params=t.ElicitRequestFormParams(message="Sure?", requested_schema=schema))

    async def ask(self, ctx: Context) -> Answer:
        related = ServerMessageMetadata(related_request_id=ctx.request_id)
        result = await ctx.session.send_request(self.question(), t.ElicitResult, metadata=related)
        return says(f"{result.action} {result.content}")

    async def wait(self) -> Answer:
        self.started.set()
        try:
            await self.finish.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        self.finished.set()
        return says("waited")


@dataclass
class Running:
    """A served `Small`. The bearer token of a request is its principal."""

    small: Small
    http: StreamableHTTP
    base: str
    client: aiohttp.ClientSession
    runner: web.AppRunner

    @property
    def url(self) -> str:
        return f"{self.base}/mcp"

    def post(
        self, body: object, *, token: str = "ann", headers: dict[str, str] | None = None
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """POST a message, or bytes as they are."""
        sent = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        return self.client.post(self.url, headers={**JSON, **bearer(token), **(headers or {})}, data=io.BytesIO(sent))

    async def initialize(self, token: str = "ann") -> dict[str, str]:
        """Open a session and give the header that names it."""
        async with self.post(request("initialize", INITIALIZE), token=token) as response:
            assert response.status == 200, await response.text()
            return {"Mcp-Session-Id": response.headers["Mcp-Session-Id"]}

    async def call(
        self, tool: str, arguments: dict[str, Any] | None = None, *, request_id: t.RequestId = 1, **more: Any
    ) -> tuple[int, dict[str, Any]]:
        """Call a tool over plain JSON; `headers` hold the session, `token` says who calls."""
        async with self.post(
            request("tools/call", {"name": tool, "arguments": arguments or {}}, request_id), **more
        ) as r:
            return r.status, await r.json()

    def modern(
        self, method: str, params: dict[str, Any], request_id: t.RequestId = 1, **more: Any
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """POST a 2026-07-28 request with its envelope and headers."""
        headers = {"MCP-Protocol-Version": MODERN, "Mcp-Method": method, **more.pop("headers", {})}
        if "name" in params:
            headers["Mcp-Name"] = params["name"]
        meta = {**ENVELOPE, **params.pop("_meta", {})}
        return self.post(request(method, {**params, "_meta": meta}, request_id), headers=headers, **more)

    @asynccontextmanager
    async def official(self, mode: str, token: str = "ann", **options: Any) -> AsyncGenerator[Client]:
        """Connect the SDK's own client."""
        async with (
            create_mcp_http_client(headers=bearer(token)) as http,
            Client(streamable_http_client(self.url, http_client=http), mode=mode, **options) as client,
        ):
            yield client


INITIALIZE: dict[str, Any] = {
    "protocolVersion": HANDSHAKE,
    "capabilities": {"elicitation": {}},
    "clientInfo": {"name": "test", "version": "1"},
}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def request(method: str, params: dict[str, Any] | None = None, request_id: t.RequestId = 1) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params or {}}


def notification(method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": method, "params": params or {}}


@asynccontextmanager
async def running(
    limits: TransportLimits = QUICK,
    hot_path: HotPath | None = None,
    small: Small | None = None,
    port: int = 0,
    ready_path: ReadyPath | None = None,
) -> AsyncGenerator[Running]:
    """Serve a `Small` on 127.0.0.1, over Streamable HTTP and legacy SSE."""
    small = small or Small()

    @web.middleware
    async def refuse_strangers(request: web.Request, handler: Any) -> web.StreamResponse:
        if not request.headers.get("Authorization", "").startswith("Bearer "):
            return web.Response(status=401, headers={"WWW-Authenticate": "Bearer"})
        response: web.StreamResponse = await handler(request)
        return response

    http = StreamableHTTP(
        small.server(),
        principal=lambda request: request.headers["Authorization"].removeprefix("Bearer "),
        hot_path=hot_path,
        ready_path=ready_path,
        limits=limits,
        security=OriginPolicy.from_public_url("https://guildhall.example"),
    )
    app = web.Application(middlewares=[refuse_strangers])
    http.add_routes(app, "/mcp")
    LegacySSE(http).add_routes(app, "/sse", "/messages/")
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=2)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        base = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with aiohttp.ClientSession() as client:
            yield Running(small, http, base, client, runner)
    finally:
        await runner.cleanup()


async def until(event: asyncio.Event) -> None:
    """Wait for `event`, and fail instead of hanging when it never comes."""
    async with asyncio.timeout(5):
        await event.wait()


async def until_true(condition: Callable[[], object]) -> None:
    """Wait for `condition`, where nothing announces it."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - a condition of the server's inside has no event
            await asyncio.sleep(0.002)
