"""What is changed in discord.py's private parts works with the version that is installed."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import aiohttp
import pytest_asyncio
import yarl
from aiohttp import web
from discord.gateway import DiscordClientWebSocketResponse, DiscordWebSocket

from bot.discord_internals import DiscordPyMovedError
from tests.bot.guildhall_client import built_client
from tests.sandbox_process import SandboxProcess

REFUSED = 4014


async def _refuse(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse(timeout=0.1)
    await socket.prepare(request)
    await socket.close(code=REFUSED)
    return socket


@pytest_asyncio.fixture
async def refusing_gateway() -> AsyncGenerator[str]:
    application = web.Application()
    application.router.add_get("/", _refuse)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    yield f"http://{host}:{port}/"
    await runner.cleanup()


async def _code_after_a_close_that_nobody_answers(socket: aiohttp.ClientWebSocketResponse) -> int | None:
    """As discord.py takes it: receive, close, look at the code."""
    message = await socket.receive()
    assert message.data == REFUSED
    transport = socket.get_extra_info("socket") and socket._writer.transport  # pyright: ignore[reportPrivateUsage]
    transport.abort()
    await socket.close(code=4000)
    return socket.close_code


async def test_the_code_with_which_discord_refuses_survives_a_connection_that_is_gone(
    sandbox: SandboxProcess, refusing_gateway: str
) -> None:
    async with (
        aiohttp.ClientSession(ws_response_class=DiscordClientWebSocketResponse) as session,
        session.ws_connect(refusing_gateway, autoclose=False) as socket,
    ):
        assert await _code_after_a_close_that_nobody_answers(socket) == 1006
    async with built_client(sandbox) as (client, _):
        socket = await client.http.ws_connect(refusing_gateway)
        assert await _code_after_a_close_that_nobody_answers(socket) == REFUSED


async def test_a_connection_lost_before_its_session_began_identifies_anew(sandbox: SandboxProcess) -> None:
    first_ops: list[int] = []

    async def greet(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(timeout=0.1)
        await socket.prepare(request)
        await socket.send_json({"op": 10, "d": {"heartbeat_interval": 41_250}, "s": None, "t": None})
        async for message in socket:
            op = int(message.json()["op"])
            if op != DiscordWebSocket.HEARTBEAT:
                first_ops.append(op)
                break
        await socket.close()
        return socket

    application = web.Application()
    application.router.add_get("/", greet)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    try:
        async with built_client(sandbox) as (client, _):
            gateway = yarl.URL(f"ws://{host}:{port}/")
            options: dict[str, Any] = {"gateway": gateway, "shard_id": 0, "resume": True, "compress": False}
            socket = await DiscordWebSocket.from_client(client, session=None, **options)
            await socket.close()
            socket = await DiscordWebSocket.from_client(client, session="begun", sequence=1, **options)
            await socket.close()
    finally:
        await runner.cleanup()
    assert first_ops == [DiscordWebSocket.IDENTIFY, DiscordWebSocket.RESUME]


def test_what_moved_is_named_with_the_version() -> None:
    text = str(DiscordPyMovedError(["parser READY", "Route.BASE"]))
    assert "parser READY, Route.BASE" in text
    assert "discord.py 2." in text
