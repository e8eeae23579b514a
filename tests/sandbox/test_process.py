from __future__ import annotations

import asyncio
import signal

import aiohttp
import pytest

from tests.sandbox_process import SandboxProcess


async def _with_live_socket(sandbox: SandboxProcess) -> tuple[aiohttp.ClientSession, aiohttp.ClientWebSocketResponse]:
    session = aiohttp.ClientSession()
    socket = await session.ws_connect(f"{sandbox.base_url}/gateway")
    assert (await socket.receive_json())["op"] == 10
    await socket.send_json({"op": 2, "d": {"token": sandbox.bot_token, "intents": 1, "properties": {}}})
    assert (await socket.receive_json())["t"] == "READY"
    return session, socket


async def _until_it_hangs(sandbox: SandboxProcess) -> None:
    for _ in range(1_000):
        if (await sandbox.control("requests"))["requests"]:
            return
    raise AssertionError("the request never arrived")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_cleanly_with_live_sockets(number: signal.Signals) -> None:
    async with SandboxProcess() as sandbox:
        session, socket = await _with_live_socket(sandbox)
        async with session:
            sandbox.process.send_signal(number)
            assert (await socket.receive()).data == 1001
            assert await asyncio.to_thread(sandbox.process.wait, 5) == 0


async def test_it_ends_when_its_parents_end_of_the_pipe_closes() -> None:
    async with SandboxProcess() as sandbox:
        session, _socket = await _with_live_socket(sandbox)
        async with session:
            assert sandbox.process.stdin is not None
            sandbox.process.stdin.close()
            assert await asyncio.to_thread(sandbox.process.wait, 5) == 0


async def test_it_ends_even_while_a_request_hangs() -> None:
    async with SandboxProcess() as sandbox:
        await sandbox.control("fault", faults=[{"path": "/users/@me", "hang": 600}])
        async with aiohttp.ClientSession() as session:
            headers = {"Authorization": f"Bot {sandbox.bot_token}"}
            hanging = asyncio.create_task(session.get(f"{sandbox.api_base_url}/users/@me", headers=headers))
            await _until_it_hangs(sandbox)
            sandbox.process.terminate()
            assert await asyncio.to_thread(sandbox.process.wait, 5) == 0
            with pytest.raises(aiohttp.ClientError):
                await hanging
