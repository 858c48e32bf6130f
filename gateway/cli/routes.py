"""Routing tests, run on a state without a gateway: results, rules that are shadowed, coverage."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from gateway.cli.exits import Exit
from gateway.cli.picture import clean, percent, table
from gateway.cli.routes_asking import Router
from gateway.cli.routes_judging import Result, judge_case, judge_rule, judge_split
from gateway.cli.routes_shadowed import shadowed_rules
from gateway.config import ConfigurationInvalid, Diagnostic
from gateway.config.routing_asked import Asked
from gateway.config.routing_tests import RoutingTests, load_routing_tests
from gateway.core.errors import Problem, listed
from gateway.core.snapshot import Snapshot
from gateway.traffic.failures import TrafficError
from gateway.traffic.opening import open_lines
from gateway.traffic.recording import Recorded
from gateway.traffic.recording import read as read_recording
from gateway.verdict import Outcome

NO_STAGE: Final = "no-stage"
"""Why a recorded request is lost that names no stage, where the file names none either."""

_COLOURS: Final = {Outcome.PASSED: "green", Outcome.FAILED: "red", Outcome.UNDECIDED: "yellow"}


@dataclass(frozen=True, slots=True)
class Report:
    """What became of all tests of a file.

    Attributes:
        tests: The file.
        results: What became of each test, in the order of the file.
        findings: Everything that is wrong, with its place.
        router: What was exercised, and the traffic.
        outcome: Failed if anything is wrong, else undecided if a test is, else passed.
    """

    tests: RoutingTests
    results: tuple[Result, ...]
    findings: tuple[Diagnostic, ...]
    router: Router
    outcome: Outcome

    @property
    def exit(self) -> Exit:
        """How a command ends that has run the tests."""
        return {
            Outcome.PASSED: Exit.OK,
            Outcome.FAILED: Exit.VERDICT_FAILED,
            Outcome.UNDECIDED: Exit.UNDECIDED,
        }[self.outcome]

    def to_dict(self) -> dict[str, object]:
        """The report as JSON."""
        seen = self.router.seen
        kinds = self.router.exercised.kinds()
        return {
            "file": str(self.tests.path),
            "outcome": self.outcome.value,
            "seed": self.tests.seed,
            "tests": [
                {"kind": r.kind, "name": r.name, "outcome": r.outcome.value, "finding": r.finding}
                for r in self.results
            ],
            "findings": [finding.to_dict() for finding in self.findings],
            "traffic": {"requests": seen.requests, "lost": dict(seen.lost)},
            "coverage": {kind: coverage.to_dict() for kind, coverage in kinds.items()},
        }


def run_routes(file: Path, routes: Path, snapshot: Snapshot) -> Report:
    """Run a file of routing tests.

    Args:
        file: The stages.toml, which shadowed rules are shown in.
        routes: The file of routing tests.
        snapshot: The state that is tested.

    Raises:
        ConfigurationInvalid: The file of routing tests is wrong, or a recording of it.
    """
    tests = load_routing_tests(routes, snapshot)
    router = Router(snapshot, tests.seed)
    results = [
        *(judge_case(router, case) for case in tests.cases),
        *(judge_split(router, split) for split in tests.splits),
    ]
    for asked, times in tests.traffic.requests:
        router.traffic(asked, times)
    _play(tests, router)
    results += [judge_rule(router, rule) for rule in tests.rules]
    lacking = list(_lacking(tests, router))
    shadows = shadowed_rules(file, snapshot, "error" if tests.shadowed_fails else "warning")
    problems = [result.problem for result in results if result.problem]
    findings = (*tests.source.explain([*problems, *lacking]), *shadows)
    outcomes = {result.outcome for result in results}
    outcome = Outcome.UNDECIDED if Outcome.UNDECIDED in outcomes else Outcome.PASSED
    if Outcome.FAILED in outcomes or lacking or (shadows and tests.shadowed_fails):
        outcome = Outcome.FAILED
    return Report(tests, tuple(results), findings, router, outcome)


def words(report: Report) -> str:
    """The report for people: every test, the coverage, and one sentence."""
    rows = [
        (
            result.kind,
            clean(result.name),
            click.style(result.outcome.value, fg=_COLOURS[result.outcome]),
            "" if result.problem else clean(result.finding),  # told in full where it stands
        )
        for result in report.results
    ]
    parts = [table(("KIND", "TEST", "OUTCOME", "FOUND"), rows)] if rows else []
    kinds = report.router.exercised.kinds().items()
    covered = [
        (kind, f"{one.exercised} of {len(one.counts)}", clean(listed(one.missing())))
        for kind, one in kinds
    ]
    parts.append(table(("COVERAGE", "EXERCISED", "NOT EXERCISED"), covered))
    return "\n\n".join([*parts, _sentence(report)])


def _sentence(report: Report) -> str:
    passed = sum(result.outcome is Outcome.PASSED for result in report.results)
    told = f"{report.outcome}: {passed} of {len(report.results)} routing tests passed"
    seen = report.router.seen
    if seen.requests:
        told += f"; the traffic has {seen.requests:,} requests"
    if seen.lost:
        lost = listed(f"{count:,} {code}" for code, count in seen.lost.items())
        told += f", of which no api answers {sum(seen.lost.values()):,} ({lost})"
    others = len(report.findings) - sum(result.problem is not None for result in report.results)
    return f"{told}; {others} other finding{'s' if others != 1 else ''}" if others else told


def _play(tests: RoutingTests, router: Router) -> None:
    """Let the recorded traffic come."""
    for place, path in tests.traffic.recordings:
        try:
            with open_lines(path) as lines:
                for recorded in read_recording(lines, str(path)):
                    _send(recorded, tests.traffic.stage, router)
        except TrafficError as error:
            problem = Problem(error.code, str(error), place, error.hint)
            raise ConfigurationInvalid(tests.source.explain([problem])) from None


def _send(recorded: Recorded, usual: str, router: Router) -> None:
    stage = recorded.stage or usual
    if not stage:
        router.seen.requests += 1
        router.seen.lost[NO_STAGE] += 1
        return
    query = f"?{recorded.query}" if recorded.query else ""
    headers = tuple((name, _text(value.encode("latin-1"))) for name, value in recorded.headers)
    path = f"{recorded.path}{query}"
    router.traffic(Asked(stage, recorded.method, path, headers, _text(recorded.body)))


def _text(data: bytes) -> str:
    """Bytes as the text that a shell would have given for them."""
    return data.decode(errors="surrogateescape")


def _lacking(tests: RoutingTests, router: Router) -> Iterator[Problem]:
    """What should have been exercised."""
    kinds = router.exercised.kinds()
    for kind, least in tests.least.items():
        one = kinds[kind]
        if one.share < least:
            message = f"{one.exercised} of {len(one.counts)} {kind} were exercised"
            message += f" ({percent(one.share)}); allowed: at least {percent(least)}"
            hint = f"not exercised: {listed(one.missing())}"
            yield Problem("coverage-too-low", message, ("coverage", kind), hint)
