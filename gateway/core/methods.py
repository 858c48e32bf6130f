"""What a rule compares with: one entry a method, compiled once per rule.

`exact` and `range` are the cloud's (traffic routing, page 583/35952); the others are extensions.
Regular expressions are RE2's, which match in time linear in the input whatever the pattern, so
that no pattern and no header can hang the gateway.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from gateway.core.errors import Problem, Refused

Test = Callable[[str], bool]
"""Whether a request's value fulfils the expression that the test was compiled from."""

_RANGE = re.compile(r"([\[(])\s*([+-]?[0-9]+)\s*,\s*([+-]?[0-9]+)\s*([\])])")
_INTEGER = re.compile(r"[+-]?[0-9]{1,1024}")  # as many digits as an expression can have


def _needs_text(method: str, expression: str) -> None:
    if not expression:
        message = f"the method {method!r} needs an expression"
        raise Refused([Problem("bad-expression", message)])


def _exact(expression: str) -> Test:
    _needs_text("exact", expression)
    return lambda value: value == expression


def range_of(expression: str) -> tuple[int, int]:
    """The lowest and the highest integer of a range, `[1,9]` with its ends or `(1,9)` without.

    Raises:
        Refused: It is no range, or no integer lies in it.
    """
    parts = _RANGE.fullmatch(expression)
    if parts is None or (parts[1] == "[") != (parts[4] == "]"):
        message = f"{expression!r} is no range; allowed: [1,9] with or (1,9) without its ends"
        raise Refused([Problem("bad-expression", message)])
    open_ends = parts[1] == "("
    low, high = int(parts[2]) + open_ends, int(parts[3]) - open_ends
    if low > high:
        message = f"no integer lies in the range {expression!r}"
        raise Refused([Problem("bad-expression", message)])
    return low, high


def members_of(expression: str) -> frozenset[str]:
    """The values that `in` lists: `Bob, Alice`."""
    return frozenset(filter(None, map(str.strip, expression.split(","))))


def _range(expression: str) -> Test:
    low, high = range_of(expression)
    return lambda value: _INTEGER.fullmatch(value) is not None and low <= int(value) <= high


def _prefix(expression: str) -> Test:
    _needs_text("prefix", expression)
    return lambda value: value.startswith(expression)


def _regex(expression: str) -> Test:
    _needs_text("regex", expression)
    import re2  # costs 10 ms, and few configurations need it

    options = re2.Options()
    options.log_errors = False
    try:
        search = re2.compile(expression, options).search
    except (re2.error, UnicodeEncodeError) as error:
        reason = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error)
        message = f"{expression!r} is not a regular expression of RE2: {reason}"
        raise Refused([Problem("bad-expression", message)]) from None

    def hits(value: str) -> bool:
        try:
            return search(value) is not None
        except UnicodeEncodeError:
            return False  # half a surrogate pair, which JSON can spell, is no text

    return hits


def _in(expression: str) -> Test:
    members = members_of(expression)
    if not members:
        message = f"{expression!r} lists no values; for example: in Bob, Alice"
        raise Refused([Problem("bad-expression", message)])
    return members.__contains__


def _exists(expression: str) -> Test:
    if expression:
        message = f"the method 'exists' takes no expression, and here is {expression!r}"
        raise Refused([Problem("bad-expression", message)])
    return lambda _value: True


METHODS: Final[dict[str, Callable[[str], Test]]] = {
    "exact": _exact,
    "range": _range,
    "prefix": _prefix,
    "regex": _regex,
    "in": _in,
    "exists": _exists,
}
"""Every method with what compiles its expression; `exact` and `range` are the cloud's."""
