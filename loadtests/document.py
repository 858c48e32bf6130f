"""One conclusion for programs, with the figures of the table, unrounded; pure.

What stands under each name is described in docs/load-testing.md.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from loadtests.report import Result, overall, revisions_of
from loadtests.tally import Tally


def document(result: Result) -> dict[str, Any]:
    """Everything, as values that JSON knows."""
    facts, conclusion = result.facts, result.conclusion
    return {
        "outcome": result.word,
        "exit_code": int(result.code),
        "sentence": overall(result),
        "host": facts.host,
        "requests": result.tally.requests,
        "requests_wanted": facts.wanted,
        "finished": facts.finished,
        "seconds": round(facts.seconds, 3),
        "requests_per_second": round(result.rate, 1),
        "requests_needed": conclusion.requests_needed,
        "error_share": conclusion.error_share,
        "max_errors": result.terms.max_errors,
        "errors_exceeded": conclusion.errors_exceeded,
        "misfits": list(conclusion.misfits),
        "expected": {each.name: asdict(each) for each in conclusion.asked},
        "verdict": conclusion.summary.to_dict(),
        "watched": conclusion.looks and {n: asdict(look) for n, look in conclusion.looks.items()},
        "sticky": {name: each.to_dict() for name, each in conclusion.sticky.items()},
        "breakdown": {by: part.to_dict() for by, part in conclusion.parts.items()},
        "counts": _counts(result.tally),
        "timeline": result.tally.timeline.entries(),
        "latency": _latency(result.tally),
        "revisions": revisions_of(result.tally),
        "sample": {name: each.total for name, each in conclusion.summary.verdicts.items()},
        **facts.about,
    }


def _latency(tally: Tally) -> dict[str, dict[str, Any]]:
    """Seconds from a request to the end of its answer, as sketches that add up."""
    told: dict[str, dict[str, Any]] = {}
    for (stage, version), sketch in sorted(tally.latency.items()):
        told.setdefault(stage, {})[version] = sketch.to_plain()
    return told


def _counts(tally: Tally) -> dict[str, Any]:
    return {
        "answers": [
            {**cell._asdict(), "count": count, "failed": tally.failures[cell]}
            for cell, count in sorted(tally.answers.items())
        ],
        "errors": [{**e._asdict(), "count": count} for e, count in sorted(tally.errors.items())],
        "requests_without_version": tally.unnamed,
    }
