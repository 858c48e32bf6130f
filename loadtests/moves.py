"""A rollout's weights: how long each stands, and what its revision should answer; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil, isfinite
from typing import Final

from gateway.verdict import Question, requests_needed
from loadtests.expectations import Expectation, Misuse

STEPS: Final = "0,0.1,0.5,1,0"
"""Before, three steps up, and rolled back."""

_RESERVE: Final = 1.1
"""A step gets a little more than its verdict needs."""


def parse_steps(text: str) -> tuple[float, ...]:
    """Read `WEIGHT,WEIGHT,...`.

    Raises:
        Misuse: One is no share, or is the same as the one before.
    """
    steps: list[float] = []
    for item in text.split(","):
        try:
            weight = float(item)
        except ValueError:
            weight = -1.0
        if not (isfinite(weight) and 0 <= weight <= 1):
            raise Misuse(f"{item.strip()!r} in the steps {text!r} is no weight from 0 to 1")
        if steps and steps[-1] == weight:
            raise Misuse(f"the weight {weight:g} follows itself in the steps {text!r}")
        steps.append(weight)
    return tuple(steps)


@dataclass(slots=True)
class Moves:
    """Where a rollout is.

    Attributes:
        stage: The stage that is judged.
        main: The version that gets what the weight leaves over.
        to: The version whose weight is moved.
        steps: The weights.
        quotas: How many answers each step waits for.
        revisions: The revision of each step that was made so far.
    """

    stage: str
    main: str
    to: str
    steps: Sequence[float]
    quotas: Sequence[int]
    revisions: list[str] = field(default_factory=list)

    @property
    def next_weight(self) -> float | None:
        """The weight of the next step; `None` after the last."""
        place = len(self.revisions)
        return self.steps[place] if place < len(self.steps) else None

    @property
    def quota(self) -> int:
        """How many answers the present step waits for."""
        return self.quotas[len(self.revisions) - 1]

    @property
    def expectations(self) -> tuple[Expectation, ...]:
        """What the revision of each step that was made should answer."""
        return tuple(
            Expectation(self.stage, "", self._shares(weight), self._reasons(weight), revision)
            for weight, revision in zip(self.steps, self.revisions, strict=False)
        )

    def _shares(self, weight: float) -> dict[str, float]:
        shares = {self.main: 1 - weight, self.to: weight}
        return {version: share for version, share in shares.items() if share}

    def _reasons(self, weight: float) -> dict[str, str]:
        reasons = {self.main: "main", self.to: "weight"}
        return {version: reasons[version] for version in self._shares(weight)}


def quotas(steps: Sequence[float], question: Question, requests: int | None) -> tuple[int, ...]:
    """How many answers each step needs; in proportion, where the sum is given.

    Args:
        steps: The weights.
        question: What is asked of each step.
        requests: How many answers there are for all of them; `None` is as many as it takes.
    """
    needed = [
        ceil(requests_needed(weight, question.tolerance, question) * _RESERVE) for weight in steps
    ]
    if requests is None:
        return tuple(needed)
    whole = sum(needed)
    return tuple(max(1, requests * number // whole) for number in needed)
