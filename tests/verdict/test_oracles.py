"""Independent programs say the same: SciPy of the fixed tests, `ssrm-test` of the watched one."""

from __future__ import annotations

import math
from pathlib import Path
from random import Random
from typing import Final

import numpy as np
import pytest
from scipy import stats

from benchmarks.ssrm_oracle import inputs
from gateway.verdict import Question, Watch, binomial, multinomial

INPUTS: Final = 1_000


def test_the_watched_test_agrees_with_ssrm_test() -> None:
    """At each of three looks of 1,000 random splits over two to five versions."""
    lines = (Path(__file__).parent / "ssrm_oracle.csv").read_text(encoding="utf-8").splitlines()
    worst = 0.0
    for watched, line in zip(inputs(), lines, strict=True):
        expected = {str(version): share for version, share in enumerate(watched.shares)}
        watch = Watch(expected, Question(tolerance=watched.tolerance))
        counts = dict.fromkeys(expected, 0)
        for came, said in zip(watched.looks, line.split(","), strict=True):
            counts = {version: counts[version] + came[int(version)] for version in counts}
            worst = max(worst, abs(watch.look(counts).p_value / float(said) - 1))
    assert worst < 1e-7


def test_the_binomial_test_agrees_with_scipy() -> None:
    """With `binomtest`, whose two-sided p-value is the method of small p-values, too."""
    dice = Random(61)
    for _ in range(INPUTS):
        n, share = dice.randint(1, 3_000), dice.random()
        near = round(n * share + dice.gauss(0, 2) * math.sqrt(n * share * (1 - share)))
        count = min(n, max(0, near))
        theirs = stats.binomtest(count, n, share).pvalue
        assert binomial.two_sided(count, n, share) == pytest.approx(theirs, rel=1e-7), (count, n)


def test_the_multinomial_test_agrees_with_scipy() -> None:
    """With the sum of `multinomial.pmf` over all outcomes that are no likelier."""
    dice = Random(62)
    outcomes: dict[tuple[int, int], np.ndarray[tuple[int, int], np.dtype[np.int64]]] = {}
    for _ in range(INPUTS):
        versions, n = dice.randint(3, 4), dice.randint(1, 12)
        parts = [dice.randint(1, 9) for _ in range(versions)]
        shares = [part / sum(parts) for part in parts]
        drawn = dice.choices(range(versions), k=n)
        counts = [drawn.count(version) for version in range(versions)]
        if (n, versions) not in outcomes:
            spread = np.indices((n + 1,) * versions).reshape(versions, -1).T
            outcomes[n, versions] = spread[spread.sum(axis=1) == n]
        likely = stats.multinomial.pmf(outcomes[n, versions], n, shares)
        seen = stats.multinomial.pmf(counts, n, shares)
        theirs = likely[likely <= seen * (1 + 1e-7)].sum()
        assert multinomial.p_value(counts, shares) == pytest.approx(theirs, rel=1e-7), counts


def test_the_exact_test_is_what_chi_square_tends_to() -> None:
    """With `chisquare`, an approximation that is good where every version expects thousands.

    Half a request's worth apart at most: the exact test counts whole requests.
    """
    dice = Random(63)
    for _ in range(INPUTS):
        n, share = dice.randint(100_000, 1_000_000), dice.uniform(0.1, 0.9)
        deviation = math.sqrt(n * share * (1 - share))
        count = round(n * share + dice.uniform(-3.5, 3.5) * deviation)
        theirs = stats.chisquare([count, n - count], [n * share, n * (1 - share)]).pvalue
        ours = binomial.two_sided(count, n, share)
        assert ours == pytest.approx(theirs, rel=0.05, abs=0.01), (count, n, share)
