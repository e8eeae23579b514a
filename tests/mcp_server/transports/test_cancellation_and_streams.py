"""What ends a call, what doesn't, and how a reply becomes a stream."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from mcp_server.transports import TransportLimits
from mcp_server.transports.ending import Ending
from mcp_server.transports.event_source import event_data
from mcp_server.transports.stream import EventStream
from tests.mcp_server.transports.small_server import (
    MODERN,
    QUICK,
    Running,
    bearer,
    notification,
    request,
    running,
    until,
    until_true,
)


async def events(response: aiohttp.ClientResponse) -> list[dict[str, Any]]:
    return [json.loads(data) async for data in event_data(response)]


@pytest.mark.parametrize("tool", ["wait", "swallow"])
async def test_a_cancelled_call_of_the_handshake_era_is_answered_as_cancelled(served: Running, tool: str) -> None:
    session = await served.initialize()
    waiting = asyncio.create_task(served.call(tool, request_id="7", headers=session))
    await until(served.small.started)
    async with served.post(notification("notifications/cancelled", {"requestId": 7}), headers=session) as response:
        assert response.status == 202
    status, answer = await waiting
    assert (status, answer["id"], answer["error"]["code"]) == (200, "7", -32800)
    await until(served.small.cancelled)
    # The connection that carried the cancelled call still serves.
    assert (await served.call("echo", headers=session))[0] == 200


async def test_cancelling_what_is_not_in_flight_does_nothing(served: Running) -> None:
    session = await served.initialize()
    for params in ({"requestId": 99}, {"requestId": [1]}, {}):
        async with served.post(notification("notifications/cancelled", params), headers=session) as response:
            assert response.status == 202


async def test_a_session_can_not_cancel_the_call_of_another(served: Running) -> None:
    anns, bobs = await served.initialize("ann"), await served.initialize("bob")
    waiting = asyncio.create_task(served.call("wait", headers=anns))
    await until(served.small.started)
    cancel = notification("notifications/cancelled", {"requestId": 1})
    async with served.post(cancel, headers=bobs, token="bob") as response:
        assert response.status == 202
    served.small.finish.set()
    assert (await waiting)[1]["result"]["content"][0]["text"] == "waited"


async def test_a_lost_connection_cancels_a_modern_call(served: Running) -> None:
    call = asyncio.create_task(read(served.modern("tools/call", {"name": "wait"})))
    await until(served.small.started)
    call.cancel()
    await until(served.small.cancelled)
    await until_true(lambda: len(served.http.host.calls) == 0)


async def test_a_lost_connection_does_not_cancel_a_call_of_the_handshake_era(served: Running) -> None:
    session = await served.initialize()
    call = asyncio.create_task(served.call("wait", headers=session))
    await until(served.small.started)
    (opened,) = served.http.sessions
    (open_call,) = opened.calls.values()
    call.cancel()
    await until_true(lambda: not open_call.connected)
    served.small.finish.set()
    await until(served.small.finished)
    assert not served.small.cancelled.is_set()


async def test_ending_the_session_cancels_its_calls(served: Running) -> None:
    session = await served.initialize()
    waiting = asyncio.create_task(served.call("wait", headers=session))
    await until(served.small.started)
    async with served.client.delete(served.url, headers={**bearer("ann"), **session}) as response:
        assert response.status == 200
    assert (await waiting)[0] == 404
    await until(served.small.cancelled)


async def test_a_quiet_call_is_answered_in_plain_json_and_a_speaking_one_as_a_stream(served: Running) -> None:
    session = await served.initialize()
    async with served.post(request("tools/call", {"name": "progress"}), headers=session) as response:
        assert response.content_type == "application/json"
        assert response.headers["Mcp-Session-Id"] == session["Mcp-Session-Id"]
    message = request("tools/call", {"name": "progress", "_meta": {"progressToken": "p"}}, "a")
    async with served.post(message, headers=session) as response:
        assert response.content_type == "text/event-stream"
        assert response.headers["Mcp-Session-Id"] == session["Mcp-Session-Id"]
        *progress, answer = await events(response)
    assert [event["params"]["progress"] for event in progress] == [1, 2]
    assert answer["id"] == "a"


@pytest.mark.parametrize("era", ["handshake", "modern"])
async def test_a_long_silent_call_becomes_a_stream_with_pings(era: str) -> None:
    async with running(TransportLimits(ping_seconds=0.02, poll_seconds=0.01)) as served:
        if era == "modern":
            call = served.modern("tools/call", {"name": "wait"})
        else:
            call = served.post(request("tools/call", {"name": "wait"}), headers=await served.initialize())
        async with call as response:
            assert response.content_type == "text/event-stream"
            assert (await response.content.readline()).startswith(b": ping")
            served.small.finish.set()
            (answer,) = await events(response)
        assert answer["result"]["content"][0]["text"] == "waited"


async def test_an_answer_to_a_request_of_ours_reaches_the_handler(served: Running) -> None:
    session = await served.initialize()
    async with served.post(request("tools/call", {"name": "ask"}), headers=session) as response:
        stream = event_data(response)
        question = json.loads(await anext(stream))
        assert question["method"] == "elicitation/create"
        answer = {"jsonrpc": "2.0", "id": str(question["id"]), "result": {"action": "decline"}}
        async with served.post({**answer, "id": 999}, headers=session) as ignored:
            assert ignored.status == 202
        async with served.post(answer, headers=session) as accepted:
            assert accepted.status == 202
        result = json.loads(await anext(stream))
    assert result["result"]["content"][0]["text"] == "decline None"


async def test_an_error_in_answer_to_a_request_of_ours_reaches_the_handler(served: Running) -> None:
    session = await served.initialize()
    async with served.post(request("tools/call", {"name": "ask"}), headers=session) as response:
        stream = event_data(response)
        question = json.loads(await anext(stream))
        error = {"jsonrpc": "2.0", "id": question["id"], "error": {"code": -1, "message": "no form"}}
        async with served.post(error, headers=session) as accepted:
            assert accepted.status == 202
        result = json.loads(await anext(stream))
    assert result["error"] == {"code": -1, "message": "no form"}


async def test_cancelling_a_call_withdraws_what_it_asked(served: Running) -> None:
    session = await served.initialize()
    async with served.post(request("tools/call", {"name": "ask"}), headers=session) as response:
        stream = event_data(response)
        question = json.loads(await anext(stream))
        async with served.post(notification("notifications/cancelled", {"requestId": 1}), headers=session):
            pass
        rest = [json.loads(data) async for data in stream]
    assert [message.get("method", message.get("id")) for message in rest][-1] == 1
    assert rest[-1]["error"]["code"] == -32800
    assert all(message["params"]["requestId"] == question["id"] for message in rest[:-1])


async def test_the_newest_get_stream_takes_over(served: Running) -> None:
    headers = {**bearer("ann"), **await served.initialize(), "Accept": "text/event-stream"}
    (session,) = served.http.sessions
    async with (
        served.client.get(served.url, headers=headers) as old,
        served.client.get(served.url, headers=headers) as new,
    ):
        assert await events(old) == []
        await session.notify("notifications/tools/list_changed", None)
        assert json.loads(await anext(event_data(new)))["method"] == "notifications/tools/list_changed"


async def test_the_headers_of_a_get_stream_arrive_at_once(served: Running) -> None:
    headers = {**bearer("ann"), **await served.initialize(), "Accept": "text/event-stream"}
    async with asyncio.timeout(5), served.client.get(served.url, headers=headers) as response:
        assert response.headers["Cache-Control"].startswith("no-cache")


async def test_a_get_stream_is_pinged_and_forgotten_when_its_client_goes() -> None:
    async with running(TransportLimits(ping_seconds=0.01, poll_seconds=0.01)) as served:
        headers = {**bearer("ann"), **await served.initialize(), "Accept": "text/event-stream"}
        async with served.client.get(served.url, headers=headers) as response:
            assert b": ping" in await response.content.readuntil(b": ping")
        await asyncio.wait_for(served.http.host.streams.wait_empty(), 5)


async def test_a_reader_that_does_not_read_is_cut_off_and_memory_stays_bounded() -> None:
    limits = TransportLimits(stream_messages=8, stream_bytes=300_000, poll_seconds=0.01)
    async with running(limits) as served:
        headers = {**bearer("ann"), **await served.initialize(), "Accept": "text/event-stream"}
        (session,) = served.http.sessions
        async with served.client.get(served.url, headers=headers) as response:
            assert session.stream is not None
            stream = session.stream
            for _ in range(200):
                await session.notify("notifications/message", {"level": "info", "data": "x" * 100_000})
                assert stream.waiting_bytes <= 300_000
                await asyncio.sleep(0)
            assert stream.closed
            with pytest.raises(aiohttp.ClientPayloadError):
                await response.read()
        await until_true(lambda: session.stream is None)
        assert not session.closed


async def test_a_stuck_post_stream_is_cut_off_after_the_write_time() -> None:
    async with running(TransportLimits(write_seconds=0.05, poll_seconds=0.01)) as served:
        headers = await served.initialize()
        message = request("tools/call", {"name": "flood", "_meta": {"progressToken": 1}})
        async with served.post(message, headers=headers) as response:
            assert response.content_type == "text/event-stream"
            await until(served.small.finished)
            with pytest.raises(aiohttp.ClientPayloadError):
                await response.read()


def test_a_single_message_above_the_limit_passes_when_nothing_waits() -> None:
    stream = EventStream(TransportLimits(stream_bytes=10))
    assert stream.send(b"x" * 100)
    assert not stream.send(b"y")
    assert stream.closed


def test_a_closed_stream_takes_nothing() -> None:
    stream = EventStream(QUICK)
    stream.end(Ending.SHUTDOWN)
    assert not stream.send(b"x")


async def read(call: Any) -> bytes:
    async with call as response:
        body: bytes = await response.read()
        return body


async def test_notifications_of_the_modern_era_are_acknowledged(served: Running) -> None:
    headers = {"MCP-Protocol-Version": MODERN}
    async with served.post(notification("notifications/cancelled", {"requestId": 1}), headers=headers) as response:
        assert response.status == 202
    async with served.post({"jsonrpc": "2.0", "id": 1, "result": {}}, headers=headers) as response:
        assert response.status == 400
