"""What a run is judged by, fixed before the first request; pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from gateway.verdict import Question
from loadtests.expectations import Expectation

PARTS: Final = ("reason", "alias", "revision", "worker")
"""By what a split may be judged in parts."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a run is judged by.

    Attributes:
        expectations: What each group should get.
        question: The error rates and the tolerance of the splits.
        max_errors: The greatest share of failed requests.
        until_decided: Whether the splits are watched while requests are sent, and the run ends
            as soon as they are decided.
        by_keys: Whether the users are sticky keys: each must stay, and the share is one of keys.
        by: In which parts each split is judged once more.
        splits: How many splits there will be at the end, where that is known to be more than there
            are expectations now.
        revisions_known: Whether an answer at a revision that no expectation names is wrong.
    """

    expectations: tuple[Expectation, ...]
    question: Question
    max_errors: float
    until_decided: bool = False
    by_keys: bool = False
    by: tuple[str, ...] = ()
    splits: int = 0
    revisions_known: bool = False

    @property
    def main_question(self) -> Question:
        """What is asked of the splits themselves.

        The false-alarm rate is for everything together: the splits, and the splits by each part.
        """
        return replace(self.question, false_alarm=self.question.false_alarm / (1 + len(self.by)))

    @property
    def watched_question(self) -> Question:
        """What is asked of one split that is watched: Bonferroni, as for those judged once."""
        whole = self.main_question
        number = max(self.splits, len(self.expectations))
        return replace(whole, false_alarm=whole.false_alarm / number)
