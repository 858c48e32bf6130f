"""Methods of rules: what hits, what does not, and which expressions are refused."""

from __future__ import annotations

import pytest
from _pytest.mark.structures import ParameterSet
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.errors import Refused
from gateway.core.methods import METHODS

THOUSAND = "9" * 1000


def row(method: str, expression: str, value: str, hit: bool, name: str) -> ParameterSet:
    """One row of the table, with its id."""
    return pytest.param(method, expression, value, hit, id=f"{method}: {name}")


@pytest.mark.parametrize(
    ("method", "expression", "value", "hit"),
    [
        row("exact", "Bob", "Bob", True, "the same text"),
        row("exact", "Bob", "bob", False, "another case"),
        row("exact", "Bob", "Bob ", False, "a space more"),
        row("exact", "Bob", "Bobby", False, "only the beginning"),
        row("exact", "Bob", "", False, "nothing"),
        row("exact", "1", "1.0", False, "texts are compared, not numbers"),
        row("exact", "a b", "a b", True, "white space inside"),
        row("range", "[1,9]", "1", True, "the lower end of square brackets"),
        row("range", "[1,9]", "9", True, "the upper end of square brackets"),
        row("range", "[1,9]", "0", False, "below square brackets"),
        row("range", "[1,9]", "10", False, "above square brackets"),
        row("range", "(1,9)", "1", False, "the lower end of round brackets"),
        row("range", "(1,9)", "9", False, "the upper end of round brackets"),
        row("range", "(1,9)", "2", True, "just inside the lower round bracket"),
        row("range", "(1,9)", "8", True, "just inside the upper round bracket"),
        row("range", "[5,5]", "5", True, "one integer"),
        row("range", "(4,6)", "5", True, "one integer between round brackets"),
        row("range", "[-9,-1]", "-5", True, "negative integers"),
        row("range", "[-9,+9]", "+5", True, "signs"),
        row("range", "[0,9]", "-0", True, "minus nothing"),
        row("range", "[1,9]", "007", True, "leading zeros are still an integer"),
        row("range", "[ 1 , 9 ]", "5", True, "optional spaces in the expression"),
        row("range", "[1,9]", "5.0", False, "a decimal is no integer"),
        row("range", "[1,9]", "5e0", False, "an exponent is no integer"),
        row("range", "[1,9]", " 5", False, "a space is no integer"),
        row("range", "[1,9]", "5\n", False, "a newline is no integer"),
        row("range", "[1000,2000]", "1_500", False, "an underscore is no integer"),
        row("range", "[1,9]", "\u0665", False, "a digit beyond ASCII is no integer"),
        row("range", "[1,9]", "", False, "nothing is no integer"),
        row("range", "[1,9]", "five", False, "a word is no integer"),
        row("range", "[1,9]", "0x5", False, "hexadecimal is no integer here"),
        row("range", "[1,9]", "-", False, "a lone sign is no integer"),
        row("range", "[1,9]", "nan", False, "not a number"),
        row("range", "[1,9]", THOUSAND, False, "a thousand digits are above"),
        row("range", "[1,9]", "-" + THOUSAND, False, "minus a thousand digits are below"),
        row("range", "[1,9]", "9" * 100_000, False, "a hundred thousand digits do not blow"),
        row("range", f"[1,{'9' * 200}]", "8" * 200, True, "long integers in a long range"),
        row("range", f"[1,{'9' * 200}]", "8" * 201, False, "longer integers above it"),
        row("prefix", "Bo", "Bob", True, "the beginning"),
        row("prefix", "Bo", "Bo", True, "the whole"),
        row("prefix", "Bo", "bob", False, "another case"),
        row("prefix", "Bo", "aBo", False, "the middle"),
        row("prefix", "Bo", "", False, "nothing"),
        row("regex", "^B.b$", "Bob", True, "the whole"),
        row("regex", "o", "Bob", True, "anywhere, unless anchored"),
        row("regex", "^o", "Bob", False, "anchored"),
        row("regex", "bob", "Bob", False, "another case"),
        row("regex", "(?i)bob", "Bob", True, "another case, if the pattern says so"),
        row("regex", "^$", "", True, "nothing"),
        row("regex", "^ü+$", "üü", True, "letters beyond ASCII"),
        row("regex", "^.$", "\ud800", False, "half a surrogate pair is no text"),
        row("in", "Bob, Alice", "Bob", True, "the first"),
        row("in", "Bob, Alice", "Alice", True, "the second, without the space"),
        row("in", "Bob", "Bob", True, "a list of one"),
        row("in", "Bob, Alice", "bob", False, "another case"),
        row("in", "Bob, Alice", "Bob, Alice", False, "the list itself"),
        row("in", "Bob,,Alice,", "", False, "a gap names nothing"),
        row("exists", "", "Bob", True, "any value"),
        row("exists", "", "", True, "an empty value is there"),
    ],
)
def test_methods(method: str, expression: str, value: str, hit: bool) -> None:
    """Each row says what a method does with a value."""
    assert METHODS[method](expression)(value) is hit


