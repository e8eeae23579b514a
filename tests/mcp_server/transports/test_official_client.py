"""The SDK's own client over the transport, in both protocol eras."""

from __future__ import annotations

import asyncio
from typing import Any

import mcp.types as t
import pytest
from mcp.client import ClientRequestContext
from mcp.server.subscriptions import ToolsListChanged
from mcp.shared.exceptions import MCPError

from mcp_server.transports import session_of
from tests.mcp_server.transports.small_server import HANDSHAKE, MODERN, Running, said, until, until_true

ERAS = pytest.mark.parametrize("mode", ["legacy", MODERN])


async def accept(context: ClientRequestContext, params: t.ElicitRequestParams) -> t.ElicitResult:
    return t.ElicitResult(action="accept", content={"ok": True})


@ERAS
async def test_tools_are_listed_and_called(served: Running, mode: str) -> None:
    async with served.official(mode) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == ["echo"]
        assert said(await client.call_tool("echo", {"text": "grüße 😀"})) == "grüße 😀"


async def test_the_client_negotiates_the_newest_era_by_itself(served: Running) -> None:
    async with served.official("auto") as client:
        assert client.session.protocol_version == MODERN


async def test_a_handshake_client_gets_the_handshake_era(served: Running) -> None:
    async with served.official("legacy") as client:
        assert client.session.protocol_version == HANDSHAKE
        assert len(served.http.sessions) == 1
    assert len(served.http.sessions) == 0


@ERAS
async def test_progress_arrives_before_the_result(served: Running, mode: str) -> None:
    seen: list[tuple[float, float | None, str | None]] = []

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        seen.append((progress, total, message))

    async with served.official(mode) as client:
        assert said(await client.call_tool("progress", progress_callback=on_progress)) == "done"
    assert seen == [(1, 2, "step 1"), (2, 2, "step 2")]


@ERAS
async def test_an_error_keeps_its_code_and_data(served: Running, mode: str) -> None:
    async with served.official(mode) as client:
        with pytest.raises(MCPError) as raised:
            await client.call_tool("refuse")
    assert (raised.value.code, raised.value.message, raised.value.data) == (-32001, "No", {"why": "because"})


@ERAS
async def test_a_crash_shows_nothing_of_its_inside(served: Running, mode: str) -> None:
    async with served.official(mode) as client:
        with pytest.raises(MCPError) as raised:
            await client.call_tool("break")
    assert raised.value.code == t.INTERNAL_ERROR
    assert "detail" not in str(raised.value)


@ERAS
async def test_a_result_that_json_cannot_hold_is_an_internal_error(served: Running, mode: str) -> None:
    async with served.official(mode) as client:
        with pytest.raises(MCPError) as raised:
            await client.call_tool("unwritable")
    assert raised.value.code == t.INTERNAL_ERROR


@ERAS
async def test_abandoning_a_call_cancels_it_on_the_server(served: Running, mode: str) -> None:
    async with served.official(mode) as client:
        call = asyncio.create_task(client.call_tool("wait"))
        await until(served.small.started)
        call.cancel()
        await asyncio.wait({call})
        await until(served.small.cancelled)
        assert said(await client.call_tool("echo", {"text": "on"})) == "on"


async def test_the_handshake_era_asks_its_client_in_the_middle_of_a_call(served: Running) -> None:
    async with served.official("legacy", elicitation_callback=accept) as client:
        assert said(await client.call_tool("ask")) == "accept {'ok': True}"


async def test_the_modern_era_asks_by_input_required(served: Running) -> None:
    async with served.official(MODERN, elicitation_callback=accept) as client:
        assert said(await client.call_tool("confirm")) == "accept kept"


async def test_the_modern_era_can_not_be_asked_in_the_middle_of_a_call(served: Running) -> None:
    async with served.official(MODERN, elicitation_callback=accept) as client:
        with pytest.raises(MCPError, match="no back-channel"):
            await client.call_tool("ask")


async def test_a_notification_outside_of_a_call_arrives_on_the_get_stream(served: Running) -> None:
    arrived = asyncio.Event()

    async def on_message(message: Any) -> None:
        if isinstance(message, t.ToolListChangedNotification):
            arrived.set()

    async with served.official("legacy", message_handler=on_message) as client:
        (session,) = served.http.sessions
        await until_true(lambda: session.stream is not None)
        await client.call_tool("announce")
        await until(arrived)


async def test_change_events_arrive_on_a_listen_stream(served: Running) -> None:
    async with served.official(MODERN) as client, client.listen(tools_list_changed=True) as events:
        assert len(served.http.host.streams) == 1
        await served.small.bus.publish(ToolsListChanged())
        async with asyncio.timeout(5):
            assert isinstance(await anext(aiter(events)), ToolsListChanged)
    async with asyncio.timeout(5):
        await served.http.host.streams.wait_empty()


@ERAS
async def test_the_handler_sees_the_request_of_its_own_call(served: Running, mode: str) -> None:
    async with served.official(mode, token="bob") as client:
        assert said(await client.call_tool("who")) == "Bearer bob"
    session = session_of(served.small.contexts[0].request)
    assert (session is None) == (mode == MODERN)


async def test_many_calls_of_one_session_run_side_by_side(served: Running) -> None:
    async with served.official("legacy") as client:
        waiting = asyncio.create_task(client.call_tool("wait"))
        await until(served.small.started)
        echoed = await asyncio.gather(*(client.call_tool("echo", {"text": str(n)}) for n in range(20)))
        assert [said(result) for result in echoed] == [str(n) for n in range(20)]
        served.small.finish.set()
        assert said(await waiting) == "waited"
