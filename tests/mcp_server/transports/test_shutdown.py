"""Shutting down ends what is open, quickly, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import time

from mcp_server.transports import TransportLimits
from tests.mcp_server.transports.small_server import Small, bearer, running, until


async def test_shutdown_ends_streams_and_calls_within_a_second() -> None:
    small = Small()
    async with running(small=small) as served:
        session = await served.initialize()
        headers = {**bearer("ann"), **session, "Accept": "text/event-stream"}
        async with (
            served.client.get(served.url, headers=headers) as stream,
            served.client.get(f"{served.base}/sse", headers=headers) as legacy,
            served.modern("subscriptions/listen", {"notifications": {}}) as listening,
        ):
            waiting = asyncio.create_task(served.call("wait", headers=session))
            await until(small.started)
            began = time.monotonic()
            await served.runner.cleanup()
            assert time.monotonic() - began < 1
            status, answer = await waiting
            assert status == 503
            assert "shutting down" in answer["error"]["message"]
            for response in (stream, legacy, listening):
                await response.read()
    assert small.cancelled.is_set()
    assert len(served.http.sessions) == 0
    assert not small.lifespan_open


async def test_a_call_that_will_not_end_loses_its_connection() -> None:
    async with running(TransportLimits(shutdown_seconds=0.05, poll_seconds=0.01)) as served:
        session = await served.initialize()
        waiting = asyncio.create_task(served.call("stubborn", headers=session))
        await until(served.small.started)
        await served.http.aclose()
        await asyncio.wait({waiting})
        assert waiting.exception() is not None
        served.small.finish.set()
        await until(served.small.finished)


async def test_the_lifespan_of_the_server_is_entered_while_it_serves() -> None:
    small = Small()
    async with running(small=small) as served:
        assert small.lifespan_open
        await served.call("echo", headers=await served.initialize())
        assert small.contexts[0].lifespan_context == "state"
    assert not small.lifespan_open
