"""The report of a replay as text: tables, and the result in the last line."""

from __future__ import annotations

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


def report_words(report: Report) -> str:
    """The report for a terminal; text of others is in it as it came."""
    blocks, last = [], left_out(report)
    if report.tally.answers:
        blocks.append(_table(ROW_HEADINGS, rows(report)))
    if report.tally.losses:
        blocks.append(_table(LOSS_HEADINGS, loss_rows(report)))
    if report.judged is not None and report.judged.summary is not None:
        blocks.append(_table(SPLIT_HEADINGS, split_rows(report)))
        last.append(report.judged.summary.sentence)
    last += [f"slip: {slip_words(report)}", report.sentence]
    return "\n\n".join([*blocks, "\n".join(last)])


def _table(headings: tuple[str, ...], found: list[tuple[str, ...]]) -> str:
    """Words to the left, figures to the right."""
    table = [headings, *found]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = (
        "  ".join(
            text.ljust(width) if heading in LEFT else text.rjust(width)
            for heading, text, width in zip(headings, row, widths, strict=True)
        )
        for row in table
    )
    return "\n".join(line.rstrip() for line in lines)
