"""The load tests by name: what each sends unless told otherwise, and what it asks; pure.

A test is a line of this table and a locustfile that names it. Everything else is shared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from loadtests.course import MIX
from loadtests.expectations import USUAL

_RULED: Final = tuple(text for text in USUAL if text.startswith("prepub"))


@dataclass(frozen=True, slots=True)
class LoadTest:
    """One load test.

    Attributes:
        name: What it is called on the command line.
        says: What it asks, in a few words.
        locustfile: The file that Locust loads.
        mix: How its requests are spread over the stages.
        usual: What the example's stages should answer.
        requests: How many requests it sends; `None` where something else ends it.
        seconds: How long it sends; `None` where something else ends it.
        rate: Requests a second of all users together; `None` is as fast as the answers come.
        keys: How many sticky keys its users are; 0 is the users of the traffic.
        by_keys: Whether each key must stay, and the share is one of keys.
        lookalikes: Whether users come whose names only look like Bob's.
        own_stage: Whether each connection belongs to one stage.
        moves: Whether weights are moved while requests are sent.
    """

    name: str
    says: str
    locustfile: str
    mix: str = MIX
    usual: tuple[str, ...] = USUAL
    requests: int | None = None
    seconds: float | None = None
    rate: float | None = None
    keys: int = 0
    by_keys: bool = False
    lookalikes: bool = False
    own_stage: bool = False
    moves: bool = False


ENOUGH: Final = 20_000
"""Enough requests to see three percentage points in the example's splits."""

TESTS: Final[Mapping[str, LoadTest]] = {
    test.name: test
    for test in (
        LoadTest("distribution", "steady load on all stages", "distribution.py", requests=ENOUGH),
        LoadTest(
            "mixed", "every stage by users of its own", "mixed.py", requests=ENOUGH, own_stage=True
        ),
        LoadTest(
            "rules",
            "nobody else gets what a rule gives to Bob",
            "rules.py",
            "prepub=1",
            _RULED,
            requests=10_000,
            lookalikes=True,
        ),
        LoadTest(
            "sticky",
            "each of many users stays on one version",
            "sticky.py",
            "release=1",
            ("release=1:0.9:sticky,2:0.1:sticky",),
            requests=30_000,
            keys=7_000,
            by_keys=True,
        ),
        LoadTest(
            "rollout",
            "weights move while requests are sent",
            "rollout.py",
            "release=1",
            moves=True,
        ),
        LoadTest("ramp", "more and more users", "shapes.py", seconds=60.0, rate=1000.0),
        LoadTest("spike", "a sudden crowd", "shapes.py", seconds=60.0, rate=1000.0),
        LoadTest("soak", "the same for long", "shapes.py", seconds=600.0, rate=1000.0),
    )
}

SHAPES: Final = tuple(name for name, test in TESTS.items() if test.locustfile == "shapes.py")
"""The tests that differ in how many users there are when."""


def chosen(options: Any) -> LoadTest:  # noqa: ANN401 - a namespace of options
    """The test that the options are for."""
    return TESTS[options.load_test]
