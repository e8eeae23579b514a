"""The server under test: every feature the suite asks for, on Guildhall's transport.

``python -m tests.conformance.fixture_server`` listens on a free port of 127.0.0.1, prints its URL and runs until its
standard input ends.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import mcp.types as t
from aiohttp import web
from mcp.server import Server
from mcp.server.caching import CacheHint
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler
from mcp.shared.exceptions import MCPError

from mcp_server.transports import OriginPolicy, StreamableHTTP, TransportLimits
from tests.conformance import fixture_content as content
from tests.conformance.fixture_tools import Answer, handlers, schema_of

NAME = "guildhall-conformance-fixture"


def fixture_server() -> Server[Any]:
    bus = InMemorySubscriptionBus()
    tools = handlers(bus)

    async def list_tools(ctx: content.Context, params: t.PaginatedRequestParams | None) -> t.ListToolsResult:
        return t.ListToolsResult(
            tools=[
                t.Tool(name=name, description=name.replace("_", " "), input_schema=schema_of(name)) for name in tools
            ]
        )

    async def call_tool(ctx: content.Context, params: t.CallToolRequestParams) -> Answer:
        handler = tools.get(params.name)
        if handler is None:
            raise MCPError(t.INVALID_PARAMS, f"Unknown tool: {params.name}")
        return await handler(ctx, params)

    async def set_level(ctx: content.Context, params: t.SetLevelRequestParams) -> t.EmptyResult:
        return t.EmptyResult()

    server: Server[Any] = Server(
        NAME,
        version="1",
        cache_hints={
            method: CacheHint(ttl_ms=1000, scope="public")
            for method in (
                "tools/list",
                "prompts/list",
                "resources/list",
                "resources/templates/list",
                "resources/read",
            )
        },
        get_tool_input_schema=lambda name: schema_of(name) if name in tools else None,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_list_resources=content.list_resources,
        on_list_resource_templates=content.list_templates,
        on_read_resource=content.read_resource,
        on_subscribe_resource=content.accept_subscription,
        on_unsubscribe_resource=content.drop_subscription,
        on_subscriptions_listen=ListenHandler(bus),
        on_list_prompts=content.list_prompts,
        on_get_prompt=content.get_prompt,
        on_completion=content.complete,
    )
    server.add_request_handler("logging/setLevel", t.SetLevelRequestParams, set_level)
    server.middleware.append(
        RequestStateBoundary(
            RequestStateSecurity(keys=[b"k" * 32], bind_principal=lambda ctx: "fixture"), default_audience=NAME
        )
    )
    return server


async def serve() -> None:
    app = web.Application()
    # The suite opens a session for each scenario and ends few of them.
    limits = TransportLimits(sessions_per_principal=1000)
    http = StreamableHTTP(fixture_server(), principal=lambda request: "fixture", limits=limits, security=OriginPolicy())
    http.add_routes(app, "/mcp")
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        sys.stdout.write(f"http://127.0.0.1:{port}/mcp\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(serve())