@pytest.mark.parametrize(
    ("method", "expression", "message"),
    [
        ("exact", "", "the method 'exact' needs an expression"),
        ("prefix", "", "the method 'prefix' needs an expression"),
        ("regex", "", "the method 'regex' needs an expression"),
        ("range", "", "'' is no range; allowed: [1,9] with or (1,9) without its ends"),
        ("range", "1,9", "'1,9' is no range; allowed"),
        ("range", "(1,9]", "'(1,9]' is no range; allowed"),
        ("range", "[1,9)", "'[1,9)' is no range; allowed"),
        ("range", "[1;9]", "'[1;9]' is no range; allowed"),
        ("range", "[1.5,9]", "'[1.5,9]' is no range; allowed"),
        ("range", "[a,b]", "'[a,b]' is no range; allowed"),
        ("range", "[1,]", "'[1,]' is no range; allowed"),
        ("range", "[1,9] or so", "'[1,9] or so' is no range; allowed"),
        ("range", "[9,1]", "no integer lies in the range '[9,1]'"),
        ("range", "(1,2)", "no integer lies in the range '(1,2)'"),
        ("range", "(1,1)", "no integer lies in the range '(1,1)'"),
        ("in", "", "'' lists no values; for example: in Bob, Alice"),
        ("in", " , ,", "' , ,' lists no values"),
        ("exists", "Bob", "the method 'exists' takes no expression, and here is 'Bob'"),
        ("regex", "(", "'(' is not a regular expression of RE2: missing )"),
        ("regex", "a**", "'a**' is not a regular expression of RE2: bad repetition operator"),
        ("regex", "(?=a)b", "'(?=a)b' is not a regular expression of RE2: invalid perl operator"),
        ("regex", "(a)\\1", "is not a regular expression of RE2: invalid escape sequence"),
        ("regex", "(a{1000}){1000}", "is not a regular expression of RE2"),
        ("regex", "\ud800", "is not a regular expression of RE2"),
    ],
)
def test_expressions_that_mean_nothing_are_refused(
    method: str, expression: str, message: str
) -> None:
    """When the rule is made, with the expression and what is allowed, never at request time."""
    with pytest.raises(Refused) as caught:
        METHODS[method](expression)
    [problem] = caught.value.problems
    assert problem.code == "bad-expression"
    assert message in problem.message


@pytest.mark.parametrize(
    "value", ["a" * 100_000 + "!", "x" * 100_000, "ax" * 50_000], ids=["a", "x", "ax"]
)
@pytest.mark.parametrize("pattern", ["(a+)+$", "(.*)*x", "(x+x+)+y", "^(a|a)*$", "(a|aa)+$"])
def test_no_pattern_and_no_value_hang_a_rule(pattern: str, value: str) -> None:
    """Patterns that take a backtracking engine years are answered, and rightly."""
    expected = {
        "(a+)+$": value.endswith("a"),
        "(.*)*x": "x" in value,
        "(x+x+)+y": False,
        "^(a|a)*$": set(value) == {"a"},
        "(a|aa)+$": value.endswith("a"),
    }
    assert METHODS["regex"](pattern)(value) is expected[pattern]


@settings(deadline=None)
@given(low=st.integers(), width=st.integers(0, 50), value=st.integers(), near=st.integers(-3, 53))
def test_ranges_hold_exactly_the_integers_between_their_ends(
    low: int, width: int, value: int, near: int
) -> None:
    """Square brackets with their ends, round ones without."""
    high = low + width
    closed = METHODS["range"](f"[{low},{high}]")
    opened = METHODS["range"](f"({low},{high + 2})")
    for number in (value, low + near):
        assert closed(str(number)) is (low <= number <= high)
        assert opened(str(number)) is (low < number < high + 2)


@settings(deadline=None)
@given(st.text())
def test_no_text_upsets_a_method(value: str) -> None:
    """Every method answers yes or no to every value."""
    expressions = {"range": "[0,9]", "exists": ""}
    for method, compile_ in METHODS.items():
        assert compile_(expressions.get(method, "a"))(value) in {True, False}
