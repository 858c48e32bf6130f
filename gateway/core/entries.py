"""Qualifiers, compiled: everything that `decide` looks up, down to the decisions themselves.

A snapshot holds one `Entry` for each qualifier and each entry one `Decision` for each outcome, so
that a request makes nothing and parses nothing. Which of them is taken is settled in `decide`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from gateway.core.alias import Alias
from gateway.core.rules import RequestView
from gateway.core.split import Mode, Split


class Target(NamedTuple):
    """Whom a caller asks for.

    Attributes:
        function: A function's name.
        qualifier: A version, `$LATEST` or an alias.
    """

    function: str
    qualifier: str


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """The chosen version and the reason; one object for each possible outcome of a snapshot.

    Attributes:
        function: The function's name.
        qualifier: What the caller named.
        version: The version that answers.
        reason: `pinned`, `rule:N` (counted from 1), `weight`, `sticky` or `main`.
    """

    function: str
    qualifier: str
    version: str
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A qualifier, compiled for `decide`.

    Attributes:
        rules: Tests in list order, each with the decision of a hit.
        only: The decision when no rule hits and there is no weight.
        split: The layout of the weights; `None` exactly where `only` is given.
        mode: Where the split's draws come from.
        sticky: Reads the sticky key.
        drawn: The decision for each stretch of the layout when a draw settled it.
        stuck: The same when a sticky key settled it.
    """

    rules: tuple[tuple[Callable[[RequestView], bool], Decision], ...]
    only: Decision | None
    split: Split | None = None
    mode: Mode = "random"
    sticky: Callable[[RequestView], str | None] | None = None
    drawn: tuple[Decision, ...] = ()
    stuck: tuple[Decision, ...] = ()


def pin(function: str, version: str) -> Entry:
    """The entry of a version that callers name themselves."""
    return Entry((), Decision(function, version, version, "pinned"))


def compile_alias(alias: Alias) -> Entry:
    """The entry of an alias."""
    route = alias.route

    def decision(version: str, reason: str) -> Decision:
        return Decision(alias.function, alias.name, version, reason)

    rules = tuple(
        (rule.hits, decision(rule.version, f"rule:{number}"))
        for number, rule in enumerate(route.rules, start=1)
    )
    if not route.weights:
        return Entry(rules, decision(route.version, "main"))
    split = Split((alias.function, alias.name), route.version, route.weights)
    reasons = dict.fromkeys(route.weights, "weight") | {route.version: "main"}
    return Entry(
        rules,
        only=None,
        split=split,
        mode=route.split,
        sticky=route.sticky_by.first if route.sticky_by else None,
        drawn=tuple(decision(version, reasons[version]) for version in split.versions),
        stuck=tuple(decision(version, "sticky") for version in split.versions),
    )
