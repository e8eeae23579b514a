"""What operators watch, in Prometheus' format. Labels come from fixed sets, so that no caller can make more of them."""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector

from mcp_server.call_metrics import CallMetrics
from operations.base import Executor, Outcome, Progress, Status, no_progress
from operations.plans import Asking
from operations.registry import Registry
from policy.model import Caller, Kind

FAULT = "fault"
CANCELLED = "cancelled"
OTHER = "other"

_AUTH_CODES = frozenset({"no_credential", "token_in_url", "malformed", "unknown_token", "revoked", "expired"})
_LAG_PERIOD_SECONDS = 0.5
_LAG_SAMPLES = 60
_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via")


class Metrics:
    """Its own registry: several can live in one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._calls = CallMetrics()
        self.registry.register(self._calls)
        self._auth_failures = Counter(
            "guildhall_auth_failures", "Refused credentials by reason.", ("reason",), registry=self.registry
        )
        self._lags: deque[float] = deque([0.0], maxlen=_LAG_SAMPLES)
        self.watch(
            "guildhall_event_loop_lag_seconds",
            "The longest that the event loop was late within the last half minute.",
            lambda: max(self._lags),
        )

    def watch(self, name: str, documentation: str, value: Callable[[], float]) -> None:
        """A gauge that is asked for its value when it is scraped. Raises ValueError for a name that is taken."""
        Gauge(name, documentation, registry=self.registry).set_function(value)

    def auth_failed(self, code: str) -> None:
        self._auth_failures.labels(code if code in _AUTH_CODES else OTHER).inc()

    def called(self, operation: str, status: str, step: str, seconds: float) -> None:
        """``operation`` must come from the registry."""
        self._calls.called(operation, status, step, seconds)

    def read(self) -> None:
        self._calls.read()

    def render(self) -> bytes:
        return generate_latest(self.registry)

    async def watch_event_loop(self) -> None:
        """Measures until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _LAG_PERIOD_SECONDS
            await asyncio.sleep(_LAG_PERIOD_SECONDS)
            self._lags.append(max(0.0, loop.time() - due))


class MeasuredExecutor:
    """Counts and times every call of an executor, whichever face it comes from."""

    def __init__(self, executor: Executor, registry: Registry, metrics: Metrics) -> None:
        self._executor = executor
        self._registry = registry
        self._metrics = metrics

    async def run(
        self,
        name: str,
        arguments: Mapping[str, Any],
        caller: Caller,
        *,
        progress: Progress = no_progress,
        asking: Asking | None = None,
    ) -> Outcome:
        began_at = time.perf_counter()
        status, step = FAULT, ""
        try:
            outcome = await self._executor.run(name, arguments, caller, progress=progress, asking=asking)
            status = outcome.status.value
            if outcome.refusal is not None:
                step = outcome.refusal.step.value
            if outcome.kind is Kind.READ and outcome.status is Status.DONE:
                self._metrics.read()
            return outcome
        except asyncio.CancelledError:
            status = CANCELLED
            raise
        finally:
            operation = self._registry.get(name)
            known = OTHER if operation is None else operation.name
            self._metrics.called(known, status, step, time.perf_counter() - began_at)

    def run_at_once(self, name: str, arguments: Mapping[str, Any], caller: Caller) -> Outcome | None:
        began_at = time.perf_counter()
        outcome = self._executor.run_at_once(name, arguments, caller)
        if outcome is not None:
            self._metrics.read()
            self._metrics.called(outcome.operation, outcome.status.value, "", time.perf_counter() - began_at)
        return outcome


class MetricsPage:
    """GET /metrics: with ``token`` for whoever sends it as a bearer, without one for this machine alone."""

    def __init__(self, metrics: Metrics, token: str | None) -> None:
        self._metrics = metrics
        self._token = token.encode() if token else None

    @property
    def needs_token(self) -> bool:
        return self._token is not None

    async def get(self, request: web.Request) -> web.Response:
        if self._token is None:
            if not _comes_from_this_machine(request):
                return _refused(403, "It is open on this machine only.", "Set METRICS_TOKEN and send it as a bearer.")
        elif not hmac.compare_digest(_bearer(request), self._token):
            response = _refused(401, "It needs a token.", "Send `Authorization: Bearer` with METRICS_TOKEN.")
            response.headers["WWW-Authenticate"] = 'Bearer realm="metrics"'
            return response
        return web.Response(body=self._metrics.render(), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _bearer(request: web.Request) -> bytes:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip().encode(errors="replace") if scheme.lower() == "bearer" else b""


def _comes_from_this_machine(request: web.Request) -> bool:
    """Not through a proxy on this machine either, as far as it says so."""
    if any(header in request.headers for header in _FORWARDED):
        return False
    try:
        return ipaddress.ip_address(request.remote or "").is_loopback
    except ValueError:
        return False


def _refused(status: int, reason: str, remedy: str) -> web.Response:
    body = {"status": "refused", "reason": reason, "remedy": remedy}
    return web.Response(status=status, body=orjson.dumps(body), content_type="application/json")
