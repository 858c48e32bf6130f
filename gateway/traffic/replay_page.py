"""The report of a replay as one HTML file: the same figures as the table, and two pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.traffic.page import Part, Plot, Table, Text, colour, page
from gateway.traffic.replay_report import Report
from gateway.traffic.replay_table import (
    LEFT,
    LOSS_HEADINGS,
    ROW_HEADINGS,
    SPLIT_HEADINGS,
    left_out,
    loss_rows,
    rows,
    slip_words,
    split_rows,
)

_DASHES = {"p50": "solid", "p99": "dot"}


def report_page(report: Report) -> str:
    """The file."""
    parts: list[Part] = [_table("By stage and version", ROW_HEADINGS, rows(report))]
    if report.tally.losses:
        parts.append(_table("Not answered", LOSS_HEADINGS, loss_rows(report)))
    judged = report.judged
    if judged is not None and judged.summary is not None:
        parts.append(_table("Splits", SPLIT_HEADINGS, split_rows(report), judged.summary.sentence))
    words = left_out(report)
    if words:
        parts.append(Text("", tuple(words)))
    parts += [_arrivals(report), _latencies(report)]
    facts = report.facts
    about = {
        "recording": facts.recording,
        "target": facts.target,
        "speed": "as fast as possible" if facts.speed is None else f"{facts.speed:g} times",
        "concurrency": str(facts.concurrency),
        "slip": slip_words(report),
        **facts.about,
    }
    return page(f"Replay of {facts.recording}", f"{report.sentence}.", parts, about)


def _table(
    heading: str, headings: tuple[str, ...], found: list[tuple[str, ...]], note: str = ""
) -> Table:
    return Table(heading, headings, tuple(found), LEFT, note)


def _arrivals(report: Report) -> Plot:
    """Requests sent a second, by stage, and how late the latest hundredth of them was."""
    timeline = report.tally.sent_when
    data = []
    for (stage,) in timeline.keys():  # noqa: SIM118 - no dictionary
        row = list(timeline.row((stage,)))
        data.append(
            {
                "name": stage or "requests",
                "x": [round(when, 3) for when, _ in row],
                "y": [round(sketch.total / timeline.width, 3) for _, sketch in row],
                "line": {"shape": "hv"},
            }
        )
    note = f"Requests that were sent, in slices of {timeline.width:g} s."
    return Plot("Arrivals over time", data, _axes("requests per second"), note)


def _latencies(report: Report) -> Plot:
    """Median and 99th percentile over time, by stage and version."""
    timeline = report.tally.answered_when
    data: list[Mapping[str, Any]] = []
    for stage, version in timeline.keys():  # noqa: SIM118 - no dictionary
        for name, share in (("p50", 0.5), ("p99", 0.99)):
            points = [
                (round(when, 3), round((sketch.quantile(share) or 0.0) * 1000, 3))
                for when, sketch in timeline.row((stage, version))
                if sketch.total
            ]
            data.append(
                {
                    "name": " ".join(filter(None, (stage, version, name))),
                    "x": [when for when, _ in points],
                    "y": [value for _, value in points],
                    "line": {"color": colour(version or "-"), "dash": _DASHES[name]},
                }
            )
    note = "From the moment at which a request should have begun to the end of its answer."
    return Plot("Latency over time", data, _axes("milliseconds", "log"), note)


def _axes(title: str, kind: str = "linear") -> Mapping[str, Any]:
    return {
        "showlegend": True,
        "xaxis": {"title": {"text": "seconds since the replay began"}},
        "yaxis": {"title": {"text": title}, "type": kind, "rangemode": "tozero"},
    }
