"""What is counted, for Prometheus: plain numbers while requests run, put into its form when it asks."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from threading import Lock

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric

BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """Counters of one application; `count` is called by the event loop alone, `decided` by threads, too."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._decisions, self._lock = 0, Lock()
        self._requests: dict[tuple[str, str, int], int] = {}
        self._seconds: dict[str, list[float]] = {}
        self.registry.register(self)

    def decided(self, number: int = 1) -> None:
        """Count decisions."""
        with self._lock:
            self._decisions += number

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answer."""
        key = (method, route, status)
        self._requests[key] = self._requests.get(key, 0) + 1
        took = self._seconds.get(route)
        if took is None:
            took = self._seconds[route] = [0.0] * (len(BOUNDS) + 2)  # one for each bound, one beyond, the sum
        took[bisect_left(BOUNDS, seconds)] += 1
        took[-1] += seconds

    def collect(self) -> Iterator[Metric]:
        """Yield what was counted (the protocol of a Prometheus collector)."""
        yield CounterMetricFamily("compliance_decisions", "Decisions given", value=self._decisions)
        requests = CounterMetricFamily("compliance_requests", "Requests answered", labels=("method", "route", "status"))
        for (method, route, status), number in list(self._requests.items()):
            requests.add_metric((method, route, str(status)), number)
        yield requests
        seconds = HistogramMetricFamily("compliance_request_seconds", "Time to answer", labels=("route",))
        for route, took in list(self._seconds.items()):
            below, buckets = 0.0, list[tuple[str, float]]()
            for bound, times in zip((*map(str, BOUNDS), "+Inf"), took, strict=False):
                below += times
                buckets.append((bound, below))
            seconds.add_metric((route,), buckets, took[-1])
        yield seconds
