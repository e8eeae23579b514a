"""The hot path answers with ready bytes, and is a call like any other."""

from __future__ import annotations

import asyncio
from typing import Any

import mcp.types as t
import orjson
import pytest
from aiohttp import web
from mcp.shared.exceptions import MCPError

from mcp_server.transports import TransportLimits
from mcp_server.transports.hot_path import hot_arguments
from tests.mcp_server.transports.small_server import QUICK, Running, Small, notification, request, running, until


class Hot:
    """Answers `hot`, refuses `hot_refused`, breaks on `hot_broken`, waits on `hot_wait`; knows nothing else."""

    def __init__(self, small: Small) -> None:
        self.small = small
        self.asked: list[tuple[str, bool]] = []

    async def __call__(
        self, request: web.Request, name: str, arguments: dict[str, object], *, modern: bool
    ) -> bytes | None:
        self.asked.append((name, modern))
        match name:
            case "hot":
                answer: dict[str, Any] = {"content": [], "structuredContent": arguments, "resultType": "complete"}
                return orjson.dumps({**answer, "_meta": {"caller": request.headers["Authorization"]}})
            case "hot_refused":
                raise MCPError(-32001, "No", {"why": "because"})
            case "hot_broken":
                raise RuntimeError("an internal detail")
            case "hot_wait":
                await self.small.wait()
                return b"{}"
            case _:
                return None


@pytest.fixture
async def hot() -> Any:
    small = Small()
    path = Hot(small)
    async with running(QUICK, path, small) as served:
        yield served, path


async def test_a_hot_call_is_answered_in_both_eras(hot: tuple[Running, Hot]) -> None:
    served, path = hot
    session = await served.initialize()
    status, answer = await served.call("hot", {"a": 1}, request_id="x", headers=session)
    assert (status, answer["id"], answer["result"]["structuredContent"]) == (200, "x", {"a": 1})
    assert answer["result"]["_meta"] == {"caller": "Bearer ann"}
    async with served.modern("tools/call", {"name": "hot", "arguments": {"a": 2}}) as response:
        assert (await response.json())["result"]["structuredContent"] == {"a": 2}
    assert path.asked == [("hot", False), ("hot", True)]
    assert served.small.contexts == []


async def test_the_official_client_understands_a_hot_answer(hot: tuple[Running, Hot]) -> None:
    served, _ = hot
    for mode in ("legacy", "2026-07-28"):
        async with served.official(mode) as client:
            result = await client.call_tool("hot", {"a": 3})
            assert isinstance(result, t.CallToolResult)
            assert result.structured_content == {"a": 3}


async def test_what_the_hot_path_does_not_know_takes_the_ordinary_road(hot: tuple[Running, Hot]) -> None:
    served, path = hot
    status, answer = await served.call("echo", {"text": "hi"}, headers=await served.initialize())
    assert (status, answer["result"]["content"][0]["text"]) == (200, "hi")
    assert path.asked == [("echo", False)]


async def test_errors_of_the_hot_path_are_json_rpc_errors(hot: tuple[Running, Hot]) -> None:
    served, _ = hot
    session = await served.initialize()
    _, refused = await served.call("hot_refused", headers=session)
    assert refused["error"] == {"code": -32001, "message": "No", "data": {"why": "because"}}
    _, broken = await served.call("hot_broken", headers=session)
    assert broken["error"] == {"code": t.INTERNAL_ERROR, "message": "Internal server error"}


async def test_a_hot_call_is_cancelled_and_refused_as_a_duplicate(hot: tuple[Running, Hot]) -> None:
    served, _ = hot
    session = await served.initialize()
    waiting = asyncio.create_task(served.call("hot_wait", request_id=5, headers=session))
    await until(served.small.started)
    assert len(served.http.host.calls) == 1
    assert (await served.call("hot", request_id=5, headers=session))[0] == 409
    async with served.post(notification("notifications/cancelled", {"requestId": 5}), headers=session):
        pass
    assert (await waiting)[1]["error"]["code"] == -32800
    await until(served.small.cancelled)
    assert len(served.http.host.calls) == 0


async def test_a_hot_call_needs_a_session(hot: tuple[Running, Hot]) -> None:
    served, path = hot
    async with served.post(request("tools/call", {"name": "hot"})) as response:
        assert response.status == 400
    assert path.asked == []


