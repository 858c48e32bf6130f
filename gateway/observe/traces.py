"""Traces: one span for a request, made after its answer is out, for OpenTelemetry.

Whoever asks with a `traceparent` that is sampled is traced; of the others a share, settled by dice.
The extra `otel` brings the library; its own variables, such as `OTEL_EXPORTER_OTLP_ENDPOINT`,
say where spans go. They wait in the library's bounded queue and leave in its own thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from gateway.observe.observer import Detailed, Observation

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

RATIO: Final = 0.01
"""The share of requests without a trace of their own that are traced."""

_NANOSECONDS: Final = 1e9


class TracingUnavailable(Exception):
    """The extra `otel` is not installed."""

    def __init__(self) -> None:
        super().__init__("traces need OpenTelemetry; pip install 'gateway-simulator[otel]'")


class Traces:
    """Makes spans of answers; a reader of the observer.

    Args:
        wall: Seconds since 1970.
        now: Seconds of the monotonic clock of observations.
        random: Settles which requests are traced.
        ratio: The share of those without a trace of their own.
        exporter: Where spans go; `None` for what the variables of OpenTelemetry say.

    Raises:
        TracingUnavailable: The extra `otel` is not installed.
    """

    def __init__(
        self,
        wall: Callable[[], float],
        now: Callable[[], float],
        random: Callable[[], float],
        *,
        ratio: float = RATIO,
        exporter: SpanExporter | None = None,
    ) -> None:
        try:
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
            from opentelemetry.trace import SpanKind
            from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

            exporter = exporter or _exporter()
        except ImportError as error:
            raise TracingUnavailable from error
        self._wall, self._now, self._random, self._ratio = wall, now, random, ratio
        resource = Resource.create({"service.name": "gateway-simulator"})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("gateway")
        self._parent = TraceContextTextMapPropagator()
        self._kind = SpanKind.SERVER

    def take(self, batch: Sequence[Detailed], _others: int) -> None:
        """Make spans of those answers that are traced; a reader of the observer."""
        since_epoch = self._wall() - self._now()
        for detailed in batch:
            parent = detailed[3].headers.get("traceparent")
            if self._random() < self._ratio if parent is None else parent.endswith("-01"):
                self._span(Observation._make(detailed), since_epoch)

    def close(self) -> None:
        """Send what waits; takes as long as the library lets it."""
        self._provider.shutdown()

    def _span(self, seen: Observation, since_epoch: float) -> None:
        asked = seen.asked
        span = self._tracer.start_span(
            f"{asked.method} {seen.cell.label.stage}".rstrip(),
            context=self._parent.extract(dict(asked.headers)),
            kind=self._kind,
            start_time=int((asked.began + since_epoch) * _NANOSECONDS),
            attributes=_attributes(seen),
        )
        if seen.cell.kind(seen.status):
            from opentelemetry.trace import StatusCode

            span.set_status(StatusCode.ERROR)
        span.end(int((seen.ended + since_epoch) * _NANOSECONDS))


def _attributes(seen: Observation) -> dict[str, Any]:
    label = seen.cell.label
    found = {
        "http.request.method": seen.asked.method,
        "url.path": seen.asked.path,
        "http.response.status_code": seen.status,
        "error.type": seen.cell.kind(seen.status),
        "gateway.request_id": seen.asked.id,
        "gateway.revision": seen.revision,
        **{f"gateway.{name}": value for name, value in label._asdict().items()},
    }
    return {name: value for name, value in found.items() if value != ""}


def _exporter() -> SpanExporter:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter()
