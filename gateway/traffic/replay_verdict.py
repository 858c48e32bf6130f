"""Was every split of a replay as its alias says? Judged where requests can tell, said where not.

An alias that moved while the replay ran is judged at the revisions whose aliases are known. Rules
have a question of their own each: whatever one of them hit must have gone to its version. What an
alias gave to users for good (`sticky`) is left out: many requests of few users are no sample.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from gateway.traffic.replay_tally import Cell
from gateway.verdict import Summary, judge_all


class Expected(NamedTuple):
    """What an alias should do.

    Attributes:
        shares: What is left after the rules, by version.
        rules: The version of each rule, in order.
    """

    shares: tuple[tuple[str, float], ...]
    rules: tuple[str, ...] = ()


Aliases = Mapping[tuple[str, str], Expected]
"""What the aliases of one revision should do, by function and alias."""

Known = Mapping[str, Aliases]
"""The aliases of the revisions that are known."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What was found.

    Attributes:
        summary: The verdict; `None` where nothing could be judged.
        left_out: Answers that no verdict is about, by why.
    """

    summary: Summary | None
    left_out: Mapping[str, int]

    def to_plain(self) -> dict[str, Any]:
        """Everything as JSON can hold it."""
        verdict = None if self.summary is None else self.summary.to_dict()
        return {"verdict": verdict, "left_out": dict(self.left_out)}


STUCK = "kept with their users (sticky)"
UNKNOWN = "decided at a revision that is not known"
PINNED = "of versions that were named outright"
UNVERSIONED = "not of a function's version"
"""Why an answer is left out."""


def judge_replay(answers: Mapping[Cell, int], known: Known) -> Judged:
    """Judge every split that the answers tell of.

    Args:
        answers: How often which answer came.
        known: What the aliases should do, by revision.
    """
    left_out: Counter[str] = Counter()
    counts: dict[_Asked, Counter[str]] = {}
    for cell, count in answers.items():
        found = _question(cell, known)
        if isinstance(found, str):
            left_out[found] += count
        else:
            counts.setdefault(found, Counter())[cell.version] += count
    questions = {
        name: (counts[asked], dict(asked.shares)) for name, asked in _named(counts).items()
    }
    return Judged(judge_all(questions) if questions else None, left_out)


def aliases_of(snapshot: Mapping[str, Any]) -> Aliases:
    """What the aliases of a snapshot, as the API writes it, should do."""
    return {
        (function, name): _expected(alias)
        for function, described in snapshot["functions"].items()
        for name, alias in described["aliases"].items()
    }


class _Asked(NamedTuple):
    """A question: who is asked for what."""

    stage: str
    function: str
    alias: str
    rule: str
    shares: tuple[tuple[str, float], ...]


def _question(cell: Cell, known: Known) -> _Asked | str:
    """The question that an answer belongs to, or why it belongs to none."""
    if not cell.version:
        return UNVERSIONED
    if cell.reason == "pinned":
        return PINNED
    if cell.reason == "sticky":
        return STUCK
    expected = known.get(cell.revision, {}).get((cell.function, cell.alias))
    if expected is None:
        return UNKNOWN
    shares, rule = expected.shares, ""
    if cell.reason.startswith("rule:"):
        rule, number = cell.reason, int(cell.reason.removeprefix("rule:"))
        shares = ((expected.rules[number - 1], 1.0),)
    return _Asked(cell.stage, cell.function, cell.alias, rule, shares)


def _named(asked: Iterable[_Asked]) -> dict[str, _Asked]:
    """Questions by what a report calls them; an alias that moved has a number for each state."""
    names: dict[str, _Asked] = {}
    for each in sorted(asked):
        name = f"{each.stage} {each.function}@{each.alias} {each.rule}".rstrip()
        number = 2
        while name in names:
            name, number = f"{name.partition(' (')[0]} ({number})", number + 1
        names[name] = each
    return names


def _expected(alias: Mapping[str, Any]) -> Expected:
    weights = {str(version): float(weight) for version, weight in alias["weights"].items()}
    main = max(0.0, 1.0 - sum(weights.values()))
    shares = {str(alias["version"]): main, **weights}
    rules = tuple(str(rule["version"]) for rule in alias["rules"])
    return Expected(tuple(sorted(shares.items())), rules)
