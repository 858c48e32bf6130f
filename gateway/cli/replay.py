"""`gateway replay`: a recording played again, in its own rhythm, and what came of it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final, NoReturn

import click

from gateway.cli.exits import Exit
from gateway.cli.failures import fail
from gateway.cli.options import Address, Option, control_url_option
from gateway.cli.picture import clean, json_text
from gateway.cli.replay_target import check_stages, data_url, live_aliases
from gateway.cli.talk import note
from gateway.cli.traffic_options import rewriting_options

if TYPE_CHECKING:
    from gateway.cli.replay_run import Course
    from gateway.traffic.failures import TrafficError
    from gateway.traffic.recording import Recorded
    from gateway.traffic.replay_report import Report
    from gateway.traffic.rewriting import Rewriting

STDIN: Final = "-"
_POSITIVE: Final = click.FloatRange(min=0, min_open=True)


@click.command("replay", short_help="Play a recording again, in its own rhythm.")
@click.argument(
    "recording", metavar="FILE", type=click.Path(exists=True, dir_okay=False, allow_dash=True)
)
@click.option("--stage", help="The stage; otherwise the one each request was recorded on.")
@click.option("--speed", type=_POSITIVE, metavar="N", help="So many times faster than recorded.")
@click.option(
    "--rate", type=_POSITIVE, metavar="N", help="So fast that N requests a second are the average."
)
@click.option("--as-fast-as-possible", "free", is_flag=True, help="Forget the times.")
@click.option(
    "--concurrency",
    type=click.IntRange(1, 10_000),
    metavar="N",
    help="At most so many requests under way; usually 500, and 16 as fast as possible.",
)
@click.option(
    "--timeout",
    type=_POSITIVE,
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="How long an answer may take.",
)
@click.option(
    "--against",
    type=Address("http://127.0.0.1:9000"),
    metavar="URL",
    help="Send to this, not to the gateway.",
)
@click.option("--keep-host", is_flag=True, help="Send the recorded Host.")
@rewriting_options
@control_url_option
@click.option("--json", "as_json", is_flag=True, help="Write the report as JSON.")
@click.option(
    "--html", type=click.Path(path_type=Path, dir_okay=False), help="Write it as a page, too."
)
def command(recording: str, *, as_json: bool, html: Path | None, **given: Option) -> None:
    """Play FILE, a recording, against the running gateway; - is standard input.

    Requests begin when they are due, at their recorded distances times --speed, whoever still
    waits for an answer; latency counts from that moment. Each ends as answered, failed or not
    sent. Ctrl-C ends it and reports what was until then. The splits of the answers are judged
    against the aliases of the gateway.

    Exit codes: 0 everything was answered, 10 a split is wrong, 11 something was not answered,
    130 interrupted.

    \b
    Examples:
      gateway replay shop.jsonl --stage release
      gateway replay shop.jsonl --stage release --speed 20 --html report.html
      gateway replay shop.jsonl --stage prepub --rate 200 --set-header 'User: {user}'
      gateway replay shop.jsonl --as-fast-as-possible --against http://127.0.0.1:9000
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    from gateway.traffic.failures import TrafficError

    try:
        with _file(recording) as path:
            report = _played(recording, path, **given)
    except TrafficError as error:
        _refuse(error)
    _publish(report, html, as_json=as_json)
    raise click.exceptions.Exit(_code(report))


def _played(  # noqa: PLR0913 - one parameter for each option
    name: str,
    path: str,
    *,
    stage: str | None,
    speed: float | None,
    rate: float | None,
    free: bool,
    concurrency: int | None,
    timeout: float,
    against: str | None,
    keep_host: bool,
    rewriting: Rewriting,
    control_url: str,
) -> Report:
    """Survey, play, judge."""
    from gateway.cli.replay_run import Course
    from gateway.traffic.pacer import Survey
    from gateway.traffic.sending import Target

    if sum((speed is not None, rate is not None, free)) > 1:
        raise click.UsageError("only one of --speed, --rate, --as-fast-as-possible can be used")
    opened = _opener(path, name, rewriting)
    survey = Survey.of(opened())
    if not survey.requests:
        fail("nothing-to-send", f"{name} has no request to send", Exit.INVALID)
    how = survey.speed(rate) if rate is not None else 1.0 if speed is None else speed
    target = Target(against or "", stage, against is None or stage is not None, keep_host)
    most = concurrency or (16 if free else 500)
    course = Course(name, opened, survey, target, None if free else how, most, timeout)
    if survey.late:
        words = "request stands" if survey.late == 1 else "requests stand"
        behind = f"by {survey.behind:.3g} s at most; they go out with those"
        note(f"note: {survey.late:,} {words} behind later ones, {behind}")
    return _against_gateway(course, control_url) if against is None else _against_other(course)


def _opener(path: str, name: str, rewriting: Rewriting) -> Callable[[], Iterable[Recorded]]:
    from gateway.traffic.opening import open_lines
    from gateway.traffic.recording import read

    def play() -> Iterator[Recorded]:
        with open_lines(path) as lines:
            yield from read(lines, name)

    return lambda: rewriting.over(play)


def _against_gateway(course: Course, control_url: str) -> Report:
    from gateway.cli.remote import Remote
    from gateway.cli.replay_run import run
    from gateway.traffic.replay_report import Report
    from gateway.traffic.replay_verdict import judge_replay

    with Remote(control_url) as remote:
        check_stages(remote, course.survey.stages, course.target.stage)
        course = replace(course, target=replace(course.target, url=data_url(remote)))
        before = live_aliases(remote)
        facts, tally = run(course)
        known = dict((before, live_aliases(remote)))
    return Report(facts, tally, judge_replay(tally.answers, known))


def _against_other(course: Course) -> Report:
    from gateway.cli.replay_run import run
    from gateway.traffic.replay_report import Report

    return Report(*run(course))


def _publish(report: Report, html: Path | None, *, as_json: bool) -> None:
    from gateway.traffic.replay_words import report_words

    click.echo(json_text(report.to_plain()) if as_json else clean(report_words(report)))
    if html is not None:
        from gateway.traffic.replay_page import report_page

        try:
            html.write_text(report_page(report), encoding="utf-8")
        except OSError as error:
            message = f"{html} cannot be written: {error.strerror}"
            fail("unwritable", message, Exit.UNEXPECTED)
        note(f"the report as a page: {html}")


def _code(report: Report) -> Exit:
    from gateway.verdict import Outcome

    summary = report.judged.summary if report.judged is not None else None
    if report.facts.interrupted:
        return Exit.INTERRUPTED
    if summary is not None and summary.outcome is Outcome.FAILED:
        return Exit.VERDICT_FAILED
    return Exit.LIMIT_EXCEEDED if report.tally.losses else Exit.OK


@contextmanager
def _file(recording: str) -> Iterator[str]:
    """The file; standard input is kept in one, for it is read more than once."""
    if recording != STDIN:
        yield recording
        return
    with TemporaryDirectory() as folder:
        path = Path(folder) / "recording"
        with path.open("wb") as kept:
            shutil.copyfileobj(sys.stdin.buffer, kept)
        yield str(path)


def _refuse(error: TrafficError) -> NoReturn:
    hint = error.hint
    if error.code == "bad-line" and not hint:
        hint = "'gateway record import' makes a recording of logs, HAR files and arrival traces"
    fail(error.code, str(error), Exit.INVALID, hint)
