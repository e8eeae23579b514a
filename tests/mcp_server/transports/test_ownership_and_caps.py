"""Sessions belong to the principal that opened them, and nobody takes more than the limits give."""

from __future__ import annotations

import asyncio

import pytest

from mcp_server.transports import TransportLimits
from tests.mcp_server.transports.small_server import (
    HANDSHAKE,
    INITIALIZE,
    Running,
    bearer,
    request,
    running,
    until,
    until_true,
)


@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
async def test_a_session_of_another_principal_looks_like_an_unknown_one(served: Running, method: str) -> None:
    async def answer(session_id: str) -> tuple[int, bytes]:
        headers = {**bearer("eve"), "Content-Type": "application/json", "Mcp-Session-Id": session_id}
        body = b'{"jsonrpc":"2.0","id":1,"method":"ping"}' if method == "POST" else None
        async with served.client.request(method, served.url, headers=headers, data=body) as response:
            return response.status, await response.read()

    session = await served.initialize("ann")
    assert await answer(session["Mcp-Session-Id"]) == await answer("0" * 32)
    assert len(served.http.sessions) == 1


async def test_a_stranger_never_reaches_the_transport(served: Running) -> None:
    async with served.client.post(served.url, json=request("initialize", INITIALIZE)) as response:
        assert response.status == 401


async def test_the_session_cap_of_a_principal_refuses_and_spares_others() -> None:
    async with running(TransportLimits(sessions_per_principal=2)) as served:
        first = await served.initialize("ann")
        await served.initialize("ann")
        async with served.post(request("initialize", INITIALIZE, 3), token="ann") as response:
            assert response.status == 429
            error = await response.json()
        assert error["id"] == 3
        assert "limit for one client is 2" in error["error"]["message"]
        assert "DELETE" in error["error"]["message"]
        await served.initialize("bob")
        async with served.client.delete(served.url, headers={**bearer("ann"), **first}) as response:
            assert response.status == 200
        await served.initialize("ann")


async def test_at_the_cap_a_long_unused_session_makes_room() -> None:
    limits = TransportLimits(sessions_per_principal=2, session_spare_seconds=1e-9, poll_seconds=0.01)
    async with running(limits) as served:
        first, second = await served.initialize("ann"), await served.initialize("ann")
        headers = {**bearer("ann"), **first, "Accept": "text/event-stream"}
        async with served.client.get(served.url, headers=headers):
            await served.initialize("ann")
            left = {session.id for session in served.http.sessions}
        assert first["Mcp-Session-Id"] in left
        assert second["Mcp-Session-Id"] not in left


async def test_the_cap_of_all_sessions_refuses_everybody() -> None:
    async with running(TransportLimits(sessions=1)) as served:
        await served.initialize("ann")
        async with served.post(request("initialize", INITIALIZE), token="bob") as response:
            assert response.status == 503
            assert "Retry-After" in response.headers


async def test_an_idle_session_ends_and_a_connected_one_stays() -> None:
    limits = TransportLimits(session_idle_seconds=0.05, poll_seconds=0.01)
    async with running(limits) as served:
        connected = await served.initialize("ann")
        headers = {**bearer("ann"), **connected, "Accept": "text/event-stream"}
        async with served.client.get(served.url, headers=headers) as stream:
            assert stream.status == 200
            idle = await served.initialize("ann")
            ids = {session.id: session for session in served.http.sessions}
            await until_true(lambda: ids[idle["Mcp-Session-Id"]].closed)
            assert not ids[connected["Mcp-Session-Id"]].closed
        await until_true(lambda: len(served.http.sessions) == 0)


async def test_the_cap_of_calls_refuses_the_next_one() -> None:
    async with running(TransportLimits(calls_per_principal=1)) as served:
        session = await served.initialize("ann")
        waiting = asyncio.create_task(served.call("wait", headers=session))
        await until(served.small.started)
        status, answer = await served.call("echo", request_id=2, headers=session)
        assert status == 429
        assert "calls in flight" in answer["error"]["message"]
        bob = await served.initialize("bob")
        assert (await served.call("echo", request_id=2, headers=bob, token="bob"))[0] == 200
        served.small.finish.set()
        assert (await waiting)[0] == 200
        assert len(served.http.host.calls) == 0


async def test_the_cap_of_streams_counts_listening_and_get_alike() -> None:
    filter_ = {"notifications": {"toolsListChanged": True}}
    async with (
        running(TransportLimits(streams_per_principal=1)) as served,
        served.modern("subscriptions/listen", filter_) as listening,
    ):
        assert listening.content_type == "text/event-stream"
        headers = {**bearer("ann"), **await served.initialize("ann"), "Accept": "text/event-stream"}
        async with served.client.get(served.url, headers=headers) as response:
            assert response.status == 429


async def test_a_second_request_with_an_id_in_flight_is_refused(served: Running) -> None:
    session = await served.initialize()
    waiting = asyncio.create_task(served.call("wait", request_id=7, headers=session))
    await until(served.small.started)
    for request_id in (7, "7"):
        status, answer = await served.call("echo", request_id=request_id, headers=session)
        assert (status, answer["id"]) == (409, request_id)
        assert "still in flight" in answer["error"]["message"]
    served.small.finish.set()
    assert (await waiting)[1]["result"]["content"][0]["text"] == "waited"
    assert (await served.call("echo", request_id=7, headers=session))[0] == 200


async def test_withdrawing_a_principal_ends_all_it_has(served: Running) -> None:
    session = await served.initialize("ann")
    bobs = await served.initialize("bob")
    closed: list[str] = []
    (anns,) = served.http.sessions.of("ann")
    anns.on_close(lambda: closed.append(anns.id))
    stream_headers = {**bearer("ann"), **session, "Accept": "text/event-stream"}
    async with (
        served.client.get(served.url, headers=stream_headers) as stream,
        served.modern("subscriptions/listen", {"notifications": {}}) as listening,
    ):
        waiting = asyncio.create_task(served.call("wait", headers=session))
        await until(served.small.started)
        assert await served.http.end_principal("ann") == 4
        status, answer = await waiting
        assert status == 403
        assert "withdrawn" in answer["error"]["message"]
        async with asyncio.timeout(5):
            assert b"event" not in await stream.read()
            assert b"withdrawn" in await listening.read()
    await until(served.small.cancelled)
    assert closed == [anns.id]
    assert [s.principal for s in served.http.sessions] == ["bob"]
    assert (await served.call("echo", headers=session))[0] == 404
    assert (await served.call("echo", headers=bobs, token="bob"))[0] == 200


async def test_a_session_speaks_the_version_it_negotiated(served: Running) -> None:
    old = {**INITIALIZE, "protocolVersion": "2024-11-05"}
    async with served.post(request("initialize", old)) as response:
        assert (await response.json())["result"]["protocolVersion"] == "2024-11-05"
        session = {"Mcp-Session-Id": response.headers["Mcp-Session-Id"]}
    assert (await served.call("echo", headers={**session, "MCP-Protocol-Version": HANDSHAKE}))[0] == 200
    assert served.small.contexts[0].protocol_version == "2024-11-05"
