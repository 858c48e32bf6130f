"""The same splits judged once more in parts: by reason, by alias, by revision, by worker; pure.

A part may fail a run and never makes it undecided: the smaller a part, the less it can show.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace

from gateway.verdict import Summary, judge_all
from gateway.verdict.judge import Split
from loadtests.expectations import Expectation
from loadtests.samples import cells_of, counted, questions, versions
from loadtests.tally import Cell, Tally
from loadtests.terms import Terms


def breakdown(tallies: Mapping[str, Tally], whole: Tally, terms: Terms) -> dict[str, Summary]:
    """Judge the splits by each part that the terms name.

    Args:
        tallies: What each worker has counted.
        whole: All of it.
        terms: What it is judged by.

    Returns:
        The answers by part; a part in which nothing was seen has none.
    """
    found = {}
    for by in terms.by:
        splits = _by_worker(tallies, terms) if by == "worker" else _by(by, whole, terms)
        if splits:
            found[by] = judge_all(splits, terms.main_question)
    return found


def _by_worker(tallies: Mapping[str, Tally], terms: Terms) -> dict[str, Split]:
    return {
        f"{each.name} of {name}": (counted(each, tally, terms), each.shares)
        for name, tally in tallies.items()
        for each in questions(tally, terms)
    }


def _by(by: str, whole: Tally, terms: Terms) -> dict[str, Split]:
    if by == "revision" and terms.by_keys:
        return {
            one.name: (counted(one, whole, terms), one.shares) for one in questions(whole, terms)
        }
    if terms.by_keys:
        return {}  # how often a key comes is no draw, so that its answers are not counted
    splits: dict[str, Split] = {}
    for each in terms.expectations:
        cells = cells_of(each, whole, terms)
        splits |= _reasons(each, cells) if by == "reason" else _values(by, each, cells)
    return splits


def _reasons(expectation: Expectation, cells: Mapping[Cell, int]) -> dict[str, Split]:
    """How often each reason was given; only where every version has one that is expected."""
    if not expectation.shares.keys() <= expectation.reasons.keys():
        return {}
    shares: dict[str, float] = defaultdict(float)
    for version, share in expectation.shares.items():
        shares[expectation.reasons[version]] += share
    given: Counter[str] = Counter()
    for cell, count in cells.items():
        given[cell.reason] += count
    return {expectation.name: (given, shares)}


_READ: dict[str, Callable[[Cell], str]] = {
    "alias": lambda cell: cell.alias,
    "revision": lambda cell: cell.revision,
}


def _values(by: str, expectation: Expectation, cells: Mapping[Cell, int]) -> dict[str, Split]:
    """The versions at each revision, or of each alias."""
    read = _READ[by]
    return {
        f"{replace(expectation, revision='').name} at {by} {value or '?'}": (
            versions({cell: count for cell, count in cells.items() if read(cell) == value}),
            expectation.shares,
        )
        for value in sorted({read(cell) for cell in cells})
    }
