"""What the load tests' tests share: how a tally and a set of terms are made in one line."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.verdict import Question
from loadtests import expectations
from loadtests.tally import Cell, Tally
from loadtests.terms import Terms

Count = tuple[str, str, str, str, int]


@pytest.fixture
def tally_of() -> Callable[..., Tally]:
    """A tally of `(stage, who, version, reason, count)`, all at revision 1."""

    def make(*counts: Count) -> Tally:
        tally = Tally()
        for stage, who, version, reason, count in counts:
            tally.answers[Cell(stage, who, version, reason, "1")] += count
        return tally

    return make


@pytest.fixture
def terms_of() -> Callable[..., Terms]:
    """Terms with these expectations and the usual error rates."""

    def make(*texts: str, max_errors: float = 0.0) -> Terms:
        return Terms(tuple(map(expectations.parse, texts)), Question(), max_errors)

    return make
