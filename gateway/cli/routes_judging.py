"""Each routing test comes out passed, failed or undecided, with what was found in one sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from gateway.cli.picture import percent
from gateway.cli.routes_asking import Possible, Router
from gateway.config.routing_expected import Case, RuleTest, SplitTest
from gateway.core.errors import Place, Problem, RoutingError, listed
from gateway.core.names import version_order
from gateway.verdict import Outcome, judge

ROUNDING: Final = 1e-9
OTHERS: Final = "others"
"""Versions of which a split expects nothing."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one test.

    Attributes:
        kind: `case`, `split` or `rule`.
        name: What it is called.
        at: Where it stands in the file.
        outcome: Passed, failed or undecided.
        finding: What was found.
        problem: What is wrong, at its place; `None` if it passed.
    """

    kind: str
    name: str
    at: Place
    outcome: Outcome
    finding: str
    problem: Problem | None = None


def judge_case(router: Router, case: Case) -> Result:
    """One request and what it must meet."""
    result = _results("case", case.name, case.at)
    try:
        possible = router.possible(case.asked, case.draw)
    except RoutingError as error:
        told = f"{case.asked} ends in the error {error.code}: {error}"
        if error.code == case.error:
            return result(Outcome.PASSED, f"the error {error.code}")
        return result(Outcome.FAILED, told, "wrong-answer", _key_of(case))
    for one in possible:
        key = _wrong_key(case, one)
        if key:
            hint = _hint(router, case, possible)
            return result(Outcome.FAILED, _what_came(case, one), f"wrong-{key}", key, hint)
    return result(Outcome.PASSED, " or ".join(map(str, possible)))


def judge_split(router: Router, split: SplitTest) -> Result:
    """Many requests of one kind, and the shares that versions must have of them."""
    result = _results("split", split.name, split.at)
    try:
        if split.draws:
            return _by_draws(router, split, result)
        possible = router.possible(split.asked)
    except RoutingError as error:
        told = f"{split.asked} ends in the error {error.code}: {error}"
        return result(Outcome.FAILED, told, "wrong-answer", "request")
    shares = {one.decision.version: one.share for one in possible if one.decision is not None}
    told = ", ".join(f"{v} {percent(shares[v])}" for v in sorted(shares, key=version_order))
    found = f"computed from the weights: {told or 'no function answers'}"
    for version, expected in split.expected.items():
        share = shares.get(version, 0.0)
        if abs(share - expected) > split.tolerance + ROUNDING:
            allowed = f", give or take {percent(split.tolerance)}," if split.tolerance else ""
            message = f"version {version} gets {percent(share)} of {split.asked}"
            message += f" where {percent(expected)}{allowed} is expected; {found}"
            return result(Outcome.FAILED, message, "wrong-share", "expect")
    return result(Outcome.PASSED, found)


def judge_rule(router: Router, rule: RuleTest) -> Result:
    """A rule that must, or must not, be hit by the traffic."""
    result = _results("rule", rule.name, rule.at)
    key = (rule.function, rule.alias, f"rule:{rule.number}")
    hits, total = router.seen.rules[key], router.seen.requests
    found = f"{hits:,} of {total:,} requests hit it"
    if bool(hits) is rule.hit:
        return result(Outcome.PASSED, found)
    what = f"rule {rule.number} of alias {rule.alias!r} of function {rule.function!r}"
    if rule.hit:
        return result(Outcome.FAILED, f"{what} was never hit; {found}", "rule-not-hit", "hit")
    message = f"{what} was hit, by {router.seen.first[key]}; {found}"
    return result(Outcome.FAILED, message, "rule-hit", "hit")


_Tell = Callable[..., Result]


def _results(kind: str, name: str, at: Place) -> _Tell:
    """Makes the results of one test."""

    def tell(
        outcome: Outcome, finding: str, code: str = "", key: str = "", hint: str = ""
    ) -> Result:
        problem = Problem(code, finding, (*at, key), hint) if code else None
        return Result(kind, name, at, outcome, finding, problem)

    return tell


def _by_draws(router: Router, split: SplitTest, result: _Tell) -> Result:
    expected = dict(split.expected)
    rest = 1 - sum(expected.values())
    counts = Counter[str]()
    for version, times in router.drawn(split.asked, split.draws).items():
        counts[version if version in expected or rest < ROUNDING else OTHERS] += times
    if rest >= ROUNDING:
        expected[OTHERS] = rest
    verdict = judge(counts, expected, question=split.question)
    found = f"by {split.draws:,} draws: {verdict.finding}"
    if verdict.outcome is Outcome.PASSED:
        return result(Outcome.PASSED, found)
    if verdict.outcome is Outcome.FAILED:
        return result(Outcome.FAILED, found, "wrong-share", "expect")
    return result(Outcome.UNDECIDED, found, "too-few-draws", "draws")


def _key_of(case: Case) -> str:
    """The key that says what the case expects."""
    given = {"version": case.version, "backend": case.backend, "error": case.error}
    return next((key for key, value in given.items() if value), "reason")


def _wrong_key(case: Case, one: Possible) -> str:
    """Which of the expectations is not met; empty if all are."""
    if case.error:
        return "error"
    if case.backend and case.backend != one.backend:
        return "backend"
    met: Mapping[str, str] = {}
    if one.decision is not None:
        met = {"version": one.decision.version, "reason": one.decision.reason}
    wanted = {"version": case.version, "reason": case.reason}
    return next((key for key, value in wanted.items() if value and met.get(key) != value), "")


def _what_came(case: Case, one: Possible) -> str:
    wanted = [
        f"{what} {value}"
        for what, value in (
            ("version", case.version),
            ("the back end", case.backend),
            ("the error", case.error),
            ("the reason", case.reason),
        )
        if value
    ]
    often = f" in {percent(one.share)} of all draws" if one.share < 1 else ""
    return f"{case.asked} goes to {one}{often}; expected: {listed(wanted)}"


def _hint(router: Router, case: Case, possible: list[Possible]) -> str:
    """What may be done about it: settle the draw, or look at what the rules have read."""
    if len(possible) > 1:
        return "settle it with draw = 0.5, or test the shares in [[splits]]"
    read = [
        f"rule {rule.number}, {rule.when}, read {rule.value!r}"
        if rule.value is not None
        else f"rule {rule.number}, {rule.when}, found nothing to read"
        for rule in router.explained(case.asked).rules
        if rule.outcome == "miss"
    ]
    return "; ".join(read)
