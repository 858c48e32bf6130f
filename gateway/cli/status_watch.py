"""Every alias at a glance, for those who watch: shares with their verdict, and the last minute.

Of one version of one alias all stages are added up; of latencies the greatest is told, because a
percentile of several stages together cannot be made of theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import click

from gateway.cli.picture import Json, clean, percent, shares_of
from gateway.cli.rollout_words import status_words
from gateway.cli.status_fitting import Column, cut, fitted, sparkline
from gateway.cli.status_nodes import node_lines
from gateway.core import names

MINUTE: Final = 60
"""Seconds that are told about."""

COLUMNS: Final = (
    Column("FUNCTION", 9),
    Column("ALIAS", 9),
    Column("VERSION", 9),
    Column("SHARE", 8),
    Column("OBSERVED", 7),
    Column("VERDICT", 6),
    Column("REQ/S", 2),
    Column("ERRORS", 5),
    Column("P50", 1),
    Column("P99", 4),
    Column("P99, LAST MINUTE", 3, rest=True),
)
_COLOURS: Final = {"passed": "green", "failed": "red", "undecided": "yellow"}


@dataclass(slots=True)
class Lately:
    """What one version of one alias did in the last minute.

    Attributes:
        requests: Its answers.
        errors: Those that were errors.
        p50, p99: Seconds; `None` where there was no answer.
        course: The 99th percentile of each second; `None` for one without answers.
    """

    requests: int = 0
    errors: int = 0
    p50: float | None = None
    p99: float | None = None
    course: list[float | None] = field(default_factory=list)

    def add(self, seen: Json) -> None:
        """Take in one stage's."""
        self.requests += seen["requests"]
        self.errors += seen["errors"]
        self.p50 = _greater(self.p50, seen["latency"]["p50"])
        self.p99 = _greater(self.p99, seen["latency"]["p99"])

    def follow(self, course: list[float | None]) -> None:
        """Take in one stage's course."""
        before = self.course or [None] * len(course)
        self.course = [_greater(*pair) for pair in zip(before, course, strict=True)]


Whose = tuple[str, str]
Table = dict[Whose, dict[str, Lately]]


def watched(told: Json, width: int | None, height: int | None) -> str:
    """The whole picture.

    Args:
        told: What the command asked for: snapshot, metrics, lately, shares, course, rollouts and
            nodes.
        width: Cells of a line; `None` for as many as it takes.
        height: Lines; `None` for as many as it takes.
    """
    lately = _lately(told)
    divisions = {(each["function"], each["alias"]): each for each in told["shares"]["aliases"]}
    rows = [
        row
        for function in told["snapshot"]["functions"].values()
        for name, alias in _aliases(function, lately)
        for row in _rows((function["name"], name), alias, divisions, lately)
    ]
    lines = fitted(COLUMNS, rows, width).splitlines()
    below = [*going_on(told["rollouts"]["rollouts"])]
    below += [*node_lines(told["nodes"]["nodes"], told["snapshot"]["revision"]), summary(told)]
    if height is not None:  # what goes on and the summary stay
        lines, below = lines[: max(0, height - len(below))], below[-max(1, height) :]
    every = [*lines, *below]
    return "\n".join(line if width is None else cut(line, width) for line in every)


def going_on(rollouts: Iterable[Json]) -> list[str]:
    """A line for each rollout that has not ended."""
    return [status_words(each) for each in rollouts if each["status"] in _GOING_ON]


_GOING_ON: Final = frozenset(("running", "paused"))


def summary(told: Json) -> str:
    """The revision, and how much was answered."""
    answered = told["metrics"]["answered"]
    said = f"{answered:,} {'request' if answered == 1 else 'requests'}"
    since = clean(told["metrics"]["since"])
    return f"revision {told['snapshot']['revision']}   {said} since {since}"


def configured(alias: Json) -> dict[str, str]:
    """What each version that the alias names should get of what no rule has taken."""
    shares = {version: percent(share) for version, share in shares_of(alias).items()}
    for version in dict.fromkeys(rule["version"] for rule in alias["rules"]):
        shares[version] = f"rule, {shares[version]}" if version in shares else "rule"
    return shares


def _lately(told: Json) -> Table:
    table: Table = {}

    def of(row: Json) -> Lately:
        versions = table.setdefault((row["function"], row["qualifier"]), {})
        return versions.setdefault(row["version"], Lately())

    for row in told["lately"]["versions"]:
        of(row).add(row)
    for row in told["course"]["versions"]:
        of(row).follow(row["p99"])
    return table


def _aliases(function: Json, lately: Table) -> Iterator[tuple[str, Json]]:
    """Aliases, and versions that callers named themselves, which lead nowhere else."""
    yield from function["aliases"].items()
    for owner, qualifier in sorted(lately):
        if owner == function["name"] and names.is_version(qualifier):
            yield qualifier, {"version": qualifier, "weights": {}, "rules": []}


def _rows(
    owner: Whose, alias: Json, divisions: Mapping[Whose, Any], lately: Table
) -> Iterator[tuple[str, ...]]:
    division = divisions.get(owner, {"versions": [], "outcome": None})
    observed = {each["version"]: each["observed"] for each in division["versions"]}
    shares, seen = configured(alias), lately.get(owner, {})
    versions = [*shares, *sorted(seen.keys() - shares, key=names.version_order)]
    top = max((p for each in seen.values() for p in each.course if p is not None), default=0.0)
    whose, verdict = owner, _verdict(division)
    for version in versions:
        found = seen.get(version, Lately())
        share = observed.get(version)
        yield (
            *whose,
            version,
            shares.get(version, "-"),
            "-" if share is None else percent(share),
            verdict,
            f"{found.requests / MINUTE:,.1f}",
            click.style(f"{found.errors:,}", fg="red") if found.errors else "0",
            _milliseconds(found.p50),
            _milliseconds(found.p99),
            sparkline(found.course, top),
        )
        whose, verdict = ("", ""), ""


def _verdict(division: Json) -> str:
    """The verdict on an alias; none where one version gets everything, or where keys stick."""
    if len(division["versions"]) < 2:
        return "-"
    outcome = division["outcome"]
    return click.style(outcome, fg=_COLOURS[outcome]) if outcome else "sticky"


def _milliseconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds * 1000:,.3g} ms"


def _greater(one: float | None, other: float | None) -> float | None:
    known = [each for each in (one, other) if each is not None]
    return max(known, default=None)
