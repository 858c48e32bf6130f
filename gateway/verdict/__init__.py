"""Is my traffic split right? Statistics, pure, with error rates that are stated and kept.

`judge` answers for one split and `judge_all` for several, once, at the end; a `Watch` may be looked
at while requests come in; `smallest_deviation` and
`requests_needed` tell beforehand what a number of requests can show. Nothing here reads a clock,
throws dice or opens a file; only the standard library is imported.
"""

from gateway.verdict.answers import Outcome, Share, Summary, Verdict
from gateway.verdict.choice import Method
from gateway.verdict.judge import CONFIDENCE, Split, judge, judge_all
from gateway.verdict.power import requests_needed, smallest_deviation
from gateway.verdict.question import USUAL, Question, Unjudgeable
from gateway.verdict.sequential import Look, Watch
from gateway.verdict.sketch import Sketch

__all__ = [
    "CONFIDENCE",
    "USUAL",
    "Look",
    "Method",
    "Outcome",
    "Question",
    "Share",
    "Sketch",
    "Split",
    "Summary",
    "Unjudgeable",
    "Verdict",
    "Watch",
    "judge",
    "judge_all",
    "requests_needed",
    "smallest_deviation",
]
