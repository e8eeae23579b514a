"""The HTTP+SSE transport of 2024-11-05, with the SDK's own client and by hand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import mcp.types as t
from mcp import ClientSession
from mcp.client.sse import sse_client

from mcp_server.transports import TransportLimits
from mcp_server.transports.event_source import event_data
from tests.mcp_server.transports.small_server import (
    JSON,
    Running,
    bearer,
    notification,
    request,
    running,
    said,
    until,
    until_true,
)
from tests.mcp_server.transports.test_official_client import accept


@asynccontextmanager
async def connected(served: Running, **options: Any) -> AsyncGenerator[ClientSession]:
    async with (
        sse_client(f"{served.base}/sse", headers=bearer("ann")) as (incoming, outgoing),
        ClientSession(incoming, outgoing, **options) as session,
    ):
        await session.initialize()
        yield session


@asynccontextmanager
async def by_hand(served: Running, token: str = "ann") -> AsyncGenerator[tuple[aiohttp.ClientResponse, Any, str]]:
    """Open a stream and give the response, its events, and where to post."""
    async with served.client.get(f"{served.base}/sse", headers=bearer(token)) as response:
        data = event_data(response)
        yield response, data, served.base + (await anext(data)).decode()


async def test_tools_are_listed_and_called_and_asked(served: Running) -> None:
    async with connected(served, elicitation_callback=accept) as session:
        assert [tool.name for tool in (await session.list_tools()).tools] == ["echo"]
        assert said(await session.call_tool("echo", {"text": "hi"})) == "hi"
        assert said(await session.call_tool("ask")) == "accept {'ok': True}"
        assert said(await session.call_tool("who")) == "Bearer ann"


async def test_progress_and_notifications_arrive(served: Running) -> None:
    changed = asyncio.Event()
    seen: list[float] = []

    async def on_message(message: Any) -> None:
        if isinstance(message, t.ToolListChangedNotification):
            changed.set()

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        seen.append(progress)

    async with connected(served, message_handler=on_message) as session:
        await session.call_tool("progress", progress_callback=on_progress)
        await session.call_tool("announce")
        await until(changed)
    assert seen == [1, 2]


async def test_a_cancelled_call_gets_no_answer(served: Running) -> None:
    async with connected(served) as session:
        call = asyncio.create_task(session.call_tool("wait"))
        await until(served.small.started)
        call.cancel()
        await until(served.small.cancelled)
        assert said(await session.call_tool("echo", {"text": "on"})) == "on"


async def test_closing_the_stream_ends_session_and_calls(served: Running) -> None:
    async with by_hand(served) as (_, data, endpoint):
        await post(served, endpoint, initialize())
        await anext(data)
        await post(served, endpoint, request("tools/call", {"name": "wait"}, 2))
        await until(served.small.started)
        assert len(served.http.sessions) == 1
    await until(served.small.cancelled)
    await until_true(lambda: len(served.http.sessions) == 0)
    assert await post(served, endpoint, request("ping")) == 404


async def test_a_session_is_its_owners_alone(served: Running) -> None:
    async with by_hand(served) as (_, _data, endpoint):
        assert await post(served, endpoint, request("ping"), token="eve") == 404
        assert await post(served, endpoint.split("?")[0], request("ping")) == 400
        session_id = endpoint.split("=")[1]
        async with served.post(request("ping"), headers={"Mcp-Session-Id": session_id}) as response:
            assert response.status == 404


async def test_caps_and_body_checks_hold_here_as_well() -> None:
    async with running(TransportLimits(sessions_per_principal=1, body_bytes=200)) as served, by_hand(served) as opened:
        _, _data, endpoint = opened
        async with served.client.get(f"{served.base}/sse", headers=bearer("ann")) as response:
            assert response.status == 429
        assert await post(served, endpoint, {"pad": "x" * 300}) == 413
        assert await post(served, endpoint, [request("ping")]) == 400
        async with served.client.post(endpoint, headers=bearer("ann"), data="x") as response:
            assert response.status == 415
        headers = {**bearer("ann"), "Accept": "text/html"}
        async with served.client.get(f"{served.base}/sse", headers=headers) as response:
            assert response.status == 406


async def test_a_duplicate_id_in_flight_is_refused(served: Running) -> None:
    async with by_hand(served) as (_, data, endpoint):
        await post(served, endpoint, initialize())
        await anext(data)
        assert await post(served, endpoint, request("tools/call", {"name": "wait"}, 2)) == 202
        assert await post(served, endpoint, request("tools/call", {"name": "echo"}, 2)) == 409
        served.small.finish.set()
        answer = json.loads(await anext(data))
        assert (answer["id"], answer["result"]["content"][0]["text"]) == (2, "waited")


async def test_withdrawing_the_principal_closes_the_stream(served: Running) -> None:
    async with by_hand(served) as (response, _data, _endpoint):
        assert await served.http.end_principal("ann") == 2
        async with asyncio.timeout(5):
            await response.read()
    await until_true(lambda: len(served.http.sessions) == 0)


async def test_initialize_is_answered_before_the_post_returns(served: Running) -> None:
    async with by_hand(served) as (_, data, endpoint):
        assert await post(served, endpoint, initialize()) == 202
        (session,) = served.http.sessions
        assert session.initialized
        assert await post(served, endpoint, notification("notifications/initialized")) == 202
        assert json.loads(await anext(data))["result"]["serverInfo"]["name"] == "small"


def initialize() -> dict[str, Any]:
    info = {"name": "test", "version": "1"}
    return request("initialize", {"protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": info})


async def post(served: Running, endpoint: str, message: object, token: str = "ann") -> int:
    async with served.client.post(endpoint, headers={**JSON, **bearer(token)}, json=message) as response:
        return response.status
