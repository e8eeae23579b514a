from __future__ import annotations

import asyncio
import signal

import aiohttp
import pytest

from tests.sandbox_process import SandboxProcess, controlled


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


async def test_it_ends_even_while_a_page_waits_for_news() -> None:
    async with SandboxProcess() as sandbox:
        page, _, token = sandbox.preview_url.partition("#")
        known = (await controlled(f"{page}act", token, "see", {}))["state"]
        waiting = asyncio.ensure_future(controlled(f"{page}act", token, "see", {"known": known, "wait": 30}))
        await asyncio.sleep(0)
        assert (await controlled(f"{page}act", token, "see", {}))["state"] == known
        sandbox.process.terminate()
        assert await asyncio.to_thread(sandbox.process.wait, 5) == 0
        with pytest.raises(aiohttp.ClientError):
            await waiting
