"""Splits looked at while requests are sent: a watch for each, one error rate for all; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gateway.verdict import Look, Outcome, Watch
from loadtests.judgement import Terms, cells_of, versions
from loadtests.tally import Tally


class Watches:
    """The watches of one run.

    Args:
        terms: What the run is judged by.
    """

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        # Bonferroni, as for the splits of a run that is judged once.
        each = replace(
            terms.question, false_alarm=terms.question.false_alarm / len(terms.expectations)
        )
        self._watches = {
            expectation.name: Watch(expectation.shares, each) for expectation in terms.expectations
        }

    def look(self, tally: Tally) -> Mapping[str, Look]:
        """What is known of each split by now."""
        return {
            expectation.name: self._watches[expectation.name].look(
                versions(cells_of(expectation, tally, self._terms))
            )
            for expectation in self._terms.expectations
        }


def decided(looks: Mapping[str, Look]) -> bool:
    """Whether more requests cannot change the whole: one split has failed, or all have passed."""
    outcomes = {look.outcome for look in looks.values()}
    return Outcome.FAILED in outcomes or outcomes == {Outcome.PASSED}
