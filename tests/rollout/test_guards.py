"""Guards as people write them."""

from __future__ import annotations

import pytest

from gateway.core.errors import Refused
from gateway.rollout.guards import Guard, parse_guard


@pytest.mark.parametrize(
    ("text", "guard"),
    [
        ("error_rate>0.01", Guard("error_rate>0.01", None, 0.01)),
        ("error_rate > 1%", Guard("error_rate>1%", None, 0.01)),
        ("error_rate>0", Guard("error_rate>0", None, 0.0)),
        ("error_rate>old", Guard("error_rate>old", None, None)),
        ("error_rate>old*1.5", Guard("error_rate>old*1.5", None, None, 1.5)),
        ("p99>250ms", Guard("p99>250ms", 0.99, 0.25)),
        ("p50>0.5s", Guard("p50>0.5s", 0.5, 0.5)),
        (" p99.9 > old * 2 ", Guard("p99.9>old*2", 0.9990000000000001, None, 2.0)),
    ],
)
def test_guards_are_read(text: str, guard: Guard) -> None:
    """Spaces do not matter."""
    found = parse_guard(text)
    assert (found.text, found.limit, found.ratio) == (guard.text, guard.limit, guard.ratio)
    assert found.percentile == pytest.approx(guard.percentile)
    assert found.relative == (guard.limit is None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is no guard"),
        ("errors>1", "is no guard"),
        ("error_rate<1%", "is no guard"),
        ("error_rate>1", "0 to below 1"),
        ("error_rate>100%", "0 to below 1"),
        ("error_rate>5ms", "gives an error rate a time"),
        ("p99>5", "250ms or 0.5s"),
        ("p99>5%", "250ms or 0.5s"),
        ("p0>5ms", "names no percentile"),
        ("p99>0ms", "above 0 to 3600 s"),
        ("p99>4000s", "above 0 to 3600 s"),
        ("p99>old*0", "above 0 to 1000"),
        ("error_rate>old*1001", "above 0 to 1000"),
        ("p100>5ms", "is no guard"),
    ],
)
def test_what_is_no_guard_is_refused(text: str, words: str) -> None:
    """With what is allowed."""
    with pytest.raises(Refused, match="allowed") as refused:
        parse_guard(text)
    assert refused.value.code == "bad-guard"
    assert words in str(refused.value)
