"""Is the process alive, and can it serve?

Anybody may ask, so neither answer holds a name or a secret. Of guilds, an alarm shows ids at most.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol

import orjson
import structlog
from aiohttp import web

_LOOK_SECONDS = 1.0
_PROBE_SECONDS = 2.0

log = structlog.stdlib.get_logger(__name__)


class State(StrEnum):
    UP = "up"
    DEGRADED = "degraded"
    """It serves, with less: stricter local limits while Redis is down."""
    OFF = "off"
    """Switched off on purpose."""
    STARTING = "starting"
    DOWN = "down"


_READY = frozenset({State.UP, State.DEGRADED, State.OFF})


@dataclass(frozen=True, slots=True)
class Reading:
    """``detail``: one sentence without names of guilds, addresses or secrets."""

    state: State
    detail: str = ""


class Probe(Protocol):
    """Says how a part is. An exception, or no answer within 2 s, counts as down."""

    async def __call__(self) -> Reading: ...


class Alarm(Protocol):
    """What is wrong, in one sentence; None while all is well."""

    def __call__(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class _Known:
    reading: Reading
    since: float


class Health:
    """Looks at the parts each second, so that asking often costs nothing; /ready answers with what was seen last."""

    def __init__(
        self,
        version: str,
        probes: Mapping[str, Probe],
        alarms: Mapping[str, Alarm] | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``probes`` decide about readiness; ``alarms`` are told by /health (that Discord's edge bans this address)."""
        self._version = version
        self._probes = dict(probes)
        self._alarms = dict(alarms or {})
        self._clock = clock
        self._started_at = clock()
        starting = Reading(State.STARTING, "Not looked at yet.")
        self._known = {name: _Known(starting, self._started_at) for name in self._probes}

    @property
    def is_ready(self) -> bool:
        return all(known.reading.state in _READY for known in self._known.values())

    async def run(self) -> None:
        """Looks until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(_LOOK_SECONDS)

    async def look(self) -> None:
        """Asks every probe once."""
        readings = await asyncio.gather(*(self._ask(name, probe) for name, probe in self._probes.items()))
        for name, reading in zip(self._probes, readings, strict=True):
            known = self._known[name]
            if known.reading.state is reading.state:
                self._known[name] = _Known(reading, known.since)
                continue
            self._known[name] = _Known(reading, self._clock())
            log.info("part_changed", part=name, state=reading.state.value, was=known.reading.state.value)

    async def health(self, request: web.Request) -> web.Response:
        """GET /health: 200 as long as the process answers."""
        alarms = {name: text for name, alarm in self._alarms.items() if (text := alarm()) is not None}
        body: dict[str, object] = {
            "status": "ok" if not alarms else "alarm",
            "version": self._version,
            "uptime_seconds": round(self._clock() - self._started_at),
        }
        if alarms:
            body["alarms"] = alarms
        return _json(200, body)

    async def ready(self, request: web.Request) -> web.Response:
        """GET /ready: 200 when every part is up, degraded or switched off; else 503."""
        parts: dict[str, dict[str, str]] = {}
        for name, known in self._known.items():
            parts[name] = {"state": known.reading.state.value, "since": _timestamp(known.since)}
            if known.reading.detail:
                parts[name]["detail"] = known.reading.detail
        return _json(
            200 if self.is_ready else 503, {"status": "ready" if self.is_ready else "not_ready", "parts": parts}
        )

    async def _ask(self, name: str, probe: Probe) -> Reading:
        try:
            async with asyncio.timeout(_PROBE_SECONDS):
                return await probe()
        except TimeoutError:
            return Reading(State.DOWN, f"It did not answer within {_PROBE_SECONDS:g} s.")
        except Exception as error:  # noqa: BLE001 - a probe fails in any way its part can, and the loop lives on
            # Its text may hold what nobody should read.
            if self._known[name].reading.state is not State.DOWN:
                log.warning("probe_failed", part=name, error=repr(error))
            return Reading(State.DOWN, f"It could not be asked ({type(error).__name__}).")


def _timestamp(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _json(status: int, body: Mapping[str, object]) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(body), content_type="application/json")
