"""What a verdict is about, drawn: shares over time with their band, bars, times by version."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gateway.traffic.observed_judging import Judged
from gateway.traffic.page import Plot, colour
from gateway.traffic.verify_report_words import Verified
from gateway.verdict import Share, confidence_sequence

BAND_ERROR: Final = 0.01
"""The probability, at most, with which the bands of a split ever leave out a true share."""

_CURVE: Final = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999)

_BAND_NOTE: Final = (
    "Line: the share of all requests so far, with the band that holds the true share at every"
    " moment at once (a confidence sequence, 99 %). Dots: the share within each interval. Dashes:"
    " what is expected."
)

Trace = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Moment:
    """What had come by a moment, and what came in the interval before it."""

    at: float
    counts: Counter[str]
    total: int
    lately: Counter[str]


def over_time(verified: Verified) -> Iterator[Plot]:
    """A plot for each stage of which something is known over time.

    The greatest expected share is what the others leave, and is not drawn.
    """
    told = _moments(verified)
    for answer in verified.answers:
        if answer.stage not in told or len(answer.shares) < 2 or answer.unit != "requests":
            continue
        moments = told.pop(answer.stage)
        greatest = max(answer.shares, key=lambda share: share.expected)
        drawn = [share for share in answer.shares if share is not greatest]
        traces = [
            trace
            for share in drawn
            for trace in _share_traces(share, moments, verified.question.tolerance, len(drawn))
        ]
        axis = "requests" if verified.timeline.numbered else "seconds"
        layout = {
            "xaxis": {"title": {"text": axis}},
            "yaxis": {"title": {"text": "share"}, "tickformat": ".1%", "range": _range(traces)},
        }
        yield Plot(f"{_title(answer)}: share over time", traces, layout, _BAND_NOTE)


def _title(answer: Judged) -> str:
    return answer.stage or "All requests"


def _moments(verified: Verified) -> dict[str, list[_Moment]]:
    """What had come of each stage, interval by interval, counted from the first one."""
    told: dict[str, list[_Moment]] = defaultdict(list)
    sums: dict[str, Counter[str]] = defaultdict(Counter)
    start: float | None = None
    for interval in verified.timeline.intervals():
        start = interval.begin if start is None else start
        lately: dict[str, Counter[str]] = defaultdict(Counter)
        for (stage, version), count in interval.counts.items():
            lately[stage][version] += count
        for stage, counts in lately.items():
            sums[stage].update(counts)
            at = interval.begin - start + verified.timeline.width
            so_far = sums[stage]
            told[stage].append(_Moment(at, Counter(so_far), so_far.total(), counts))
    return told


def _share_traces(
    share: Share, moments: Sequence[_Moment], tolerance: float, drawn: int
) -> list[Trace]:
    at = [moment.at for moment in moments]
    bands = [
        confidence_sequence(
            moment.counts[share.version],
            moment.total,
            BAND_ERROR / drawn,
            expected=share.expected,
            tolerance=tolerance,
        )
        for moment in moments
    ]
    tint = colour(share.version)
    line = {"color": tint}
    name = f"version {share.version}"
    whole = [moment.counts[share.version] / moment.total for moment in moments]
    lately = [moment.lately[share.version] / moment.lately.total() for moment in moments]
    hidden = {"showlegend": False, "hoverinfo": "skip", "legendgroup": name}
    bare = {"mode": "lines", "line": {"width": 0}}
    return [
        {"x": at, "y": [low for low, _ in bands], **bare, **hidden},
        {
            "x": at, "y": [high for _, high in bands], "fill": "tonexty",
            "fillcolor": f"{tint}33", **bare, **hidden,
        },
        {"x": at, "y": lately, "mode": "markers", "marker": {"color": tint, "size": 4,
         "opacity": 0.45}, **hidden},
        {"x": at, "y": whole, "mode": "lines", "line": line, "name": name, "legendgroup": name},
        {
            "x": [0, at[-1]], "y": [share.expected] * 2, "mode": "lines", "hoverinfo": "skip",
            "line": {**line, "dash": "dash", "width": 1}, "showlegend": False,
            "legendgroup": name,
        },
    ]  # fmt: skip


def _range(traces: Sequence[Trace]) -> list[float]:
    """What to show of the shares: not the width of a band when it began."""
    values = [
        value
        for trace in traces
        if trace["mode"] == "lines"
        for value in trace["y"][len(trace["y"]) // 4 :]
    ]
    low, high = min(values), max(values)
    room = max(0.1 * (high - low), 0.005)
    return [max(0.0, low - room), min(1.0, high + room)]


def bars(verified: Verified) -> Plot:
    """What every version got, beside what it should have got."""
    told = [(answer.name, share) for answer in verified.answers for share in answer.shares]
    x = [[name for name, _ in told], [f"version {share.version}" for _, share in told]]
    observed = [share.share for _, share in told]
    seen: Trace = {
        "type": "bar",
        "name": "observed",
        "x": x,
        "y": observed,
        "marker": {"color": [colour(share.version) for _, share in told]},
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [max(0.0, share.high - share.share) for _, share in told],
            "arrayminus": [max(0.0, share.share - share.low) for _, share in told],
        },
    }
    wanted: Trace = {
        "type": "bar",
        "name": "expected",
        "x": x,
        "y": [share.expected for _, share in told],
        "marker": {"color": "#9aa6b6"},
    }
    layout = {"barmode": "group", "yaxis": {"tickformat": ".0%", "title": {"text": "share"}}}
    note = "The lines on the bars are the intervals of the true shares (99 %)."
    return Plot("Observed and expected shares", [seen, wanted], layout, note)


def latency(verified: Verified) -> Plot:
    """How long the answers of each version took, from the quickest to the slowest."""
    stages = {stage for stage, _ in verified.latency}
    traces = [
        {
            "x": [f"{100 * share:g} %" for share in _CURVE],
            "y": [1000 * (seconds or 0.0) for seconds in sketch.quantiles(_CURVE)],
            "mode": "lines+markers",
            "name": f"{stage} {version}" if len(stages) > 1 else f"version {version}",
            "line": {"color": colour(version)},
        }
        for (stage, version), sketch in sorted(verified.latency.items())
    ]
    layout = {
        "xaxis": {"title": {"text": "share of the answers"}, "type": "category"},
        "yaxis": {"title": {"text": "milliseconds, at most"}, "type": "log"},
    }
    return Plot("Latency by version", traces, layout, "Each figure is right to 1 %.")
