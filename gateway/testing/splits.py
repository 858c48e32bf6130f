"""`assert_split`: a test that fails for a wrong split, with error rates that are stated and kept.

Requests go to the gateway over one connection, one after the other, so that a seed gives the same
versions in the same order. With a number of requests the split is judged once, by the exact test;
without one it is watched, and judged as soon as it is decided.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from http.client import HTTPConnection
from itertools import islice
from typing import Final, TypedDict, Unpack
from urllib.parse import urlsplit

from gateway.core.snapshot import FunctionBackend
from gateway.testing.running import RunningGateway
from gateway.verdict import (
    CONFIDENCE,
    Outcome,
    Question,
    Verdict,
    Watch,
    confidence_sequence,
    judge,
)
from gateway.verdict.answers import percent, points
from gateway.verdict.judge import checked_split

USUAL: Final = Question(false_alarm=1e-6, miss=0.01, tolerance=0.05)
"""One false alarm in a million, one miss in a hundred, five percentage points."""

PATIENCE: Final = 4
"""A split is watched for so many times the requests that the exact test would need."""

Headers = Mapping[str, str] | Callable[[int], Mapping[str, str]]
"""Headers of every request, or what makes those of the n-th one, counted from 0."""


class Sent(TypedDict, total=False):
    """What is sent.

    Attributes:
        method: The HTTP method; GET unless the API has another one.
        path: The path without the stage; else that of the stage's first API with a function.
        headers: The headers.
        body: The body.
    """

    method: str
    path: str
    headers: Headers
    body: str


def assert_split(
    gateway: RunningGateway,
    stage: str,
    expected: Mapping[str, float],
    *,
    requests: int | None = None,
    question: Question = USUAL,
    **sent: Unpack[Sent],
) -> dict[str, int]:
    """Send requests to a stage and fail unless its versions have their shares of them.

    Args:
        gateway: The gateway.
        stage: The stage.
        expected: Shares by version, which sum to 1.
        requests: How many are sent; `None` for as many as it takes to decide.
        question: The tolerance, and the error rates: a right split fails with probability
            `false_alarm` at most, one that is off by `tolerance` passes with `miss` at most.
        sent: What is sent.

    Returns:
        The requests that each version answered.

    Raises:
        AssertionError: The shares are wrong, or the requests were too few to tell, or one was
            answered by no version.
        Unjudgeable: The shares do not sum to 1, or are none.
    """
    checked_split({}, expected)
    with closing(_versions(gateway, stage, sent)) as versions:
        if requests is None:
            counts, wrong = _watched(versions, expected, question)
        else:
            counts = Counter(islice(versions, requests))
            wrong = _judged(judge(counts, expected, question=question))
    if wrong:
        more = f"seed {gateway.seed}, revision {gateway.revision}"
        raise AssertionError(f"stage {stage!r} {wrong}\n{more}")
    return dict(counts)


def _watched(
    versions: Iterator[str], expected: Mapping[str, float], question: Question
) -> tuple[Counter[str], str]:
    """Count until it is decided; and what is wrong, if something is."""
    watch, counts = Watch(expected, question), Counter[str]()
    most = PATIENCE * judge({}, expected, question=question).requests_needed
    for version in islice(versions, most):
        counts[version] += 1
        look = watch.look(counts)
        if look.outcome is Outcome.PASSED:
            return counts, ""
        if look.outcome is Outcome.FAILED:
            break
    finding = f"{look.total:,} requests do not agree with the expected shares"
    finding += f" (p = {look.p_value:.3g} < {question.false_alarm:.3g}, at every look)"
    if look.outcome is Outcome.UNDECIDED:
        finding = f"{look.total:,} requests could not decide it"
    every = [*expected, *sorted(counts.keys() - expected.keys())]
    error = (1 - CONFIDENCE) / (len(every) if len(every) > 2 else 1)  # two share one band
    rows = []
    for version in every:
        share, seen = expected.get(version, 0.0), counts[version]
        band = confidence_sequence(
            seen, look.total, error, expected=share, tolerance=question.tolerance
        )
        rows.append((version, share, seen, look.total, band))
    return counts, f"{look.outcome}: {finding}\n{_rows(rows)}\n{_rates(question, watched=True)}"


def _judged(verdict: Verdict) -> str:
    """What is wrong with a split that is judged once; nothing if it passed."""
    if verdict.outcome is Outcome.PASSED:
        return ""
    rows = [
        (share.version, share.expected, share.count, verdict.total, (share.low, share.high))
        for share in verdict.shares
    ]
    return f"{verdict.sentence}\n{_rows(rows)}\n{_rates(verdict.question, watched=False)}"


def _rows(rows: Iterable[tuple[str, float, int, int, tuple[float, float]]]) -> str:
    """Each version with what was expected and seen, as aligned columns."""
    texts = [("VERSION", "EXPECTED", "REQUESTS", "SHARE", "INTERVAL (99 %)")]
    for version, expected, seen, total, (low, high) in rows:
        share = percent(seen / max(total, 1))
        band = f"{percent(low)} .. {percent(high)}"
        texts.append((version, percent(expected), f"{seen:,}", share, band))
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in texts
    )
    return "\n".join(line.rstrip() for line in lines)


def _rates(question: Question, *, watched: bool) -> str:
    """How often the answer may be wrong."""
    looks = ", however often it is looked at" if watched else ""
    return (
        f"a right split fails with probability <= {question.false_alarm:g}{looks};"
        f" one that is off by {points(question.tolerance)} passes with <= {question.miss:g}"
    )


def _versions(gateway: RunningGateway, stage: str, sent: Sent) -> Generator[str, None, None]:
    """The version that answers each request, for as long as somebody asks."""
    usual_method, usual_path = _usual(gateway, stage)
    method, path = sent.get("method", usual_method), sent.get("path", usual_path)
    headers = sent.get("headers", {})
    connection = HTTPConnection(urlsplit(gateway.url).netloc)
    try:
        number = 0
        while True:
            made = headers(number) if callable(headers) else headers
            body = sent.get("body", "").encode() or None
            connection.request(method, f"/{stage}{path}", body, dict(made))
            answer = connection.getresponse()
            content = answer.read()
            version = answer.getheader("X-Gateway-Version")
            if version is None:
                text = content.decode(errors="replace")
                told = f"{method} /{stage}{path} was answered by no version: {answer.status} {text}"
                raise AssertionError(told)
            yield version
            number += 1
    finally:
        connection.close()


def _usual(gateway: RunningGateway, stage: str) -> tuple[str, str]:
    """A request that the stage's first API with a function answers; parameters are 1."""
    service = gateway.snapshot.default_service
    for api in service.stage(stage).apis if service else ():
        if isinstance(api.backend, FunctionBackend):
            path = api.path.literal
            for name in api.path.parameters:
                path = path.replace(f"{{{name}}}", "1")
            return "GET" if api.method == "ANY" else api.method, path
    return "GET", "/"
