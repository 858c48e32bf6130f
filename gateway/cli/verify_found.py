"""What a load test found, read from its JSON, as the answer to what was asked."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from gateway.cli.verify_expected import Wish
from gateway.cli.verify_requests import is_bobs
from gateway.traffic.observed import Expected, Observed, Split
from gateway.traffic.observed_judging import Judged, Word, judged, looked, watched_shares
from gateway.traffic.observed_notes import notes
from gateway.traffic.observed_time import Timeline
from gateway.traffic.verify_report_words import Verified
from gateway.verdict import Look, Outcome, Question, Share, Sketch

Json = Mapping[str, Any]

_FACTS: Final = ("users", "rate", "senders", "requests_wanted", "seconds")
_TOLD: Final = frozenset({"timeline", "latency"})
"""What is told by itself."""


def verified_of(found: Json, wishes: Sequence[Wish], question: Question, against: str) -> Verified:
    """The answer, from everything that a load test wrote.

    Where an alias has rules that the load test does not know, its counts are judged here: the
    answers of each rule, and those of no rule.
    """
    word, extra = Word(found["outcome"]), list(_said(found))
    if any(wish.rules and not is_bobs(wish) for wish in wishes):
        observed = _observed(found, wishes)
        answers = judged(observed, question)
        word = _word(answers, observed, found)
        extra += notes(observed)
    else:
        answers = tuple(_answers(found))
    seconds, requests = found["seconds"], found["requests"]
    rate = requests / seconds if seconds else 0.0
    source = f"{requests:,} requests at {against} in {seconds:.1f} s ({rate:,.0f} per second)"
    return Verified(
        word,
        answers,
        question,
        source,
        requests,
        tuple(_complaints(found)),
        tuple(extra),
        _failures(found),
        _timeline(found),
        _latency(found),
        _facts(found),
        {"loadtest": {name: told for name, told in found.items() if name not in _TOLD}},
    )


def _answers(found: Json) -> Iterator[Judged]:
    """The verdicts of the load test: of every split, and of each part that was asked for."""
    for name, verdict in found["verdict"]["verdicts"].items():
        yield _answer(found, name, verdict)
    for by, summary in (found.get("breakdown") or {}).items():
        for name, verdict in summary["verdicts"].items():
            told = f"{name} by reason" if by == "reason" else name
            yield replace(_judged(told, _outcome(verdict), verdict, _shares(verdict)), part=True)


def _answer(found: Json, name: str, verdict: Json) -> Judged:
    """The verdict on a split: that of the looks, unless keys have moved, or may have."""
    sticky = (found.get("sticky") or {}).get(name)
    watched = (found.get("watched") or {}).get(name)
    answer, shares = _outcome(verdict), _shares(verdict)
    unit = "requests" if sticky is None else "keys"
    if watched is not None:
        look = Look(**watched)
        shares = watched_shares(shares, look.total, found["verdict"]["question"]["tolerance"])
        answer = Outcome(look.outcome), looked(look, shares, unit)
        verdict = {**verdict, "watched": watched}
    if sticky is not None:
        verdict = {**verdict, "sticky": sticky}
        if watched is None or sticky["consistency"]["outcome"] != Outcome.PASSED:
            answer = _outcome(sticky)
    return _judged(name, answer, verdict, shares, unit)


def _judged(
    name: str,
    answer: tuple[Outcome, str],
    verdict: Json,
    shares: tuple[Share, ...],
    unit: str = "requests",
) -> Judged:
    stage = re.split("[/@ ]", name, maxsplit=1)[0]
    return Judged(name, stage, *answer, unit, verdict["total"], shares, verdict)


def _shares(verdict: Json) -> tuple[Share, ...]:
    return tuple(Share(**share) for share in verdict["shares"])


def _outcome(verdict: Json) -> tuple[Outcome, str]:
    """What a verdict says, without the outcome said twice."""
    outcome: str = verdict["outcome"]
    return Outcome(outcome), verdict["sentence"].removeprefix(f"{outcome}: ")


def _observed(found: Json, wishes: Sequence[Wish]) -> Observed:
    """The counts by stage and rule."""
    expected = [Expected(wish.stage, wish.shares, wish.versions_of_rules) for wish in wishes]
    observed = Observed(expected)
    for cell in found["counts"]["answers"]:
        rules = observed.expected[cell["stage"]].rules
        rule = cell["reason"] if cell["reason"].startswith("rule:") else ""
        if rule and rule not in rules:
            observed.misfits[f"{cell['stage']}: {rule} hit, which there is not"] += cell["count"]
        else:
            observed.add(Split(cell["stage"], rule), cell["version"], cell["count"])
    return observed


def _word(answers: Sequence[Judged], observed: Observed, found: Json) -> Word:
    outcomes = {answer.outcome for answer in answers}
    if found["outcome"] == Word.INTERRUPTED:
        return Word.INTERRUPTED
    if Outcome.FAILED in outcomes or observed.misfits or found["misfits"]:
        return Word.FAILED
    if found["errors_exceeded"]:
        return Word.ERRORS
    return Word.UNDECIDED if Outcome.UNDECIDED in outcomes else Word.PASSED


def _said(found: Json) -> Iterator[str]:
    revisions = found.get("revisions") or ()
    if len(revisions) > 1:
        yield f"the routing changed meanwhile: revisions {', '.join(revisions)}"
    for misfit in found["misfits"]:
        yield f"wrong: {misfit}"
    for error in found["counts"]["errors"]:
        yield f"error on {error['stage']}: {error['what']}: {error['count']:,} times"


def _complaints(found: Json) -> Iterator[str]:
    if found["errors_exceeded"]:
        share, limit = found["error_share"], found["max_errors"]
        yield f"{share:.3g} of the requests failed, more than the {limit:.3g} of --max-errors"


def _failures(found: Json) -> Counter[tuple[str, str]]:
    failures: Counter[tuple[str, str]] = Counter()
    for cell in found["counts"]["answers"]:
        if cell["failed"]:
            failures[cell["stage"], cell["version"]] += cell["failed"]
    return failures


def _timeline(found: Json) -> Timeline:
    timeline = Timeline()
    timeline.numbered = False
    for entry in found.get("timeline") or ():
        for stage, versions in entry["stages"].items():
            for version, count in versions.items():
                timeline.add(entry["second"], stage, version, count)
    return timeline


def _latency(found: Json) -> dict[tuple[str, str], Sketch]:
    """Sketches by stage and version."""
    told = found.get("latency") or {}
    return {
        (stage, version): Sketch.from_plain(plain)
        for stage, versions in told.items()
        for version, plain in versions.items()
    }


def _facts(found: Json) -> dict[str, str]:
    """The circumstances; the command that repeats it is this one's, not the load test's."""
    told = {"revisions": ", ".join(found.get("revisions") or ())}
    told |= {
        name.replace("_", " "): str(found[name]) for name in _FACTS if found.get(name) is not None
    }
    versions = found.get("versions") or {}
    return {name: text for name, text in told.items() if text} | {
        name: str(version) for name, version in versions.items()
    }
