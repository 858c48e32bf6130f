"""What happened, as Prometheus reads it: names that stay, labels that only configuration adds to.

No label takes its values from callers: not paths, not headers, not request ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gateway.observe.series import Interval

if TYPE_CHECKING:
    from gateway.core.snapshot import Snapshot
    from gateway.observe.observer import Observer

MEDIA: Final = "text/plain; version=0.0.4"

BOUNDS: Final = (
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
)  # fmt: skip
"""Upper bounds of the latency buckets, in seconds; each is exact within one hundredth."""

_WHOSE: Final = ("stage", "function", "alias", "version")
_ANSWER: Final = (*_WHOSE, "reason")


@dataclass(frozen=True, slots=True)
class Told:
    """What is told beside what the observer knows.

    Attributes:
        snapshot: The live snapshot.
        activity: Running invocations and starts, by function and version.
        left_out: Invocations that the log did not keep.
        age: Seconds since the snapshot was known to be the newest; `None` where it always is.
    """

    snapshot: Snapshot
    activity: Mapping[tuple[str, str], tuple[int, int]]
    left_out: int
    age: float | None = None


def exposition(observer: Observer, told: Told) -> bytes:
    """The text that Prometheus scrapes."""
    # Only who is scraped needs the library.
    from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
    from prometheus_client.exposition import generate_latest

    registry = CollectorRegistry(auto_describe=False)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    registry.register(_Collector(observer, told))
    return generate_latest(registry)


class _Collector:
    """Makes the families of the library of what is known now."""

    def __init__(self, observer: Observer, told: Told) -> None:
        self._observer = observer
        self._told = told

    def collect(self) -> Iterator[Any]:
        """Every family."""
        self._observer.settle()
        yield from self._answers()
        yield self._latency()
        yield from self._versions()
        yield from self._gateway()

    def _answers(self) -> Iterator[Any]:
        from prometheus_client.core import CounterMetricFamily

        requests = CounterMetricFamily(
            "gateway_requests",
            "Answers, by what decided and by status.",
            labels=[*_ANSWER, "status"],
        )
        errors = CounterMetricFamily(
            "gateway_errors", "Answers that were errors, by kind.", labels=[*_ANSWER, "kind"]
        )
        kinds: dict[tuple[str, ...], int] = {}
        for cell in self._observer.counters.cells():
            for status, number in sorted(cell.statuses.items()):
                kind = cell.kind(status)
                said = str(status) if not cell.malformed else f"{status} malformed"
                requests.add_metric([*cell.label, said], number)
                if kind:
                    key = (*cell.label, kind)
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
            labels=list(_WHOSE),
        )
        for whose, interval in self._by_version().items():
            family.add_metric(whose, list(_buckets(interval)), interval.latency.sum)
        return family

    def _by_version(self) -> dict[tuple[str, ...], Interval]:
        found: dict[tuple[str, ...], Interval] = {}
        for label in self._observer.series.labels():
            found.setdefault(label[:4], Interval()).merge(self._observer.series.whole(label))
        return found

    def _versions(self) -> Iterator[Any]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        labels = ["function", "version"]
        running = GaugeMetricFamily(
            "gateway_invocations_running", "Invocations that run now.", labels=labels
        )
        starts = CounterMetricFamily(
            "gateway_starts",
            "Loads of a version's code, and starts of its processes.",
            labels=labels,
        )
        for key, (now, started) in sorted(self._told.activity.items()):
            running.add_metric(key, now)
            starts.add_metric(key, started)
        weights = GaugeMetricFamily(
            "gateway_alias_weight",
            "The share that an alias has configured for a version, of what no rule takes.",
            labels=["function", "alias", "version"],
        )
        for whose, share in _weights(self._told.snapshot):
            weights.add_metric(whose, share)
        yield running
        yield starts
        yield weights

    def _gateway(self) -> Iterator[Any]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        yield GaugeMetricFamily(
            "gateway_revision", "The live revision.", value=self._told.snapshot.revision
        )
        if self._told.age is not None:
            yield GaugeMetricFamily(
                "gateway_state_age_seconds",
                "How long ago the live revision was known to be the newest one.",
                value=self._told.age,
            )
        yield GaugeMetricFamily(
            "gateway_loop_lag_seconds",
            "The longest delay of the event loop since the last scrape.",
            value=self._observer.lag(),
        )
        yield CounterMetricFamily(
            "gateway_observations_dropped",
            "Answers that are in no latency and in no log; the counters have them.",
            value=self._observer.dropped,
        )
        yield CounterMetricFamily(
            "gateway_log_left_out",
            "Invocations that the log did not keep.",
            value=self._told.left_out,
        )


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