class Ready:
    """Answers `ready` at once, breaks on `hot`; knows nothing else."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, bool]] = []

    def __call__(self, request: web.Request, name: str, arguments: dict[str, object], *, modern: bool) -> bytes | None:
        self.asked.append((name, modern))
        if name == "hot":
            raise RuntimeError("an internal detail")
        if name != "ready":
            return None
        return orjson.dumps({"content": [], "structuredContent": arguments, "resultType": "complete"})


async def test_what_is_ready_is_answered_at_once_in_both_eras() -> None:
    small, ready = Small(), Ready()
    hot = Hot(small)
    async with running(QUICK, hot, small, ready_path=ready) as served:
        session = await served.initialize()
        status, answer = await served.call("ready", {"a": 1}, request_id="x", headers=session)
        assert (status, answer["id"], answer["result"]["structuredContent"]) == (200, "x", {"a": 1})
        async with served.modern("tools/call", {"name": "ready", "arguments": {"a": 2}}) as response:
            assert response.headers["Content-Type"] == "application/json"
            assert (await response.json())["result"]["structuredContent"] == {"a": 2}
        assert ready.asked == [("ready", False), ("ready", True)]
        assert hot.asked == []
        for mode in ("legacy", "2026-07-28"):
            async with served.official(mode) as client:
                result = await client.call_tool("ready", {"a": 3})
                assert isinstance(result, t.CallToolResult)
                assert result.structured_content == {"a": 3}


async def test_what_is_not_ready_or_fails_takes_the_road_that_can_wait() -> None:
    small, ready = Small(), Ready()
    hot = Hot(small)
    async with running(QUICK, hot, small, ready_path=ready) as served:
        session = await served.initialize()
        _, answer = await served.call("hot", {"a": 1}, headers=session)
        assert answer["result"]["structuredContent"] == {"a": 1}
        _, answer = await served.call("echo", {"text": "hi"}, headers=session)
        assert answer["result"]["content"][0]["text"] == "hi"
        assert hot.asked == [("hot", False), ("echo", False)]


async def test_what_is_ready_is_refused_like_any_call() -> None:
    """Without a session, as a duplicate, beyond the cap, with headers that contradict the body."""
    small, ready = Small(), Ready()
    async with running(
        TransportLimits(poll_seconds=0.01, calls_per_principal=1), Hot(small), small, ready_path=ready
    ) as served:
        async with served.post(request("tools/call", {"name": "ready"})) as response:
            assert response.status == 400
        session = await served.initialize()
        waiting = asyncio.create_task(served.call("hot_wait", request_id=5, headers=session))
        await until(small.started)
        asked = list(ready.asked)
        assert (await served.call("ready", request_id=5, headers=session))[0] == 409
        assert (await served.call("ready", request_id=6, headers=session))[0] == 429
        async with served.modern("tools/call", {"name": "ready"}) as response:
            assert response.status == 429
        assert ready.asked == asked
        async with served.post(notification("notifications/cancelled", {"requestId": 5}), headers=session):
            pass
        await waiting
        for method, status in (("tools/call", 200), ("tools/list", 400)):
            async with served.modern("tools/call", {"name": "ready"}, headers={"Mcp-Method": method}) as response:
                assert response.status == status


@pytest.mark.parametrize(
    "params",
    [
        None,
        {},
        {"name": 7},
        {"name": "a", "arguments": []},
        {"name": "a", "arguments": None},
        {"name": "a", "_meta": 1},
        {"name": "a", "_meta": {"progressToken": 1}},
        {"name": "a", "_meta": {t.LOG_LEVEL_META_KEY: "info"}},
        {"name": "a", "requestState": "s"},
        {"name": "a", "inputResponses": {}},
        {"name": "a", "task": {}},
    ],
)
def test_a_call_that_may_need_more_than_a_result_is_not_hot(params: dict[str, Any] | None) -> None:
    assert hot_arguments("tools/call", params) is None


def test_only_tool_calls_are_hot() -> None:
    assert hot_arguments("prompts/get", {"name": "a"}) is None
    assert hot_arguments("tools/call", {"name": "a"}) == ("a", {})
    assert hot_arguments("tools/call", {"name": "a", "arguments": {"b": 1}, "_meta": {}}) == ("a", {"b": 1})
