"""Spelling of names."""

from __future__ import annotations

import pytest

from gateway.core import names


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        pytest.param("orders", True, id="letters"),
        pytest.param("My_fn-2", True, id="letters, digits, dash and underscore"),
        pytest.param("ab", True, id="two characters"),
        pytest.param("a" * 60, True, id="sixty characters"),
        pytest.param("a", True, id="one character"),
        pytest.param("a" * 61, False, id="sixty-one characters"),
        pytest.param("1a", False, id="starts with a digit"),
        pytest.param("_ab", False, id="starts with an underscore"),
        pytest.param("ab-", False, id="ends with a dash"),
        pytest.param("ab_", False, id="ends with an underscore"),
        pytest.param("a.b", False, id="a dot"),
        pytest.param("ab\n", False, id="a trailing newline"),
        pytest.param("añb", False, id="a letter beyond ASCII"),
        pytest.param("", False, id="nothing"),
        pytest.param("$DEFAULT", False, id="a reserved name"),
    ],
)
def test_function_names(name: str, allowed: bool) -> None:
    """Functions are named with 1 to 60 characters; the cloud documents 2 and its clients show 1."""
    assert names.is_function(name) is allowed


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        pytest.param("release", True, id="letters"),
        pytest.param("a", True, id="one letter"),
        pytest.param("a-", True, id="ends with a dash"),
        pytest.param("a" * 64, True, id="sixty-four characters"),
        pytest.param("a" * 65, False, id="sixty-five characters"),
        pytest.param("$DEFAULT", True, id="the alias every function has"),
        pytest.param("$LATEST", False, id="the editable version"),
        pytest.param("$OTHER", False, id="another reserved name"),
        pytest.param("1", False, id="a number"),
        pytest.param("-a", False, id="starts with a dash"),
        pytest.param("a\n", False, id="a trailing newline"),
        pytest.param("", False, id="nothing"),
    ],
)
def test_alias_names(name: str, allowed: bool) -> None:
    """Aliases start with a letter, so that no alias can be mistaken for a version."""
    assert names.is_alias(name) is allowed


@pytest.mark.parametrize(
    ("name", "number", "version"),
    [
        pytest.param("1", True, True, id="the first"),
        pytest.param("9" * 18, True, True, id="eighteen digits"),
        pytest.param("9" * 19, False, False, id="nineteen digits"),
        pytest.param("0", False, False, id="zero"),
        pytest.param("01", False, False, id="a leading zero"),
        pytest.param("-1", False, False, id="a sign"),
        pytest.param("1.0", False, False, id="a decimal"),
        pytest.param("\u0661", False, False, id="a digit beyond ASCII"),
        pytest.param("1\n", False, False, id="a trailing newline"),
        pytest.param("$LATEST", False, True, id="the editable version"),
        pytest.param("$DEFAULT", False, False, id="an alias"),
        pytest.param("", False, False, id="nothing"),
    ],
)
def test_versions(name: str, number: bool, version: bool) -> None:
    """A version is a positive number in its shortest spelling, or `$LATEST`."""
    assert (names.is_number(name), names.is_version(name)) == (number, version)


@pytest.mark.parametrize(
    ("name", "stage"),
    [("dev", "dev"), ("test", "dev"), ("prepub", "prepub"), ("release", "release"), ("qa", "qa")],
)
def test_the_clouds_name_of_the_first_stage_reaches_dev(name: str, stage: str) -> None:
    """`test` is `dev`; every other name stays what it is."""
    assert names.stage_name(name) == stage


def test_versions_sort_by_number_and_the_editable_one_comes_last() -> None:
    """Ten comes after nine, not after one."""
    mixed = ["10", "$LATEST", "9", "1"]
    assert sorted(mixed, key=names.version_order) == ["1", "9", "10", "$LATEST"]
