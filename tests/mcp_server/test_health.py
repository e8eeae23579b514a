from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from mcp_server.app import HEALTH
from mcp_server.health import Alarm, Health, Probe, Reading, State
from tests.mcp_server.served import Clock, serving


class Part:
    """A part whose state is set by hand."""

    def __init__(self, state: State = State.UP, detail: str = "") -> None:
        self.state = state
        self.detail = detail

    async def __call__(self) -> Reading:
        return Reading(self.state, self.detail)


class Broken:
    async def __call__(self) -> Reading:
        raise OSError("postgresql://user:hunter2@db refused")


class Stuck:
    async def __call__(self) -> Reading:
        await asyncio.Event().wait()
        return Reading(State.UP)


async def asked(page: Callable[[web.Request], Awaitable[web.Response]]) -> tuple[int, dict[str, Any]]:
    response = await page(make_mocked_request("GET", "/"))
    assert isinstance(response.body, bytes)
    return response.status, orjson.loads(response.body)


def health(
    probes: Mapping[str, Probe], alarms: Mapping[str, Alarm] | None = None, clock: Clock | None = None
) -> Health:
    return Health("1.2.3", probes, alarms, clock=clock or Clock(1_800_000_000.0))


@pytest.mark.parametrize(
    ("state", "status"),
    [(State.UP, 200), (State.DEGRADED, 200), (State.OFF, 200), (State.STARTING, 503), (State.DOWN, 503)],
)
async def test_one_part_that_cannot_serve_makes_the_whole_not_ready(state: State, status: int) -> None:
    looked = health({"database": Part(), "gateway": Part(state, "ENABLE_GATEWAY=false: REST only.")})
    await looked.look()
    assert await asked(looked.ready) == (
        status,
        {
            "status": "ready" if status == 200 else "not_ready",
            "parts": {
                "database": {"state": "up", "since": "2027-01-15T08:00:00Z"},
                "gateway": {
                    "state": state.value,
                    "since": "2027-01-15T08:00:00Z",
                    "detail": "ENABLE_GATEWAY=false: REST only.",
                },
            },
        },
    )


async def test_nothing_is_ready_before_it_was_looked_at() -> None:
    status, body = await asked(health({"database": Part()}).ready)
    assert status == 503
    assert body["parts"]["database"]["state"] == "starting"


async def test_since_is_when_the_state_changed_and_not_when_it_was_looked_at() -> None:
    clock, part = Clock(1_800_000_000.0), Part()
    looked = health({"redis": part}, clock=clock)
    await looked.look()
    clock.now += 100
    await looked.look()
    assert (await asked(looked.ready))[1]["parts"]["redis"]["since"] == "2027-01-15T08:00:00Z"
    part.state = State.DOWN
    await looked.look()
    assert (await asked(looked.ready))[1]["parts"]["redis"]["since"] == "2027-01-15T08:01:40Z"


@pytest.mark.parametrize("probe", [Broken(), Stuck()])
async def test_a_probe_that_fails_or_hangs_is_down_and_its_text_stays_inside(
    probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mcp_server.health._PROBE_SECONDS", 0.01)
    looked = health({"database": probe, "gateway": Part()})
    await looked.look()
    status, body = await asked(looked.ready)
    assert status == 503
    assert body["parts"]["database"]["state"] == "down"
    assert body["parts"]["gateway"]["state"] == "up"
    assert "hunter2" not in str(body)


async def test_health_says_that_the_process_is_alive_and_what_is_wrong() -> None:
    clock = Clock(1_800_000_000.0)
    alarm: list[str] = []
    looked = health({"database": Part(State.DOWN)}, {"discord_edge": lambda: alarm[0] if alarm else None}, clock)
    clock.now += 90
    assert await asked(looked.health) == (200, {"status": "ok", "version": "1.2.3", "uptime_seconds": 90})
    alarm.append("Discord's edge has banned this address; calls stop for 60 s.")
    status, body = await asked(looked.health)
    assert (status, body["status"], body["alarms"]) == (200, "alarm", {"discord_edge": alarm[0]})


async def test_the_application_looks_by_itself(tmp_path: Path) -> None:
    part = Part(State.UP)
    async with serving(tmp_path, probes={"database": part}) as served:
        async with asyncio.timeout(5):
            while not served.app[HEALTH].is_ready:  # noqa: ASYNC110 - the look after the start has no event
                await asyncio.sleep(0.005)
        async with served.web.get(f"{served.base}/ready") as response:
            assert response.status == 200
