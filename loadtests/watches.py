"""Splits looked at while requests are sent: a watch for each, one error rate for all; pure."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.verdict import Look, Outcome, Watch
from loadtests.samples import counted, questions
from loadtests.tally import Tally
from loadtests.terms import Terms


class Watches:
    """The watches of one run; a split that is only known later gets its watch then."""

    def __init__(self) -> None:
        """Begin with none."""
        self._watches: dict[str, Watch] = {}

    def look(self, tally: Tally, terms: Terms) -> Mapping[str, Look]:
        """What is known of each split by now.

        Args:
            tally: Everything counted so far.
            terms: What it is judged by.
        """
        looks = {}
        for asked in questions(tally, terms):
            watch = self._watches.get(asked.name)
            if watch is None:
                watch = self._watches[asked.name] = Watch(asked.shares, terms.watched_question)
            looks[asked.name] = watch.look(counted(asked, tally, terms))
        return looks


def decided(looks: Mapping[str, Look]) -> bool:
    """Whether more requests cannot change the whole: one split has failed, or all have passed."""
    outcomes = {look.outcome for look in looks.values()}
    return Outcome.FAILED in outcomes or outcomes == {Outcome.PASSED}
