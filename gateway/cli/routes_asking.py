"""Requests of routing tests, put to the law itself: routes and `decide`, with settled draws.

Nothing here decides. What a weighted choice may become is found by drawing once from the middle of
every version's stretch, so that shares are the weights' own and not an estimate.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.cli.routes_exercised import Exercised
from gateway.config.routing_asked import Asked
from gateway.core.decide import decide
from gateway.core.entries import Decision
from gateway.core.errors import RoutingError
from gateway.core.explain import Explanation, explain
from gateway.core.snapshot import Api, FunctionBackend, HttpBackend, Snapshot, Stage
from gateway.core.split import Draw
from gateway.dataplane.explaining import located
from gateway.dice import Dice, Fixed

if TYPE_CHECKING:
    from gateway.dataplane.request import HttpRequest

Found = tuple[Stage, Api, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Possible:
    """One thing that may become of a request.

    Attributes:
        share: With which probability.
        backend: The kind of back end that answers.
        decision: The version and the reason, where a function answers.
    """

    share: float
    backend: str
    decision: Decision | None = None

    def __str__(self) -> str:
        """What becomes of it, in a few words."""
        if self.decision is None:
            return f"the {self.backend} back end"
        return f"version {self.decision.version} ({self.decision.reason})"


@dataclass(slots=True)
class TrafficSeen:
    """What the traffic was.

    Attributes:
        requests: How many requests.
        lost: Of them, those that led to no API, by error.
        rules: How often each rule was hit, by function, alias and reason.
        first: A request that hit it.
    """

    requests: int = 0
    lost: Counter[str] = field(default_factory=Counter)
    rules: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    first: dict[tuple[str, str, str], str] = field(default_factory=dict)


class Router:
    """Puts requests to one state, and remembers what they exercised.

    Args:
        snapshot: The state.
        seed: Seeds the draws of traffic and of splits by draws.

    Attributes:
        exercised: What was exercised so far.
        seen: What the traffic was.
    """

    def __init__(self, snapshot: Snapshot, seed: int) -> None:
        self._snapshot = snapshot
        self._dice = Dice(seed)
        self.exercised = Exercised(snapshot)
        self.seen = TrafficSeen()

    def possible(self, asked: Asked, draw: float | None = None) -> list[Possible]:
        """Everything that may become of a request; with a draw, what does.

        Raises:
            RoutingError: It leads to no API.
        """
        found, view = self._located(asked)
        return list(self._possible(found, view, draw))

    def drawn(self, asked: Asked, draws: int) -> Counter[str]:
        """How often each version answers so many requests; empty if no function does.

        Raises:
            RoutingError: It leads to no API.
        """
        found, view = self._located(asked)
        made = (self._decide(found, view, self._dice) for _ in range(draws))
        counts = Counter(decision for decision in made if decision is not None)
        for decision, times in counts.items():
            self.exercised.decided(decision, times)
        by_version = Counter[str]()
        for decision, times in counts.items():
            by_version[decision.version] += times
        return by_version

    def explained(self, asked: Asked) -> Explanation:
        """Why a request goes where it goes; says nothing of a draw."""
        found, view = self._located(asked)
        return explain(self._snapshot, found, view, Fixed(0))

    def traffic(self, asked: Asked, times: int = 1) -> None:
        """Let requests of the traffic come."""
        self.seen.requests += times
        try:
            found, view = self._located(asked, times)
        except RoutingError as error:
            self.seen.lost[error.code] += times
            return
        for _ in range(times):
            decision = self._decide(found, view, self._dice)
            if decision is None:
                return
            self.exercised.decided(decision)
            if decision.reason.startswith("rule:"):
                rule = (decision.function, decision.qualifier, decision.reason)
                self.seen.rules[rule] += 1
                self.seen.first.setdefault(rule, str(asked))

    def _located(self, asked: Asked, times: int = 1) -> tuple[Found, HttpRequest]:
        request = (asked.method, asked.path, list(asked.headers), asked.body)
        found, view = located(self._snapshot, asked.stage, request)
        self.exercised.reached(found[0], found[1], times)
        return found, view

    def _decide(self, found: Found, view: HttpRequest, draw: Draw) -> Decision | None:
        backend = found[1].backend
        if not isinstance(backend, FunctionBackend):
            return None
        return decide(self._snapshot, backend.target, view, draw)

    def _possible(self, found: Found, view: HttpRequest, draw: float | None) -> Iterator[Possible]:
        for settled, share in self._stretches(found, draw):
            decision = self._decide(found, view, Fixed(settled))
            if decision is None:
                kind = "http" if isinstance(found[1].backend, HttpBackend) else "mock"
                yield Possible(1.0, kind)
                return
            self.exercised.decided(decision)
            if decision.reason not in {"weight", "main"}:  # settled without a draw
                yield Possible(1.0, "function", decision)
                return
            yield Possible(share, "function", decision)

    def _stretches(self, found: Found, draw: float | None) -> list[tuple[float, float]]:
        """Draws to try, one for each version that has a share, each with that share."""
        backend = found[1].backend
        if draw is not None or not isinstance(backend, FunctionBackend):
            return [(draw or 0.0, 1.0)]
        entries = self._snapshot.entries.get(backend.function, {})
        split = entries[backend.qualifier].split if backend.qualifier in entries else None
        if split is None:
            return [(0.0, 1.0)]
        ends = (0.0, *split.bounds, 1.0)
        return [
            ((ends[index] + ends[index + 1]) / 2, float(share))
            for index, share in enumerate(split.shares)
            if share
        ]
