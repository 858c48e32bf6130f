"""Portions: what was noted of single answers, added up once; everybody else reads these.

A portion is what answers of one label have in common that saw one revision and were out within one
second. Portions are values that several read: whoever keeps one adds it to something of his own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from gateway.observe.counters import Label
from gateway.observe.intervals import Interval

if TYPE_CHECKING:
    from gateway.observe.counters import Cell
    from gateway.observe.observer import Noted


class Portion(NamedTuple):
    """Answers of one label, revision and second.

    Attributes:
        label: What they are counted under.
        revision: The revision that they saw.
        second: The second in which they were out, of the monotonic clock.
        interval: How many, how fast, and which errors.
    """

    label: Label
    revision: int
    second: int
    interval: Interval


def portions(batch: Iterable[Noted]) -> list[Portion]:
    """Add up what was noted, in the order in which answers ended."""
    groups: dict[tuple[int, int], dict[Cell, tuple[list[float], Interval]]] = {}
    cells: dict[Cell, tuple[list[float], Interval]] = {}
    end = seen = -1
    for cell, status, began, ended, revision in batch:
        if ended >= end or revision != seen:
            seen, end = revision, int(ended) + 1
            cells = groups.setdefault((end - 1, revision), {})
        known = cells.get(cell)  # cells are told apart faster than labels
        if known is None:
            known = cells[cell] = [], Interval()
        known[0].append(ended - began)
        if status >= 400:  # nothing below is an error, and most answers are below
            known[1].add_error(cell.kind(status), status)
    found = []
    for (second, revision), each in groups.items():
        for cell, (seconds, interval) in each.items():
            interval.latency.extend(seconds)
            found.append(Portion(cell.label, revision, second, interval))
    return found
