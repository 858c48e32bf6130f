"""The method depends on the number of versions and requests alone, and each keeps its level."""

from __future__ import annotations

from math import exp

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gateway.verdict import binomial, multinomial
from gateway.verdict.choice import Method, accepted, method_for, p_value


@pytest.mark.parametrize(
    ("n", "shares", "method"),
    [
        pytest.param(10**6, [1.0], Method.EXACT_BINOMIAL, id="one-version"),
        pytest.param(10**6, [0.9, 0.1], Method.EXACT_BINOMIAL, id="two-versions"),
        pytest.param(10**6, [0.9, 0.1, 0.0], Method.EXACT_BINOMIAL, id="a-third-expects-nothing"),
        pytest.param(61, [0.7, 0.2, 0.1], Method.EXACT_MULTINOMIAL, id="three-versions-few"),
        pytest.param(62, [0.7, 0.2, 0.1], Method.PER_VERSION, id="three-versions-many"),
    ],
)
def test_method(n: int, shares: list[float], method: Method) -> None:
    """Versions that expect nothing do not count."""
    assert method_for(n, shares) is method


@pytest.mark.parametrize(
    ("counts", "shares", "expected"),
    [
        pytest.param([5, 1], [1.0, 0.0], 0.0, id="one-stray-request"),
        pytest.param([5, 0], [1.0, 0.0], 1.0, id="all-where-all-is-expected"),
        pytest.param(
            [880, 120, 0], [0.9, 0.1, 0.0], binomial.two_sided(120, 1000, 0.1), id="binomial"
        ),
        pytest.param(
            [0, 3, 2, 5],
            [0.0, 0.5, 0.2, 0.3],
            multinomial.p_value([3, 2, 5], [0.5, 0.2, 0.3]),
            id="multinomial",
        ),
        pytest.param(
            [600, 300, 100],
            [0.7, 0.2, 0.1],
            3 * stats.binomtest(300, 1000, 0.2).pvalue,
            id="the-least-of-three-times-three",
        ),
        pytest.param([700, 200, 100], [0.7, 0.2, 0.1], 1.0, id="never-above-one"),
    ],
)
def test_p_value(counts: list[int], shares: list[float], expected: float) -> None:
    """Each method gives its own p-value, over the versions that expect something."""
    assert p_value(counts, shares) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("n", "shares", "ranges"),
    [
        pytest.param(
            1000,
            [0.9, 0.1],
            [binomial.accepted(1000, 0.9, 1e-3), binomial.accepted(1000, 0.1, 1e-3)],
            id="binomial",
        ),
        pytest.param(
            30,
            [0.0, 0.5, 0.2, 0.3],
            [(0, 0), *multinomial.accepted(30, [0.5, 0.2, 0.3], 1e-3)],
            id="multinomial",
        ),
        pytest.param(
            1000,
            [0.0, 0.6, 0.2, 0.2],
            [(0, 0)] + [binomial.accepted(1000, share, 1e-3 / 3) for share in (0.6, 0.2, 0.2)],
            id="per-version",
        ),
        pytest.param(7, [1.0, 0.0], [(7, 7), (0, 0)], id="all-or-nothing"),
    ],
)
def test_accepted(n: int, shares: list[float], ranges: list[tuple[int, int]]) -> None:
    """Each method gives its own ranges, in the order of the shares."""
    assert accepted(n, shares, 1e-3) == ranges


@settings(deadline=None)
@given(
    parts=st.lists(st.integers(1, 20), min_size=3, max_size=5),
    n=st.integers(0, 12),
    level=st.sampled_from([0.2, 0.01, 1e-4]),
    data=st.data(),
)
def test_a_count_out_of_its_range_is_rejected_whatever_the_others_are(
    parts: list[int], n: int, level: float, data: st.DataObject
) -> None:
    """What sensitivity rests on."""
    shares = [part / sum(parts) for part in parts]
    bars = sorted(data.draw(st.integers(0, n)) for _ in parts[1:])
    counts = [after - before for before, after in zip([0, *bars], [*bars, n], strict=True)]
    ranges = accepted(n, shares, level)
    if any(not low <= k <= high for k, (low, high) in zip(counts, ranges, strict=True)):
        assert p_value(counts, shares) < level


def test_per_version_alarms_no_oftener_than_stated() -> None:
    """By Boole's inequality, from each version's exact probability outside its range."""
    n, shares, level = 5000, [0.7, 0.2, 0.06, 0.04], 1e-2
    outside = [
        exp(binomial.log_at_most(low - 1, n, share))
        + exp(binomial.log_at_least(high + 1, n, share))
        for share, (low, high) in zip(shares, accepted(n, shares, level), strict=True)
    ]
    assert sum(outside) <= level
