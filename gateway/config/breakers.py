"""`[functions.NAME] breaker`: read by the law of `gateway.core.breaker`, and written back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.config.fields import as_written
from gateway.core.breaker import USUAL, Breaker, parse_breaker
from gateway.core.errors import Refused
from gateway.core.shapes import Reader


def read_breaker(reader: Reader) -> Breaker | None:
    """The breaker of a function; mistakes are added to the reader's.

    Args:
        reader: The function's table.
    """
    raw = reader.get("breaker")
    if raw is None:
        return None
    try:
        return parse_breaker(raw, f"the breaker of {reader.what}")
    except Refused as refused:
        reader.problems += [problem.under(*reader.at, "breaker") for problem in refused.problems]
        return None


def breaker_values(breaker: Breaker | None, old: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """A breaker as a file has it; the file's own words if they mean the same.

    Args:
        breaker: The live breaker.
        old: The table of the file; `None` where there is none.
    """
    if breaker is None:
        return None
    if old is not None and _means(old, breaker):
        return dict(old)
    said, usual = breaker.to_dict(), USUAL.to_dict()
    return {
        key: as_written(value)
        for key, value in said.items()
        if key == "errors" or value != usual[key]
    }


def _means(old: Mapping[str, Any], breaker: Breaker) -> bool:
    try:
        return parse_breaker(old, "") == breaker
    except Refused:
        return False
