"""The report of a rehearsal as one HTML file: the tables of the terminal, and two pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from gateway.cli.picture import Json
from gateway.cli.rehearse_words import HEADINGS, about, equal_rows, faulty_rows, first_words
from gateway.traffic.page import PALETTE, Part, Plot, Table, Text, page

if TYPE_CHECKING:
    from gateway.rollout.rehearsing import Ended
    from gateway.rollout.rehearsing_report import Pair, Report

_NOTE: Final = "In brackets: the interval that holds the true share with 95 % confidence."


def report_page(report: Report, told: Json) -> str:
    """The file.

    Args:
        report: The report.
        told: The same as JSON values.
    """
    parts: list[Part] = []
    if report.faulty is not None:
        parts += [
            _table("With the fault", faulty_rows(told)),
            _plot("Requests hurt", report.faulty, lambda each: each.hurt, "requests"),
            _plot("Time until the end", report.faulty, lambda each: each.seconds, "seconds"),
        ]
    parts.append(_table("New version like the old one", equal_rows(told)))
    parts.append(Text("", (first_words(told),)))
    facts = dict(line.split(maxsplit=1) for line in about(told)[1:])
    title = f"Rehearsal of {told['plan']['function']}/{told['plan']['alias']}"
    return page(title, f"{about(told)[0]}.", parts, facts)


def _table(heading: str, rows: list[tuple[str, ...]]) -> Table:
    return Table(heading, HEADINGS, tuple(rows), frozenset(HEADINGS), _NOTE)


def _plot(heading: str, pair: Pair, read: Callable[[Ended], float], unit: str) -> Plot:
    """The share of the runs that keep to a number, for both rules."""
    data = []
    rules = (("guards", pair.guarded), ("fixed limit", pair.fixed))
    for (name, tally), colour in zip(rules, PALETTE, strict=False):
        found = sorted(read(each) for each in tally.ended)
        shares = [round((number + 1) / len(found), 4) for number in range(len(found))]
        line = {"shape": "hv", "color": colour}
        data.append({"name": name, "x": found, "y": shares, "line": line})
    return Plot(heading, data, _axes(unit), "The share of the runs that have so many at most.")


def _axes(unit: str) -> Mapping[str, Any]:
    return {
        "xaxis": {"title": {"text": unit}, "rangemode": "tozero"},
        "yaxis": {"title": {"text": "share of the runs"}, "range": [0, 1.03]},
    }
