"""How the parts of a plan are called in a configuration, and what answers say in every engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from gateway.config.elsewhere.conditions import Condition
from gateway.config.elsewhere.ways import Choice, Outcome, Plan, Way
from gateway.core.errors import Problem, Refused, listed, nearest
from gateway.core.snapshot import Snapshot

OWN_HEADERS: Final = tuple(
    f"X-Gateway-{name}"
    for name in ("Stage", "Function", "Alias", "Version", "Reason", "Revision", "Fault")
)
"""Headers that only the gateway sets; what callers and versions say there is dropped."""

NOT_FOUND: Final = '{"message": "There is no api match."}'
"""The body of answers to what no API takes."""

TEXT: Final = "text/plain; charset=utf-8"
"""The content type of fixed answers."""

Upstreams = Mapping[tuple[str, str], tuple[str, int]]
"""The address of every function's version."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Everything that a configuration is written from.

    Attributes:
        plan: The routing.
        upstreams: Where versions are.
        listen: The address and the port for callers.
        keep_stage: Whether versions are sent the stage in the path.
        notes: Lines for the head of the file.
    """

    plan: Plan
    upstreams: Upstreams
    listen: tuple[str, int]
    keep_stage: bool
    notes: tuple[str, ...] = ()


def version_name(function: str, version: str) -> str:
    """A function's version in a configuration: `orders_2`, `orders_latest`."""
    return f"{function}_{version.strip('$').lower()}"


def said(way: Way, outcome: Outcome | None, revision: int) -> dict[str, str]:
    """The headers of an answer."""
    found = {"X-Gateway-Stage": way.stage, "X-Gateway-Revision": str(revision)}
    if outcome is not None:
        found["X-Gateway-Function"] = outcome.function
        found["X-Gateway-Alias"] = outcome.alias
        found["X-Gateway-Version"] = outcome.version
        found["X-Gateway-Reason"] = outcome.reason
    return {name: value for name, value in found.items() if value}


def scaled(choice: Choice, least: int = 2) -> tuple[list[tuple[Outcome, int]], int]:
    """The shares as integers, and what they add up to: a power of ten, and at least this one."""
    digits = [share.normalize().as_tuple().exponent for _, share in choice.shares]
    scale = 10 ** max(least, *(-each for each in digits if isinstance(each, int)))
    return [(outcome, int(share * Decimal(scale))) for outcome, share in choice.shares], scale


def reaches(way: Way, found: Condition) -> bool:
    """Whether an API's requests can have what a condition asks for."""
    return found.source != "path" or found.name in way.api.path.parameters


def check_upstreams(plan: Plan, upstreams: Upstreams, snapshot: Snapshot) -> None:
    """Refuse addresses of versions that do not exist, and versions without an address.

    Raises:
        Refused: With every mistake.
    """
    problems = [
        Problem(
            "missing-upstream",
            f"version {version!r} of function {function!r} has no upstream",
            hint=f"say where it is: --upstream '{function}/{version}=HOST:PORT'",
        )
        for function, version in plan.versions()
        if (function, version) not in upstreams
    ]
    known = [f"{f.name}/{number}" for f in snapshot.functions.values() for number in f.versions]
    for name in map("/".join, upstreams):
        if name not in known:
            message = f"the upstream {name!r} is of no version; there are: {listed(known)}"
            problems.append(Problem("unknown-upstream", message, hint=nearest(name, known)))
    if problems:
        raise Refused(problems)
