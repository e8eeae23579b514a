"""Calls by outcome, and how long they took: counted in plain numbers, made into Prometheus' samples when scraped.

prometheus_client takes a lock and several calls of its own for each number; of a read from memory that was a tenth.
Everything here runs in the event loop's thread.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_BOUNDS = (*map(str, BUCKETS), "+Inf")


class _Times:
    """How many calls took at most so long as each bound, and longer than the one before; and the sum."""

    __slots__ = ("counts", "seconds")

    def __init__(self) -> None:
        self.counts = [0] * len(_BOUNDS)
        self.seconds = 0.0


class CallMetrics(Collector):
    """Register it with a prometheus registry."""

    def __init__(self) -> None:
        self._calls: dict[tuple[str, str, str], int] = {}
        self._times: dict[str, _Times] = {}
        self._reads = 0

    def called(self, operation: str, status: str, step: str, seconds: float) -> None:
        key = (operation, status, step)
        self._calls[key] = self._calls.get(key, 0) + 1
        times = self._times.get(operation)
        if times is None:
            times = self._times[operation] = _Times()
        times.counts[bisect_left(BUCKETS, seconds)] += 1
        times.seconds += seconds

    def read(self) -> None:
        self._reads += 1

    def collect(self) -> Iterator[Metric]:
        calls = CounterMetricFamily(
            "guildhall_calls",
            "Calls of operations by outcome; step is the one that refused.",
            labels=("operation", "status", "step"),
        )
        for key, count in self._calls.items():
            calls.add_metric(key, count)
        yield calls
        took = HistogramMetricFamily(
            "guildhall_call_seconds", "How long calls took, without the transport.", labels=("operation",)
        )
        for operation, times in self._times.items():
            took.add_metric((operation,), _cumulative(times.counts), times.seconds)
        yield took
        yield CounterMetricFamily("guildhall_reads", "Reads that were allowed and done.", value=self._reads)


def _cumulative(counts: list[int]) -> list[tuple[str, float]]:
    """Prometheus counts in each bucket what fits into a smaller one, too."""
    total = 0
    buckets: list[tuple[str, float]] = []
    for bound, count in zip(_BOUNDS, counts, strict=True):
        total += count
        buckets.append((bound, total))
    return buckets
