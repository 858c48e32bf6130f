"""Plain values with their types: what a journal gives back is checked, never converted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.core.errors import listed


def typed(value: Any, *kinds: type) -> Any:  # noqa: ANN401 - what it is, is what it checks
    """A value of exactly one of some types: `True` is no number.

    Raises:
        TypeError: It is of another one.
    """
    if type(value) not in kinds:
        raise TypeError(f"{value!r} is no {kinds[0].__name__}")
    return value


def one_of(value: Any, allowed: Sequence[str]) -> str:  # noqa: ANN401 - what it is, is checked
    """A text that is one of those allowed.

    Raises:
        ValueError: It is another one.
    """
    if value not in allowed:
        raise ValueError(f"{value!r} is none of {listed(allowed)}")
    return str(value)


def read_strings(raw: Mapping[str, Any]) -> dict[str, str]:
    """A table of strings.

    Raises:
        TypeError, ValueError: It is none.
    """
    return {typed(key, str): typed(value, str) for key, value in typed(raw, dict).items()}
