"""Rules as conditions that engines can test: where the value is, and what the whole of it matches.

A rule that means something else in an engine than it does here is no condition: it is told as
lacking, with the reason.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from gateway.config.elsewhere import patterns
from gateway.config.elsewhere.patterns import Alphabet, one_of
from gateway.core.methods import members_of, range_of
from gateway.core.rules import CONDITION, Rule

SOURCES: Final = ("headers", "query", "path", "cookies", "body")
"""Where rules find their values; engines read some of them."""

_OWN_SYNTAX: Final = re.compile(r"\\[pPCQEv]|\\x\{|\{,|[^\x20-\x7e]")
HEADER: Final = re.compile(r"[A-Za-z0-9-]+")
"""Names of headers that every engine reads as they are written."""

_PARAMETER: Final = re.compile(r"[A-Za-z0-9_.~-]+")
_VISIBLE: Final = re.compile(r"[\x20-\x7e]*")


class Inexpressible(Exception):
    """A part of the routing that an engine has no words for; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What a request must have to hit a rule.

    Attributes:
        number: The rule, counted from 1.
        when: The rule as written.
        version: Where a hit goes.
        source: One of `SOURCES`.
        name: The header's or parameter's name.
        pattern: Matches the whole of a header's value, of the query string, of the `Cookie`
            header, or of a path's segment.
        value: The only text that a header may be, where there is one.
        coded: The same pattern for a segment of a path as it travels.
    """

    number: int
    when: str
    version: str
    source: str
    name: str
    pattern: str
    value: str | None = None
    coded: str = ""


def condition(rule: Rule, number: int, sources: frozenset[str]) -> Condition:
    """A rule as a condition.

    Args:
        rule: The rule.
        number: Its number, counted from 1.
        sources: What the engine can read.

    Raises:
        Inexpressible: The engine cannot test it.
    """
    parts = CONDITION.fullmatch(rule.when)
    assert parts is not None  # noqa: S101 - a rule was parsed by the same expression
    source, name = parts["key"].removeprefix("invoke.").split(".", 1)
    method, expression = parts["method"], (parts["expression"] or "").strip()
    if source not in sources:
        raise Inexpressible(f"it cannot read {parts['key']}")
    _check_name(source, name)

    def made(pattern: str, value: str | None = None, coded: str = "") -> Condition:
        return Condition(number, rule.when, rule.version, source, name, pattern, value, coded)

    if source == "headers":
        pattern = _value(method, expression, patterns.PLAIN) or ".*"
        return made(pattern, expression if method == "exact" else None)
    if source == "query":
        return made(patterns.in_query(name, _value(method, expression, patterns.FORM)))
    if source == "cookies":
        return made(patterns.in_cookies(name, _value(method, expression, patterns.COOKIE)))
    segment = _value(method, expression, patterns.SEGMENT) or patterns.SEGMENT.any + "+"
    coded = _value(method, expression, patterns.CODED) or patterns.CODED.any + "+"
    return made(segment, None, coded)


def _check_name(source: str, name: str) -> None:
    if source == "headers" and name.lower().startswith("x-gateway-"):
        raise Inexpressible(f"no request has the header {name}, which only the gateway sets")
    allowed = _PARAMETER if source in {"query", "cookies"} else HEADER
    if source != "path" and allowed.fullmatch(name) is None:
        raise Inexpressible(f"the name {name!r} has characters that it reads as others")


def _value(method: str, expression: str, alphabet: Alphabet) -> str | None:
    """A pattern for the values that hit; `None` where every value does."""
    if method == "exists":
        return None
    if method == "range":
        low, high = range_of(expression)
        return patterns.within(low, high, alphabet)
    if method == "regex":
        return _searched(expression, alphabet)
    texts = sorted(members_of(expression)) if method == "in" else [expression]
    for text in texts:
        _check_text(text, alphabet)
    found = one_of(map(alphabet.text, texts))
    return found + alphabet.any + "*" if method == "prefix" else found


def _check_text(text: str, alphabet: Alphabet) -> None:
    if alphabet in (patterns.PLAIN, patterns.COOKIE) and _VISIBLE.fullmatch(text) is None:
        raise Inexpressible(f"{text!r} is not ASCII, and engines read headers in their own ways")
    if alphabet is patterns.COOKIE and (";" in text or text.startswith('"')):
        raise Inexpressible(f"{text!r} has characters that end or quote a cookie")


def _searched(expression: str, alphabet: Alphabet) -> str:
    if alphabet is not patterns.PLAIN:
        raise Inexpressible("regular expressions are taken elsewhere for headers only")
    if _OWN_SYNTAX.search(expression) is not None:
        raise Inexpressible(f"{expression!r} has what only RE2 reads so")
    return f".*(?:{expression}).*"
