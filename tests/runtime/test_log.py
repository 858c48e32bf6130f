"""The log of an invocation, line by line as the cloud writes it."""

from __future__ import annotations

import pytest

from gateway.runtime import Outcome
from gateway.runtime.log import log_text
from gateway.runtime.outcome import failed, timed_out

START, END = "START RequestId: r", "END RequestId: r"
REPORT = "Report RequestId: r Duration:0ms Memory:128MB MemUsage:0MB"


def said(outcome: Outcome, output: str) -> Outcome:
    """The same outcome, of a handler that said something."""
    outcome.output = output
    return outcome


@pytest.mark.parametrize(
    ("outcome", "lines"),
    [
        pytest.param(Outcome(200, 1, None), [START, END, REPORT], id="silent"),
        pytest.param(
            Outcome(200, 1, None, "one\ntwo\n", 0.0014, 55_959_552),
            [
                START, "one", "two", END,
                "Report RequestId: r Duration:1ms Memory:128MB MemUsage:53.3672MB",
            ],
            id="talking",
        ),
        pytest.param(
            Outcome(200, 1, None, "no line end"), [START, "no line end", END, REPORT],
            id="an unfinished line",
        ),
        pytest.param(
            timed_out(3, "r"),
            [
                START, "ERROR RequestId: r Result: Invoking task timed out after 3 seconds",
                END, REPORT,
            ],
            id="late",
        ),
        pytest.param(
            said(failed(430, "user code exception caught", "r", "Traceback\nKeyError\n"), "so far"),
            [
                START, "so far", "ERROR RequestId: r Result: user code exception caught",
                "Traceback", "KeyError", END, REPORT,
            ],
            id="raised",
        ),
    ],
)  # fmt: skip
def test_the_lines(outcome: Outcome, lines: list[str]) -> None:
    """In this order."""
    assert log_text("r", outcome, 128).splitlines() == lines


@pytest.mark.parametrize(
    ("event", "line"),
    [("", "Event RequestId: r"), ('{"a":1}', 'Event RequestId: r {"a":1}')],
)
def test_the_event_has_a_line_if_it_is_given(event: str, line: str) -> None:
    """After the start."""
    lines = log_text("r", Outcome(200, 1, None, "x"), 64, event).splitlines()
    assert lines[:3] == [START, line, "x"]
