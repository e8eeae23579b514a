from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from mcp_server.app import MCP_HTTP
from mcp_server.metrics import MeasuredExecutor, Metrics
from operations.base import Encoded, Status
from policy.model import Caller, CallerKind, Face
from tests.mcp_server.scripted_executor import ScriptedExecutor, read, write
from tests.mcp_server.served import REGISTRY, Served, serving
from tests.mcp_server.transports.small_server import bearer, until_true

CALLER = Caller(CallerKind.TOKEN, Face.MCP, "mc_1", "ws_1", 1)
TOKEN = "a-token-for-scraping"


def line(metrics: Metrics, name: str) -> str:
    """The value of the one sample that begins with this."""
    (found,) = [text for text in metrics.render().decode().splitlines() if text.startswith(name)]
    return found.rpartition(" ")[2]


async def test_calls_are_counted_by_operation_status_and_step_and_timed() -> None:
    metrics, scripted = Metrics(), ScriptedExecutor(REGISTRY)
    executor = MeasuredExecutor(scripted, REGISTRY, metrics)
    scripted.outcomes["guild_list"] = read("guild_list", Encoded(b"{}"))
    scripted.outcomes["channel_delete"] = write("channel_delete", Status.REFUSED)
    for name in ("guild_list", "guild_list", "channel_delete"):
        await executor.run(name, {}, CALLER)
    assert line(metrics, 'guildhall_calls_total{operation="guild_list",status="done",step=""}') == "2.0"
    assert line(metrics, 'guildhall_calls_total{operation="channel_delete",status="refused",step="discord"}') == "1.0"
    assert line(metrics, 'guildhall_call_seconds_count{operation="guild_list"}') == "2.0"
    assert line(metrics, "guildhall_reads_total") == "2.0"


async def test_faults_and_cancellations_are_counted_and_pass_on() -> None:
    metrics, scripted = Metrics(), ScriptedExecutor(REGISTRY)
    executor = MeasuredExecutor(scripted, REGISTRY, metrics)
    scripted.outcomes["guild_list"] = RuntimeError("broken")
    with pytest.raises(RuntimeError):
        await executor.run("guild_list", {}, CALLER)
    assert line(metrics, 'guildhall_calls_total{operation="guild_list",status="fault"') == "1.0"
    scripted.gate = asyncio.Event()
    call = asyncio.create_task(executor.run("guild_get", {}, CALLER))
    await until_true(lambda: len(scripted.calls) == 2)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert line(metrics, 'guildhall_calls_total{operation="guild_get",status="cancelled"') == "1.0"


async def test_callers_cannot_make_labels() -> None:
    metrics, scripted = Metrics(), ScriptedExecutor(REGISTRY)
    executor = MeasuredExecutor(scripted, REGISTRY, metrics)
    for number in range(50):
        await executor.run(f"made_up_{number}", {}, CALLER)
        metrics.auth_failed(f"made_up_{number}")
    text = metrics.render().decode()
    assert "made_up" not in text
    assert line(metrics, 'guildhall_calls_total{operation="other"') == "50.0"
    assert line(metrics, 'guildhall_auth_failures_total{reason="other"}') == "50.0"


async def test_sessions_and_streams_are_watched(served: Served, token: str) -> None:
    assert line(served.metrics, "guildhall_mcp_sessions") == "0.0"
    async with served.web.get(f"{served.base}/sse", headers=bearer(token)):
        await until_true(lambda: len(served.app[MCP_HTTP].sessions) == 1)
        assert line(served.metrics, "guildhall_mcp_sessions") == "1.0"
        assert line(served.metrics, "guildhall_mcp_streams") == "1.0"


def test_other_parts_add_what_they_know() -> None:
    metrics, dropped = Metrics(), [0]
    metrics.watch("guildhall_events_dropped", "Events that found a full queue.", lambda: dropped[0])
    dropped[0] = 3
    assert line(metrics, "guildhall_events_dropped ") == "3.0"
    with pytest.raises(ValueError, match="guildhall_events_dropped"):
        metrics.watch("guildhall_events_dropped", "Again.", lambda: 0)


async def test_a_late_event_loop_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mcp_server.metrics._LAG_PERIOD_SECONDS", 0.001)
    metrics = Metrics()
    watching = asyncio.create_task(metrics.watch_event_loop())
    await asyncio.sleep(0)
    time.sleep(0.05)  # noqa: ASYNC251 - the blocking is what is measured
    await until_true(lambda: float(line(metrics, "guildhall_event_loop_lag_seconds")) > 0.02)
    watching.cancel()


async def test_without_a_token_metrics_are_open_on_this_machine_alone(served: Served) -> None:
    async with served.web.get(f"{served.base}/metrics") as response:
        assert response.status == 200
        assert "guildhall_mcp_sessions" in await response.text()
    for header in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"):
        async with served.web.get(f"{served.base}/metrics", headers={header: "203.0.113.9"}) as response:
            assert response.status == 403
            assert "METRICS_TOKEN" in (await response.json())["remedy"]


async def test_with_a_token_metrics_ask_for_it_wherever_they_are_asked_from(tmp_path: Path) -> None:
    async with serving(tmp_path, metrics_token=TOKEN) as served:
        for headers in ({}, bearer("wrong"), bearer("ünknown"), {"Authorization": TOKEN}):
            async with served.web.get(f"{served.base}/metrics", headers=headers) as response:
                assert response.status == 401
                assert response.headers["WWW-Authenticate"].startswith("Bearer")
        # A scraper names the process by whatever address it has.
        headers = {"Host": "10.0.0.7:8000", "X-Forwarded-For": "203.0.113.9", **bearer(TOKEN)}
        async with served.web.get(f"{served.base}/metrics", headers=headers) as response:
            assert response.status == 200


async def test_a_clients_token_does_not_open_metrics(tmp_path: Path) -> None:
    async with serving(tmp_path, metrics_token=TOKEN) as served:
        _, token = await served.token()
        async with served.web.get(f"{served.base}/metrics", headers=bearer(token)) as response:
            assert response.status == 401
