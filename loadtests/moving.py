"""A rollout while it is under way: it moves the alias, notes the revisions, and puts it back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gateway.verdict import Outcome
from loadtests.course import parse_mix
from loadtests.expectations import Misuse
from loadtests.moves import Moves, parse_steps, quotas
from loadtests.steering import ControlPlane
from loadtests.terms import Terms

if TYPE_CHECKING:
    from gateway.verdict import Look
    from loadtests.tally import Tally


class Moving:
    """One rollout over the control plane.

    Args:
        options: A namespace of options.
        terms: What the run is judged by, but for the expectations, which follow from the steps.

    Raises:
        Misuse: The options make no rollout, or the alias has a split that none can move.
        Unsteerable: The control plane does not answer, or refuses.
    """

    def __init__(self, options: Any, terms: Terms) -> None:  # noqa: ANN401
        mix = parse_mix(options.mix)
        if len(mix) > 1 or options.expect:
            raise Misuse(
                "a rollout is judged on one stage, by what its steps say:"
                " give --mix STAGE=1 and no --expect"
            )
        steps = parse_steps(options.steps)
        self._alias = options.function, options.alias
        self._control = ControlPlane(options.control, options.allow_host)
        self._before = self._control.alias(*self._alias)
        self._refuse_other_splits()
        self._terms = replace(terms, splits=len(steps), revisions_known=True)
        needed = quotas(steps, self._terms.watched_question, options.requests or None)
        (stage,) = mix
        self._moves = Moves(stage, self._before["version"], options.to, steps, needed)
        self._made = False

    def _refuse_other_splits(self) -> None:
        name = self._alias[1]
        if self._before["rules"] or self._before["split"] == "sticky":
            raise Misuse(f"alias {name} has rules or sticky keys: its weights say too little of it")

    @property
    def terms(self) -> Terms:
        """What the run is judged by, with an expectation for each step that was made."""
        return replace(self._terms, expectations=self._moves.expectations)

    @property
    def over(self) -> bool:
        """Whether every step was made."""
        return self._moves.next_weight is None

    @property
    def wanted(self) -> int:
        """How many answers all steps together wait for."""
        return sum(self._moves.quotas)

    def advance(self) -> int:
        """Make the next step.

        Returns:
            The revision from which on it holds.

        Raises:
            Unsteerable: It was refused.
        """
        weight = self._moves.next_weight
        weights = {self._moves.to: weight} if weight else {}
        self._made = True
        revision = self._control.route(*self._alias, {**self._before, "weights": weights})
        self._moves.revisions.append(revision)
        return int(revision)

    def enough(self, tally: Tally, looks: Mapping[str, Look] | None) -> bool:
        """Whether the present step has what it waits for.

        Args:
            tally: Everything counted so far.
            looks: Where a step ends as soon as it is decided, the last look at each.
        """
        expectation = self._moves.expectations[-1]
        look = looks.get(expectation.name) if looks else None
        if look is not None and look.outcome is Outcome.PASSED:
            return True
        answers = sum(
            count
            for cell, count in tally.answers.items()
            if cell.stage == expectation.stage and cell.revision == expectation.revision
        )
        return answers >= self._moves.quota

    def restore(self) -> None:
        """Give the alias the routing that it had before the first step.

        Raises:
            Unsteerable: It was refused.
        """
        if self._made:
            self._control.route(*self._alias, self._before)
            self._made = False
