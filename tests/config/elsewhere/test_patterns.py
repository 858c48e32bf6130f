"""Patterns say what the gateway's own rules say, in Python's engine and in RE2, for any input."""

from __future__ import annotations

import re

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.elsewhere.conditions import Inexpressible, condition
from gateway.config.elsewhere.patterns import CODED, FORM, PLAIN, within
from gateway.core.rules import parse_rule
from gateway.dataplane.request import HttpRequest

EVERYWHERE = frozenset({"headers", "query", "cookies", "path"})
QUERY_ATOMS = (
    "user", "us", "er", "%75ser", "use%72", "use%7", "%", "=", "&", "&", "Bob+B", "Bob%20B",
    "B%6fb+B", "a+b", "a%2B", "a%2bz", "%C3%A9", "%c3%a9", "c%26d", "5", "%35", "-", "+3", "%2B3",
    "12", "13", "user=Bob+B", "user=a%2B", "user=7", "x", "user2", "us%",
)  # fmt: skip
COOKIE_ATOMS = (
    "user", "user=", "user =", "u", " ", "; ", ";", '"', "=", "Bob", '"Bob"', "a b", "a", "c", "5",
    "-2",    "user=Bob", "use",
)  # fmt: skip


def matches(pattern: str, text: str) -> bool:
    """Whether a pattern matches a text whole; both engines agree."""
    found = re.fullmatch(pattern, text, re.DOTALL) is not None
    assert found == (re2.compile(f"(?s:{pattern})").fullmatch(text) is not None)
    return found


@pytest.mark.parametrize(
    ("low", "high"),
    [(1, 9), (0, 0), (-5, 5), (10, 10), (99, 1001), (-120, -7), (0, 12345), (7, 100), (1000, 9999)],
)
def test_ranges_hold_their_integers_and_no_others(low: int, high: int) -> None:
    """Signs and zeros in front are fine, as in a rule."""
    pattern = within(low, high, PLAIN)
    for number in range(low - 30, high + 31):
        for text in {str(number), f"{number:+d}", f"{number:+06d}"}:
            assert matches(pattern, text) == (low <= number <= high), text
    assert matches(pattern, "-00") == (low <= 0 <= high)
    assert not matches(pattern, "")


@given(st.integers(-(10**20), 10**20), st.integers(0, 10**20), st.integers(-(10**21), 10**21))
def test_ranges_of_any_size(low: int, size: int, number: int) -> None:
    """A bound is within, and what is beyond it is not."""
    high = low + size
    pattern = within(low, high, PLAIN)
    for each in (low, high, low - 1, high + 1, number):
        assert matches(pattern, str(each)) == (low <= each <= high)


def test_a_range_is_found_percent_encoded() -> None:
    """Digits and signs may be spelled either way."""
    assert matches(within(10, 19, FORM), "%2B1%37")
    assert not matches(within(10, 19, FORM), "+17")  # a space and 17
    assert matches(within(-19, 5, CODED), "-%31%39")


QUERIES = [
    f"invoke.query.user {rest}"
    for rest in ("exact Bob B", "in a b,c&d,é", "prefix a+", "range [-3,12]", "exists")
]
COOKIES = [
    f"invoke.cookies.user {rest}"
    for rest in ("exact Bob", "in a b,c", "prefix a", "range [-3,12]", "exists")
]


@pytest.mark.parametrize("when", QUERIES)
@given(st.lists(st.sampled_from(QUERY_ATOMS), max_size=9).map("".join))
def test_a_query_hits_as_it_does_here(when: str, query: str) -> None:
    """The last parameter of a name counts, however it is spelled."""
    rule = parse_rule(when, "2")
    found = condition(rule, 1, EVERYWHERE)
    assert matches(found.pattern, query) == rule.hits(HttpRequest({}, query.encode()))


@pytest.mark.parametrize("when", COOKIES)
@given(st.lists(st.sampled_from(COOKIE_ATOMS), max_size=8).map("".join))
def test_a_cookie_hits_as_it_does_here(when: str, cookies: str) -> None:
    """The first cookie of a name counts, with or without quotes."""
    rule = parse_rule(when, "2")
    found = condition(rule, 1, EVERYWHERE)
    assert matches(found.pattern, cookies) == rule.hits(HttpRequest({"cookie": cookies}))


@pytest.mark.parametrize(
    "when",
    ["exact a.b", "in a, b+", "prefix $1", "range (0,9)", "regex ^a+$|b", "regex x", "exists"],
)
@given(st.text("ab.+$1x0 ", max_size=6))
def test_a_header_hits_as_it_does_here(when: str, value: str) -> None:
    """The pattern is of the whole value."""
    rule = parse_rule(f"invoke.headers.X-User {when}", "2")
    found = condition(rule, 1, EVERYWHERE)
    assert matches(found.pattern, value) == rule.hits(HttpRequest({"x-user": value}))


@pytest.mark.parametrize(
    ("when", "why"),
    [
        ("invoke.body.$.user exact Bob", "cannot read invoke.body.$.user"),
        ("invoke.headers.X_User exact Bob", "'X_User' has characters"),
        ("invoke.headers.X-Gateway-Stage exists", "only the gateway sets"),
        ("invoke.query.a*b exists", "'a*b' has characters"),
        ("invoke.headers.User exact Zoë", "not ASCII"),
        ("invoke.cookies.plan exact a;b", "end or quote a cookie"),
        ('invoke.cookies.plan exact "a"', "end or quote a cookie"),
        ("invoke.query.user regex ^a", "for headers only"),
        (r"invoke.headers.User regex \pL", "only RE2 reads so"),
    ],
)
def test_what_means_something_else_elsewhere_is_no_condition(when: str, why: str) -> None:
    """The reason names what is in the way."""
    with pytest.raises(Inexpressible, match=re.escape(why)):
        condition(parse_rule(when, "2"), 1, EVERYWHERE)
