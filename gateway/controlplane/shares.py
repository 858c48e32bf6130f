"""Is each alias dividing its traffic as it says? Watched all the time, without false alarms.

Every answer is counted for where its alias led at the revision that its request saw, so that moving
an alias begins a new count and what is still under way spoils neither. Answers of other processes
that saw a revision which is not live here yet wait until it is. Only what the draw decided is
counted: rules take whom they name. Where keys stick, requests are no independent draws, and their
share is told without a verdict.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from gateway.core.alias import Route
from gateway.core.snapshot import Snapshot
from gateway.observe import Label, Portion
from gateway.verdict import Look, Outcome, Question, Watch, confidence_sequence

DRAWN: Final = frozenset(("main", "weight", "sticky"))
QUESTION: Final = Question(false_alarm=0.001, miss=0.01, tolerance=0.03)
"""What is asked of each alias: its verdict fails wrongly once in a thousand routes, at most."""

EARLY: Final = 1000
"""Labels and revisions of which answers may wait until a revision is live here."""

Whose = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Share:
    """One version of an alias.

    Attributes:
        version: The version.
        configured: Its share of what no rule takes.
        requests: What it answered.
        observed: Its observed share; `None` before the first request.
        low, high: The band that holds the true share, at every moment.
    """

    version: str
    configured: float
    requests: int
    observed: float | None
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Division:
    """How an alias divides its traffic since it leads where it leads.

    Attributes:
        function: The function's name.
        alias: The alias's own name.
        revision: When it was moved here.
        requests: Answers that the draw decided.
        look: The verdict; `None` where keys stick.
        shares: Each version.
    """

    function: str
    alias: str
    revision: int
    requests: int
    look: Look | None
    shares: tuple[Share, ...]


@dataclass(slots=True)
class _Course:
    """The counts of one alias since it leads where it leads."""

    revision: int
    route: Route
    counts: dict[str, int] = field(default_factory=dict)
    watch: Watch | None = None


class Shares:
    """Counts for every alias.

    Args:
        snapshot: The live snapshot.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._courses: dict[Whose, _Course] = {}
        self._revision = snapshot.revision
        self._early: dict[tuple[Label, int], int] = {}
        self.follow(snapshot)

    def take(self, found: Sequence[Portion]) -> None:
        """Count answers; a sink of the observer."""
        for label, revision, _, interval in found:
            if label.reason not in DRAWN:
                continue
            if revision <= self._revision:
                self._count(label, revision, interval.requests)
            elif (label, revision) in self._early or len(self._early) < EARLY:
                known = self._early.get((label, revision), 0)
                self._early[label, revision] = known + interval.requests

    def _count(self, label: Label, revision: int, requests: int) -> None:
        course = self._courses.get((label.function, label.qualifier))
        if course is not None and revision >= course.revision:
            course.counts[label.version] = course.counts.get(label.version, 0) + requests

    def follow(self, snapshot: Snapshot) -> None:
        """Begin anew for every alias that was moved; called with each snapshot that goes live."""
        courses: dict[Whose, _Course] = {}
        for function in snapshot.functions.values():
            for name, alias in function.aliases.items():
                known = self._courses.get((function.name, name))
                if known is None or known.route != alias.route:
                    known = _Course(snapshot.revision, alias.route, watch=_watch(alias.route))
                courses[function.name, name] = known
        self._courses = courses
        self._revision = snapshot.revision
        for (label, revision), requests in list(self._early.items()):
            if revision <= snapshot.revision:
                del self._early[label, revision]
                self._count(label, revision, requests)

    def all(self) -> list[Division]:
        """Every alias."""
        return [_division(whose, course) for whose, course in self._courses.items()]


def configured(route: Route) -> dict[str, float]:
    """The share of each version of what no rule takes, the main version first."""
    weights = {version: float(weight) for version, weight in route.weights.items()}
    return {route.version: float(1 - sum(route.weights.values())), **weights}


def _watch(route: Route) -> Watch | None:
    return None if route.split == "sticky" else Watch(configured(route), QUESTION)


def _division(whose: Whose, course: _Course) -> Division:
    expected = configured(course.route)
    total = sum(course.counts.values())
    error = QUESTION.false_alarm / len(expected)
    look = None
    if course.watch is not None:
        look = course.watch.look(course.counts) if total else _NOTHING
    shares = []
    for version, share in expected.items():
        requests = course.counts.get(version, 0)
        low, high = 0.0, 1.0
        if total:
            low, high = confidence_sequence(requests, total, error, expected=share)
        observed = requests / total if total else None
        shares.append(Share(version, share, requests, observed, low, high))
    return Division(*whose, course.revision, total, look, tuple(shares))


_NOTHING: Final = Look(Outcome.UNDECIDED, 1.0, 0, None)
