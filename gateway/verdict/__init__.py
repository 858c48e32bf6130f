"""Is my traffic split right? Statistics, pure, with error rates that are stated and kept.

`judge` answers for one split and `judge_all` for several, once, at the end; a `Watch` may be looked
at while requests come in, and `confidence_sequence` drawn beside it; `judge_sticky` answers for
keys that must stay. `smallest_deviation`, `requests_needed` and `requests_to_watch` tell beforehand
what a number of requests can show. Nothing here reads a clock, throws dice or opens a file; only
the standard library is imported.
"""

from gateway.verdict.answers import Outcome, Share, Summary, Verdict
from gateway.verdict.anytime import confidence_sequence
from gateway.verdict.choice import Method
from gateway.verdict.foresight import Foresight, requests_to_watch
from gateway.verdict.judge import CONFIDENCE, Split, judge, judge_all
from gateway.verdict.power import requests_needed, smallest_deviation
from gateway.verdict.question import USUAL, Question, Unjudgeable
from gateway.verdict.sequential import Look, Watch
from gateway.verdict.sketch import Sketch
from gateway.verdict.stickiness import Stickiness
from gateway.verdict.sticky import StickyVerdict, judge_sticky

__all__ = [
    "CONFIDENCE",
    "USUAL",
    "Foresight",
    "Look",
    "Method",
    "Outcome",
    "Question",
    "Share",
    "Sketch",
    "Split",
    "Stickiness",
    "StickyVerdict",
    "Summary",
    "Unjudgeable",
    "Verdict",
    "Watch",
    "confidence_sequence",
    "judge",
    "judge_all",
    "judge_sticky",
    "requests_needed",
    "requests_to_watch",
    "smallest_deviation",
]
