"""A file of routing tests: what requests ask for, what stages send where, which rules are hit.

It is TOML and read as stages.toml is: every mistake at once, each at its place. What it names must
be there in the state that is tested, so that a typing mistake is never a test that passes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gateway.config.diagnostics import ConfigurationInvalid
from gateway.config.fields import number, whole
from gateway.config.routing_asked import Asked, Asking, read_traffic
from gateway.config.routing_expected import Case, RuleTest, SplitTest, read_case, read_split
from gateway.config.routing_rules import read_rule
from gateway.config.source import Source, read
from gateway.config.syntax import parse
from gateway.core.errors import Place, Problem
from gateway.core.shapes import Reader
from gateway.core.snapshot import Snapshot

COVERED: Final = ("rules", "weights", "apis")
"""What a file may ask to be exercised."""

_SHADOWED: Final = ("fail", "report")
_SEEDS: Final = (range(2**63), "a whole number, 0 or more")


@dataclass(frozen=True, slots=True)
class Traffic:
    """Requests that rules are tested with, beside those of the tests themselves.

    Attributes:
        requests: Requests, each with how often it comes.
        recordings: Recordings, each with its place.
        stage: Where a recorded request goes that names no stage.
    """

    requests: tuple[tuple[Asked, int], ...] = ()
    recordings: tuple[tuple[Place, Path], ...] = ()
    stage: str = ""


@dataclass(frozen=True, slots=True)
class RoutingTests:
    """What a file of routing tests asks for.

    Attributes:
        path: The file.
        cases: Requests with the version, back end or error that they must meet.
        splits: Requests with the shares that versions must have of them.
        rules: Rules that must, or must not, be hit by the traffic.
        traffic: The traffic.
        least: The least share that must be exercised, of `COVERED`.
        seed: Seeds every draw.
        shadowed_fails: Whether a rule that can never be hit is a failure.
        source: The file's text and places.
    """

    path: Path
    cases: tuple[Case, ...]
    splits: tuple[SplitTest, ...]
    rules: tuple[RuleTest, ...]
    traffic: Traffic
    least: Mapping[str, float]
    seed: int
    shadowed_fails: bool
    source: Source = field(compare=False, repr=False)


def load_routing_tests(path: str | os.PathLike[str], snapshot: Snapshot) -> RoutingTests:
    """Read a file of routing tests.

    Args:
        path: The file; its name appears in diagnostics as given here.
        snapshot: The state that is to be tested.

    Raises:
        ConfigurationInvalid: With every mistake found, in the order of the file.
    """
    source = read(path)
    problems: list[Problem] = []
    document = Reader(parse(source), "the file", problems)
    asking = Asking(snapshot, document)
    cases = [read_case(asking, table) for table in _tables(document, "cases", "case")]
    splits = [read_split(asking, table) for table in _tables(document, "splits", "split")]
    rules = [read_rule(snapshot, table) for table in _tables(document, "rules", "rule test")]
    requests, recordings, stage = read_traffic(asking, Path(path).parent)
    tests = RoutingTests(
        path=Path(path),
        cases=tuple(case for case in cases if case is not None),
        splits=tuple(split for split in splits if split is not None),
        rules=tuple(rule for rule in rules if rule is not None),
        traffic=Traffic(requests, recordings, stage),
        least=_read_least(document),
        seed=whole(document, "seed", 0, _SEEDS),
        shadowed_fails=document.choice("shadowed", _SHADOWED, "fail") == "fail",
        source=source,
    )
    document.finish()
    if rules and not document.has("traffic"):
        hint = "add [traffic] with requests or recordings"
        problems.append(Problem("missing-key", "rules are tested by traffic", ("rules",), hint))
    if not problems and not (cases or splits or rules or tests.least):
        hint = 'for example: [[cases]] and below it stage = "release", request = "GET /orders"'
        problems.append(Problem("no-tests", "the file tests nothing", hint=hint))
    if problems:
        raise ConfigurationInvalid(source.explain(problems))
    return tests


def _tables(document: Reader, key: str, what: str) -> list[Reader]:
    """`[[key]]`: a reader for each of its tables."""
    return [
        Reader(raw, f"{what} {index + 1}", document.problems, (key, index))
        for index, raw in enumerate(document.sequence(key))
    ]


def _read_least(document: Reader) -> dict[str, float]:
    if not document.has("coverage"):
        document.get("coverage")
        return {}
    raw = document.mapping("coverage")
    reader = Reader(raw, "the coverage", document.problems, ("coverage",))
    least = {}
    for name in COVERED:
        value = number(reader, name)
        if value is None:
            continue
        if not 0 <= float(value) <= 1:
            message = f"{name} of the coverage is {value}; allowed: a share, 0 to 1"
            reader.wrong("out-of-range", message, name)
        least[name] = float(value)
    reader.finish()
    return least
