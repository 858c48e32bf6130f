"""Declared parameters: what tells them apart, and which texts are values of their kinds."""

from __future__ import annotations

import pytest

from gateway.core.parameters import Parameter, fits


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (Parameter("X-A", "header"), Parameter("x-a", "header"), True),
        (Parameter("A", "query"), Parameter("a", "query"), False),
        (Parameter("a", "query"), Parameter("a", "body"), False),
    ],
    ids=["header", "query", "places"],
)
def test_names_of_headers_have_no_case(one: Parameter, other: Parameter, same: bool) -> None:
    """All others have."""
    assert (one.key == other.key) is same


@pytest.mark.parametrize(
    ("kind", "text", "fit"),
    [
        ("string", "", True),
        ("string", "x", True),
        ("int", "-12", True),
        ("int", "+1", True),
        ("int", "1.0", False),
        ("int", "", False),
        ("int", "\u0661", False),
        ("float", "1", True),
        ("float", "-.5e-3", True),
        ("float", "1.", True),
        ("float", "nan", False),
        ("float", ".", False),
        ("boolean", "true", True),
        ("boolean", "True", False),
    ],
)
def test_a_value_fits_its_kind_as_a_text(kind: str, text: str, fit: bool) -> None:
    """It is never converted."""
    assert fits(kind, text) is fit
