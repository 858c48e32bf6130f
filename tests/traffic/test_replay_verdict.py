"""The verdict of a replay: judged where requests can tell, said where they cannot."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from gateway.traffic.replay_tally import Cell
from gateway.traffic.replay_verdict import (
    PINNED,
    STUCK,
    UNKNOWN,
    UNVERSIONED,
    aliases_of,
    judge_replay,
)
from gateway.verdict import Outcome

SNAPSHOT: dict[str, Any] = {
    "functions": {
        "orders": {
            "aliases": {
                "release": {"version": "1", "weights": {"2": 0.1}, "rules": []},
                "prepub": {"version": "3", "weights": {}, "rules": [{"version": "4"}]},
            }
        }
    }
}
KNOWN = {"7": aliases_of(SNAPSHOT)}


def cell(version: str, reason: str, alias: str = "release", revision: str = "7") -> Cell:
    """An answer of `orders`."""
    return Cell("release", "orders", alias, version, reason, revision, 200)


def test_a_right_split_passes() -> None:
    """Nine to one, as the alias says."""
    judged = judge_replay({cell("1", "main"): 9000, cell("2", "weight"): 1000}, KNOWN)
    assert judged.summary is not None
    assert judged.summary.outcome is Outcome.PASSED
    assert list(judged.summary.verdicts) == ["release orders@release"]
    assert judged.left_out == {}
    assert judged.to_plain()["verdict"]["outcome"] == "passed"


def test_a_wrong_split_fails() -> None:
    """Half where a tenth is expected."""
    judged = judge_replay({cell("1", "main"): 500, cell("2", "weight"): 500}, KNOWN)
    assert judged.summary is not None
    assert judged.summary.outcome is Outcome.FAILED


def test_a_rule_has_its_own_question() -> None:
    """Whom it hit goes to its version and nowhere else; the others are not its business."""
    answers = Counter({cell("4", "rule:1", "prepub"): 20, cell("3", "main", "prepub"): 80})
    right = judge_replay(answers, KNOWN)
    assert right.summary is not None
    assert set(right.summary.verdicts) == {"release orders@prepub", "release orders@prepub rule:1"}
    assert right.summary.outcome is not Outcome.FAILED
    wrong = judge_replay({**answers, cell("3", "rule:1", "prepub"): 1}, KNOWN)
    assert wrong.summary is not None
    assert wrong.summary.verdicts["release orders@prepub rule:1"].outcome is Outcome.FAILED


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (cell("", ""), UNVERSIONED),
        (cell("2", "pinned"), PINNED),
        (cell("2", "sticky"), STUCK),
        (cell("2", "weight", revision="8"), UNKNOWN),
        (cell("2", "weight", alias="other"), UNKNOWN),
    ],
    ids=["no-version", "pinned", "sticky", "other-revision", "other-alias"],
)
def test_what_cannot_be_judged_is_said(answer: Cell, why: str) -> None:
    """And nothing else is."""
    judged = judge_replay({answer: 5}, KNOWN)
    assert judged.summary is None
    assert judged.left_out == {why: 5}
    assert judged.to_plain() == {"verdict": None, "left_out": {why: 5}}


def test_an_alias_that_moved_is_judged_before_and_after() -> None:
    """Each state by its own answers."""
    moved = {**SNAPSHOT["functions"]["orders"]["aliases"]}
    moved["release"] = {"version": "1", "weights": {"2": 0.5}, "rules": []}
    snapshot = {"functions": {"orders": {"aliases": moved}}}
    known = {**KNOWN, "8": aliases_of(snapshot)}
    answers = {
        cell("1", "main"): 9000,
        cell("2", "weight"): 1000,
        cell("1", "main", revision="8"): 10_000,
        cell("2", "weight", revision="8"): 10_000,
    }
    judged = judge_replay(answers, known)
    assert judged.summary is not None
    assert len(judged.summary.verdicts) == 2
    assert judged.summary.outcome is Outcome.PASSED
    assert "release orders@release (2)" in judged.summary.verdicts
