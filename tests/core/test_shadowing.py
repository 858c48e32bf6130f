"""A rule is called shadowed if no value whatever can hit it, and only then."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.alias import Route, parse_route
from gateway.core.shadowing import shadowed


def route_of(*conditions: str) -> Route:
    """A route with these rules."""
    rules = [{"when": when, "version": "2"} for when in conditions]
    return parse_route({"version": "1", "rules": rules}, "it")[0]


def user(*conditions: str) -> Route:
    """A route with rules about one header."""
    return route_of(*(f"invoke.headers.User {condition}" for condition in conditions))


@pytest.mark.parametrize(
    ("conditions", "found"),
    [
        pytest.param([], {}, id="no rules"),
        pytest.param(["exact Bob", "exact Alice"], {}, id="others"),
        pytest.param(["exact Bob", "exact Bob"], {2: (1,)}, id="the same"),
        pytest.param(["regex ^B", "regex ^B"], {2: (1,)}, id="the same regex"),
        pytest.param(["regex ^B", "regex ^Bo"], {}, id="regexes are not compared"),
        pytest.param(["regex ^B", "prefix Bo"], {}, id="nor are prefixes with them"),
        pytest.param(["regex ^B", "exact Bob"], {2: (1,)}, id="but values are"),
        pytest.param(["exists", "exact Bob", "regex x"], {2: (1,), 3: (1,)}, id="exists"),
        pytest.param(["exact Bob", "exists"], {}, id="exists after a value"),
        pytest.param(["in Bob, Alice", "exact Bob"], {2: (1,)}, id="one of several"),
        pytest.param(["exact Bob", "in Bob, Alice"], {}, id="several, one of them left"),
        pytest.param(
            ["exact Bob", "prefix Al", "in Bob,Alice"], {3: (1, 2)}, id="several, none left"
        ),
        pytest.param(["prefix Bo", "prefix Bob"], {2: (1,)}, id="longer prefix"),
        pytest.param(["prefix Bob", "prefix Bo"], {}, id="shorter prefix"),
        pytest.param(["prefix Bo", "exact Bob"], {2: (1,)}, id="prefix of a value"),
        pytest.param(["range [1,9]", "range (1,9)"], {2: (1,)}, id="narrower range"),
        pytest.param(["range (1,9)", "range [1,9]"], {}, id="wider range"),
        pytest.param(["range [1,9]", "exact 05"], {2: (1,)}, id="a number in the range"),
        pytest.param(["range [1,9]", "exact Bob"], {}, id="no number"),
        pytest.param(
            ["range [5,9]", "range [1,3]", "range [4,4]", "range [2,7]"],
            {4: (1, 2, 3)},
            id="ranges that meet",
        ),
        pytest.param(
            ["range [5,9]", "range [1,3]", "range [2,7]"], {}, id="ranges with a gap between"
        ),
        pytest.param(["range [1,2]", "range [1,6]", "range [5,6]"], {3: (2,)}, id="one is enough"),
        pytest.param(["range [1,3]", "range [1,2]", "range [2,4]"], {2: (1,)}, id="an end left"),
        pytest.param(
            ["range [-9,-5]", "range [1,3]", "range [2,3]"], {3: (2,)}, id="a range below"
        ),
        pytest.param(["exact 1", "range [1,1]"], {}, id="the number can be written +1"),
        pytest.param(["exact Bob", "exact Bob", "exact Bob"], {2: (1,), 3: (1,)}, id="thrice"),
    ],
)
def test_what_is_shadowed_by_what(conditions: list[str], found: dict[int, tuple[int, ...]]) -> None:
    """By earlier rules about the same key."""
    told = shadowed(user(*conditions))
    assert {one.number: one.by for one in told} == found
    assert all(one.when == f"invoke.headers.User {conditions[one.number - 1]}" for one in told)


def test_other_keys_shadow_nothing() -> None:
    """A request may have one without the other."""
    route = route_of("invoke.headers.User exists", "invoke.query.User exact Bob")
    assert shadowed(route) == ()
    assert shadowed(route_of("invoke.body.$.a exists", "invoke.body.$.a exact 1"))


VALUES = ("", "1", "05", "+7", "9", "12", "Bob", "Bobby", "Alice", "B")
CONDITIONS = st.one_of(
    st.sampled_from(["exists", "regex ^B", "regex [0-9]"]),
    st.sampled_from([f"exact {value}" for value in VALUES if value]),
    st.sampled_from([f"prefix {value}" for value in VALUES if value]),
    st.lists(st.sampled_from(VALUES[1:]), min_size=1, max_size=3).map(
        lambda members: f"in {', '.join(members)}"
    ),
    st.tuples(st.integers(-3, 9), st.integers(0, 9)).map(
        lambda ends: f"range [{ends[0]},{ends[0] + ends[1]}]"
    ),
)


class _View:
    """A request that has one header."""

    def __init__(self, value: str) -> None:
        self.value = value

    def header(self, _name: str, _folded: str) -> str | None:
        return self.value

    def query(self, _name: str) -> str | None:
        return None

    def path_parameter(self, _name: str) -> str | None:
        return None

    def cookie(self, _name: str) -> str | None:
        return None

    def json(self) -> object:
        return None


@given(st.lists(CONDITIONS, max_size=5), st.sampled_from(VALUES) | st.integers(-9, 30).map(str))
def test_no_value_ever_hits_what_is_called_shadowed(conditions: list[str], value: str) -> None:
    """Some rule among those named hits first."""
    route, view = user(*conditions), _View(value)
    hit = [number for number, rule in enumerate(route.rules, start=1) if rule.hits(view)]
    for found in shadowed(route):
        if found.number in hit:
            assert set(found.by) & set(hit)
            assert min(hit) < found.number
