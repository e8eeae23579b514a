"""Forwarding a client's streams to a running instance."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import mcp.types as t
import pytest
from aiohttp import web
from mcp.client import Client
from mcp.client._transport import TransportStreams
from mcp.shared.exceptions import MCPError
from mcp.shared.message import SessionMessage

from mcp_server.transports.stdio_proxy import proxy_streams
from tests.mcp_server.transports.small_server import (
    INITIALIZE,
    MODERN,
    Running,
    notification,
    request,
    running,
    said,
    until,
    until_true,
)
from tests.mcp_server.transports.test_official_client import accept

ERAS = pytest.mark.parametrize("mode", ["legacy", MODERN])


@asynccontextmanager
async def proxied(url: str, token: str = "ann") -> AsyncGenerator[TransportStreams]:
    """Run the proxy on a pair of streams and give the client's ends of them."""
    to_proxy, at_proxy = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    from_proxy, at_client = anyio.create_memory_object_stream[SessionMessage](100)
    forwarding = asyncio.create_task(proxy_streams(at_proxy, from_proxy, url, token))
    async with at_client:
        try:
            yield at_client, to_proxy
        finally:
            await to_proxy.aclose()
            async with asyncio.timeout(5):
                await forwarding
            await at_proxy.aclose()


@asynccontextmanager
async def by_hand(url: str, token: str = "ann") -> AsyncGenerator[Hand]:
    async with proxied(url, token) as (incoming, outgoing):
        yield Hand(incoming, outgoing)


class Hand:
    """Sends and takes single messages."""

    def __init__(self, incoming: Any, outgoing: Any) -> None:
        self._incoming = incoming
        self._outgoing = outgoing

    async def send(self, message: object) -> None:
        parsed = t.jsonrpc_message_adapter.validate_json(json.dumps(message), by_name=False)
        await self._outgoing.send(SessionMessage(parsed))

    async def send_broken_line(self) -> None:
        await self._outgoing.send(ValueError("no JSON"))

    async def receive(self) -> dict[str, Any]:
        async with asyncio.timeout(5):
            item: SessionMessage = await self._incoming.receive()
        return item.message.model_dump(by_alias=True)

    async def exchange(self, message: object) -> dict[str, Any]:
        await self.send(message)
        return await self.receive()


@ERAS
async def test_the_proxy_carries_calls_progress_and_errors(served: Running, mode: str) -> None:
    seen: list[float] = []

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        seen.append(progress)

    async with Client(proxied(served.url), mode=mode) as client:
        assert said(await client.call_tool("who")) == "Bearer ann"
        assert said(await client.call_tool("progress", progress_callback=on_progress)) == "done"
        text = "é" * 300_000
        assert said(await client.call_tool("echo", {"text": text})) == text
        with pytest.raises(MCPError, match="No") as raised:
            await client.call_tool("refuse")
        assert raised.value.data == {"why": "because"}
    assert seen == [1, 2]
    await until_true(lambda: len(served.http.sessions) == 0)


@ERAS
async def test_the_proxy_carries_cancellation(served: Running, mode: str) -> None:
    async with Client(proxied(served.url), mode=mode) as client:
        call = asyncio.create_task(client.call_tool("wait"))
        await until(served.small.started)
        call.cancel()
        await until(served.small.cancelled)


async def test_the_proxy_carries_questions_and_notifications_from_the_server(served: Running) -> None:
    changed = asyncio.Event()

    async def on_message(message: Any) -> None:
        if isinstance(message, t.ToolListChangedNotification):
            changed.set()

    async with Client(
        proxied(served.url), mode="legacy", elicitation_callback=accept, message_handler=on_message
    ) as client:
        assert said(await client.call_tool("ask")) == "accept {'ok': True}"
        (session,) = served.http.sessions
        await until_true(lambda: session.stream is not None)
        await client.call_tool("announce")
        await until(changed)


async def test_the_proxy_carries_input_required_and_listening(served: Running) -> None:
    async with Client(proxied(served.url), mode=MODERN, elicitation_callback=accept) as client:
        assert said(await client.call_tool("confirm")) == "accept kept"
        async with client.listen(tools_list_changed=True):
            assert len(served.http.host.streams) == 1
        await asyncio.wait_for(served.http.host.streams.wait_empty(), 5)


async def test_the_proxy_opens_a_lost_session_again(served: Running) -> None:
    async with Client(proxied(served.url), mode="legacy") as client:
        assert said(await client.call_tool("echo", {"text": "1"})) == "1"
        await served.http.end_principal("ann")
        assert said(await client.call_tool("echo", {"text": "2"})) == "2"
        (session,) = served.http.sessions
        await until_true(lambda: session.stream is not None)


async def test_the_proxy_answers_when_the_instance_is_away_and_serves_when_it_is_back() -> None:
    async with running() as first:
        port = int(first.base.rpartition(":")[2])
    async with by_hand(f"http://127.0.0.1:{port}/mcp") as hand:
        away = await hand.exchange(request("initialize", INITIALIZE, 1))
        assert (away["id"], away["error"]["code"]) == (1, t.CONNECTION_CLOSED)
        assert "can't be reached" in away["error"]["message"]
        async with running(port=port):
            assert (await hand.exchange(request("initialize", INITIALIZE, 2)))["result"]


@pytest.mark.parametrize(
    ("status", "hint"),
    [(401, "refused the token"), (302, "redirects elsewhere"), (404, "no MCP endpoint"), (502, "502")],
)
async def test_the_proxy_explains_what_is_no_answer(status: int, hint: str) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, text="<html>", headers={"Location": "/elsewhere"})

    app = web.Application()
    app.router.add_post("/mcp", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/mcp"
        async with by_hand(url) as hand:
            refused = await hand.exchange(request("initialize", INITIALIZE))
            assert hint in refused["error"]["message"]
    finally:
        await runner.cleanup()


async def test_the_proxy_refuses_a_duplicate_id_and_a_broken_line(served: Running) -> None:
    async with by_hand(served.url) as hand:
        await hand.send_broken_line()
        assert (await hand.receive())["error"]["code"] == t.PARSE_ERROR
        await hand.exchange(request("initialize", INITIALIZE))
        await hand.send(notification("notifications/initialized"))
        await hand.send(request("tools/call", {"name": "wait"}, 2))
        await until(served.small.started)
        assert "in flight" in (await hand.exchange(request("ping", {}, 2)))["error"]["message"]
    # Input ended with the call still open: the session was ended, and the call with it.
    await until(served.small.cancelled)


async def test_a_connection_that_breaks_leaves_the_effect_open(served: Running) -> None:
    async with by_hand(served.url) as hand:
        await hand.exchange(request("initialize", INITIALIZE))
        await hand.send(request("tools/call", {"name": "wait", "_meta": {"progressToken": 1}}, 2))
        await until(served.small.started)
        for call in served.http.host.calls:
            call.cut()
        answer = await hand.receive()
    assert answer["id"] == 2
    assert "took effect" in answer["error"]["message"]
