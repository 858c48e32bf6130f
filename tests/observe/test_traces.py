"""Traces: spans of what is sampled, with their parents, made by the real library."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from gateway.observe import Cell, Detailed, Label
from gateway.observe.traces import Traces, TracingUnavailable

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-"


@dataclass
class Asked:
    """A request as the observer sees one."""

    began: float = 4.0
    id: str = "a"
    method: str = "GET"
    path: str = "/orders/1"
    query_string: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


def noted(status: int = 200, **headers: str) -> Detailed:
    """An answer that took a second."""
    cell = Cell(Label("release", "orders", "release", "2", "weight"))
    return (cell, status, 5.0, Asked(headers=headers), 7, None)


def spans(*batch: Detailed, dice: float = 0.0) -> list[object]:
    """The spans that are made of these."""
    exporter = InMemorySpanExporter()
    traces = Traces(lambda: 1005.0, lambda: 5.0, lambda: dice, ratio=0.5, exporter=exporter)
    traces.take(batch, 0)
    traces.close()
    return list(exporter.get_finished_spans())


def test_a_span_tells_what_was_decided() -> None:
    """With the times of the wall clock."""
    (span,) = spans(noted())
    assert span.name == "GET release"  # type: ignore[attr-defined]
    assert span.kind is SpanKind.SERVER  # type: ignore[attr-defined]
    assert (span.start_time, span.end_time) == (1004 * 10**9, 1005 * 10**9)  # type: ignore[attr-defined]
    assert dict(span.attributes) == {  # type: ignore[attr-defined]
        "http.request.method": "GET",
        "url.path": "/orders/1",
        "http.response.status_code": 200,
        "gateway.request_id": "a",
        "gateway.revision": 7,
        "gateway.stage": "release",
        "gateway.function": "orders",
        "gateway.qualifier": "release",
        "gateway.version": "2",
        "gateway.reason": "weight",
    }


def test_errors_are_marked() -> None:
    """With their kind."""
    (span,) = spans(noted(430))
    assert span.status.status_code is StatusCode.ERROR  # type: ignore[attr-defined]
    assert span.attributes["error.type"] == "exception"  # type: ignore[attr-defined]


def test_a_sampled_parent_is_followed() -> None:
    """Whatever the dice say."""
    (span,) = spans(noted(traceparent=PARENT + "01"), dice=0.9)
    assert f"{span.context.trace_id:032x}" == PARENT[3:35]  # type: ignore[attr-defined]
    assert f"{span.parent.span_id:016x}" == PARENT[36:52]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("headers", "dice"), [({"traceparent": PARENT + "00"}, 0.0), ({}, 0.5)], ids=["parent", "dice"]
)
def test_what_is_not_sampled_costs_nothing(headers: dict[str, str], dice: float) -> None:
    """Neither a parent that is not, nor what the dice left out."""
    assert spans(noted(200, **headers), dice=dice) == []


def test_where_spans_go_is_the_librarys_to_know(monkeypatch: pytest.MonkeyPatch) -> None:
    """The usual exporter is made from its variables."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    Traces(lambda: 0.0, lambda: 0.0, lambda: 1.0).close()


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one sentence."""
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.resources", None)
    with pytest.raises(TracingUnavailable, match=r"pip install 'gateway-simulator\[otel\]'"):
        Traces(lambda: 0.0, lambda: 0.0, lambda: 1.0)
