"""What happened, as Prometheus reads it: names that stay, labels that only configuration adds to.

No label takes its values from callers: not paths, not headers, not request ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from gateway.observe.counters import Counters, Whose
from gateway.observe.intervals import Interval

if TYPE_CHECKING:
    from gateway.core.snapshot import Snapshot

MEDIA: Final = "text/plain; version=0.0.4"

BOUNDS: Final = (
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
)  # fmt: skip
"""Upper bounds of the latency buckets, in seconds; each is exact within one hundredth."""

_WHOSE: Final = ("stage", "function", "alias", "version")
_ANSWER: Final = (*_WHOSE, "reason")


@dataclass(frozen=True, slots=True)
class Part:
    """One process of a gateway.

    Attributes:
        process: Its name; empty where a gateway is one process.
        counters: What it answered.
        latency: Its latencies by version.
        activity: Running invocations and starts, by function and version.
        lag: The longest delay of its event loop since the last scrape, in seconds.
        dropped: Answers that are in no latency and in no log.
        left_out: Invocations that the log did not keep.
    """

    process: str
    counters: Counters
    latency: Mapping[Whose, Interval]
    activity: Mapping[tuple[str, str], tuple[int, int]]
    lag: float = 0.0
    dropped: int = 0
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Told:
    """What is told.

    Attributes:
        snapshot: The live snapshot.
        parts: Every process of the gateway: they all have names, or there is one without.
        age: Seconds since the snapshot was known to be the newest; `None` where it always is.
        breakers: How circuits stand, by function and version: 0 closed, 1 half-open, 2 open.
    """

    snapshot: Snapshot
    parts: Sequence[Part]
    age: float | None = None
    breakers: Mapping[tuple[str, str], int] = field(default_factory=dict)


def exposition(told: Told) -> bytes:
    """The text that Prometheus scrapes."""
    # Only who is scraped needs the library.
    from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
    from prometheus_client.exposition import generate_latest

    registry = CollectorRegistry(auto_describe=False)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    registry.register(_Collector(told))
    return generate_latest(registry)


class _Collector:
    """Makes the families of the library of what is known now."""

    def __init__(self, told: Told) -> None:
        self._told = told
        named = any(part.process for part in told.parts)
        # Each process counts from its own beginning: only apart they never go back.
        self._whose = ("process",) if named else ()
        self._parts = [((part.process,) if named else (), part) for part in told.parts]

    def collect(self) -> Iterator[Any]:
        """Every family."""
        yield from self._answers()
        yield self._latency()
        yield from self._versions()
        yield self._weights()
        yield self._breakers()
        yield from self._gateway()
        yield from self._process()

    def _answers(self) -> Iterator[Any]:
        from prometheus_client.core import CounterMetricFamily

        requests = CounterMetricFamily(
            "gateway_requests",
            "Answers, by what decided and by status.",
            labels=[*_ANSWER, "status", *self._whose],
        )
        errors = CounterMetricFamily(
            "gateway_errors",
            "Answers that were errors, by kind.",
            labels=[*_ANSWER, "kind", *self._whose],
        )
        kinds: dict[tuple[str, ...], int] = {}
        for process, part in self._parts:
            for cell in part.counters.cells():
                for status, number in sorted(cell.statuses.items()):
                    said = f"{status} malformed" if cell.malformed else str(status)
                    requests.add_metric([*cell.label, said, *process], number)
                    kind = cell.kind(status)
                    if kind:
                        key = (*cell.label, kind, *process)
                        kinds[key] = kinds.get(key, 0) + number
        for whose, number in kinds.items():
            errors.add_metric(whose, number)
        yield requests
        yield errors

    def _latency(self) -> Any:  # noqa: ANN401 - the library has no types
        from prometheus_client.core import HistogramMetricFamily

        family = HistogramMetricFamily(
            "gateway_request_seconds",
            "From a request's head to the end of its answer.",
            labels=[*_WHOSE, *self._whose],
        )
        for process, part in self._parts:
            for whose, interval in sorted(part.latency.items()):
                buckets = list(_buckets(interval))
                family.add_metric((*whose, *process), buckets, interval.latency.sum)
        return family

    def _versions(self) -> Iterator[Any]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        labels = ["function", "version", *self._whose]
        running = GaugeMetricFamily(
            "gateway_invocations_running", "Invocations that run now.", labels=labels
        )
        starts = CounterMetricFamily(
            "gateway_starts",
            "Loads of a version's code, and starts of its processes.",
            labels=labels,
        )
        for process, part in self._parts:
            for key, (now, started) in sorted(part.activity.items()):
                running.add_metric((*key, *process), now)
                starts.add_metric((*key, *process), started)
        yield running
        yield starts

    def _weights(self) -> Any:  # noqa: ANN401 - as above
        from prometheus_client.core import GaugeMetricFamily

        weights = GaugeMetricFamily(
            "gateway_alias_weight",
            "The share that an alias has configured for a version, of what no rule takes.",
            labels=["function", "alias", "version"],
        )
        for whose, share in _weights(self._told.snapshot):
            weights.add_metric(whose, share)
        return weights

    def _breakers(self) -> Any:  # noqa: ANN401 - as above
        from prometheus_client.core import GaugeMetricFamily

        states = GaugeMetricFamily(
            "gateway_breaker_state",
            "How the circuit of a version stands: 0 closed, 1 half-open, 2 open.",
            labels=["function", "version"],
        )
        for whose, state in sorted(self._told.breakers.items()):
            states.add_metric(whose, state)
        return states

    def _gateway(self) -> Iterator[Any]:
        from prometheus_client.core import GaugeMetricFamily

        yield GaugeMetricFamily(
            "gateway_revision", "The live revision.", value=self._told.snapshot.revision
        )
        if self._told.age is not None:
            yield GaugeMetricFamily(
                "gateway_state_age_seconds",
                "How long ago the live revision was known to be the newest one.",
                value=self._told.age,
            )

    def _process(self) -> Iterator[Any]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        lag = GaugeMetricFamily(
            "gateway_loop_lag_seconds",
            "The longest delay of the event loop since the last scrape.",
            labels=self._whose,
        )
        dropped = CounterMetricFamily(
            "gateway_observations_dropped",
            "Answers that are in no latency and in no log; the counters have them.",
            labels=self._whose,
        )
        left_out = CounterMetricFamily(
            "gateway_log_left_out", "Invocations that the log did not keep.", labels=self._whose
        )
        for process, part in self._parts:
            lag.add_metric(process, part.lag)
            dropped.add_metric(process, part.dropped)
            left_out.add_metric(process, part.left_out)
        yield lag
        yield dropped
        yield left_out


def _buckets(interval: Interval) -> Iterator[tuple[str, float]]:
    for bound in BOUNDS:
        yield str(bound), interval.latency.at_most(bound)
    yield "+Inf", interval.requests


def _weights(snapshot: Snapshot) -> Iterable[tuple[tuple[str, str, str], float]]:
    for function in snapshot.functions.values():
        for name, alias in function.aliases.items():
            route = alias.route
            yield (function.name, name, route.version), float(1 - sum(route.weights.values()))
            for version, weight in route.weights.items():
                yield (function.name, name, version), float(weight)
