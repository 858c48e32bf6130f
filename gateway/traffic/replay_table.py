"""The report of a replay as rows of words: one spelling for the terminal and for the page."""

from __future__ import annotations

from typing import Final

from gateway.traffic.replay_report import Report, quantile
from gateway.verdict.sketch import Sketch

ROW_HEADINGS: Final = (
    "STAGE", "FUNCTION", "VERSION", "ANSWERS", "SHARE", "STATUSES",
    "P50", "P90", "P99", "MAX", "SLIP P99",
)  # fmt: skip
LOSS_HEADINGS: Final = ("STAGE", "END", "WHY", "REQUESTS")
SPLIT_HEADINGS: Final = ("SPLIT", "VERSION", "EXPECTED", "ANSWERS", "SHARE", "VERDICT")
"""The names of the columns."""

LEFT: Final = frozenset(
    {"STAGE", "FUNCTION", "VERSION", "STATUSES", "END", "WHY", "SPLIT", "VERDICT"}
)
"""The columns that hold words."""


def rows(report: Report) -> list[tuple[str, ...]]:
    """What each version answered."""
    return [
        (
            row.group.stage or "-",
            row.group.function or "-",
            row.group.version or "-",
            f"{row.count:,}",
            percent(row.share),
            ", ".join(f"{name} {count:,}" for name, count in row.classes.items()),
            *(milliseconds(row.latency, share) for share in (0.5, 0.9, 0.99, 1.0)),
            _slip(report, row.slip),
        )
        for row in report.rows()
    ]


def loss_rows(report: Report) -> list[tuple[str, ...]]:
    """What was not answered, and why."""
    return [
        (loss.stage or "-", loss.end.value.replace("-", " "), loss.why, f"{count:,}")
        for loss, count in sorted(report.tally.losses.items())
    ]


def split_rows(report: Report) -> list[tuple[str, ...]]:
    """What each split should be and was."""
    summary = report.judged.summary if report.judged is not None else None
    return [
        (
            name,
            share.version,
            percent(share.expected),
            f"{share.count:,}",
            percent(share.share),
            verdict.outcome.value,
        )
        for name, verdict in (summary.verdicts.items() if summary is not None else ())
        for share in verdict.shares
    ]


def left_out(report: Report) -> list[str]:
    """A sentence on every kind of answer that no verdict is about."""
    if report.judged is None:
        return []
    return [
        f"{count:,} {'answer' if count == 1 else 'answers'} {why}: not judged"
        for why, count in sorted(report.judged.left_out.items())
    ]


def slip_words(report: Report) -> str:
    """How late requests began."""
    if report.facts.speed is None:
        return "none: each request was due when there was room for it"
    slip = report.tally.slip
    shares = (("p50", 0.5), ("p99", 0.99), ("max", 1.0))
    return ", ".join(f"{name} {milliseconds(slip, share)}" for name, share in shares)


def percent(share: float) -> str:
    """A share for people."""
    return f"{share * 100:.4g} %"


def milliseconds(sketch: Sketch, share: float) -> str:
    """A quantile for people; a dash where nothing was measured."""
    value = quantile(sketch, share)
    return "-" if value is None else f"{value * 1000:.3g} ms" if value < 1 else f"{value:.3g} s"


def _slip(report: Report, sketch: Sketch) -> str:
    return "-" if report.facts.speed is None else milliseconds(sketch, 0.99)
