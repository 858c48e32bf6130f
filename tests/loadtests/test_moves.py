"""A rollout's steps: each has its revision, its expectation, and as many answers as it needs."""

from __future__ import annotations

import pytest

from gateway.verdict import Question, judge
from loadtests.expectations import Misuse
from loadtests.moves import STEPS, Moves, parse_steps, quotas

QUESTION = Question()


def test_the_usual_steps_go_up_and_back() -> None:
    """Before, a tenth, half, all, and rolled back."""
    assert parse_steps(STEPS) == (0, 0.1, 0.5, 1, 0)


@pytest.mark.parametrize("text", ["", "a", "0,,1", "0,1.1", "-1", "nan", "0.1,0.1", "1e400"])
def test_steps_that_cannot_be_made_are_refused(text: str) -> None:
    """With what was written."""
    with pytest.raises(Misuse) as refused:
        parse_steps(text)
    assert repr(text) in str(refused.value)


def test_each_step_gets_what_its_verdict_needs() -> None:
    """And not much more: with that many answers that fit, it passes."""
    for weight, number in zip((0, 0.1, 0.5, 1), quotas((0, 0.1, 0.5, 1), QUESTION, None),
                              strict=True):  # fmt: skip
        counts = {"1": number - round(weight * number), "2": round(weight * number)}
        verdict = judge(counts, {"1": 1 - weight, "2": weight}, question=QUESTION)
        assert verdict.outcome == "passed"
        assert number <= 1.2 * verdict.requests_needed


def test_a_given_number_is_shared_out_by_need() -> None:
    """None gets nothing."""
    shared = quotas((0, 0.5), QUESTION, 1000)
    assert 990 <= sum(shared) <= 1000
    assert shared[1] > 50 * shared[0] > 0
    assert quotas((0, 0.5), QUESTION, 1)[0] == 1


def test_what_a_revision_should_answer_follows_from_its_step() -> None:
    """A version without a share is not expected."""
    moves = Moves("release", "1", "2", (0.0, 0.25, 1.0), (10, 20, 30))
    assert moves.next_weight == 0
    moves.revisions += ["7", "8"]
    first, second = moves.expectations
    assert (first.name, first.shares, first.reasons) == ("release@7", {"1": 1.0}, {"1": "main"})
    assert (second.name, second.shares) == ("release@8", {"1": 0.75, "2": 0.25})
    assert second.reasons == {"1": "main", "2": "weight"}
    assert (moves.next_weight, moves.quota) == (1, 20)


def test_after_the_last_step_there_is_none() -> None:
    """And the version that has everything is expected alone."""
    moves = Moves("release", "1", "2", (0.0, 1.0), (10, 20), ["7", "8"])
    assert moves.next_weight is None
    assert moves.expectations[1].shares == {"2": 1.0}
