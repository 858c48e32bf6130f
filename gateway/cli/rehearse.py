"""`gateway rehearse`: what a rollout would do to recorded traffic if its new version were bad."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from random import SystemRandom
from time import monotonic
from typing import TYPE_CHECKING, Final, NoReturn

import click

from gateway.cli.exits import Exit
from gateway.cli.failures import fail
from gateway.cli.options import Option, config_option, control_url_option
from gateway.cli.picture import clean, json_text
from gateway.cli.talk import note

if TYPE_CHECKING:
    from gateway.config import ConfigurationInvalid
    from gateway.core.snapshot import Snapshot
    from gateway.rollout.rehearsing_plan import Rehearsal
    from gateway.rollout.rehearsing_report import Report
    from gateway.rollout.rehearsing_traffic import Traffic

RUNS: Final = 100
QUIET: Final = 2.0
"""Seconds after which it is told how far the runs are."""


@click.command("rehearse", short_help="Run a rollout on recorded traffic, in virtual time.")
@click.argument("plan", metavar="PLAN", type=click.Path(path_type=Path))
@click.option(
    "--from", "recording", required=True, metavar="RECORDING",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True), help="The recorded traffic.",
)  # fmt: skip
@click.option(
    "--runs", type=click.IntRange(1, 100_000), default=RUNS, show_default=True,
    help="How often each case is run.",
)  # fmt: skip
@click.option("--seed", type=click.IntRange(0), help="Of the first run; each one has the next.")
@click.option("--user-from", metavar="KEY", help="Who the user is, as in invoke.headers.User.")
@click.option(
    "--max-hurt", type=click.IntRange(0), metavar="N",
    help="Exit code 11 if more than one run in twenty hurts more requests.",
)  # fmt: skip
@click.option(
    "--max-missed", type=click.FloatRange(0, 1), metavar="SHARE",
    help="Exit code 11 if more of the runs do not roll back.",
)  # fmt: skip
@config_option
@click.option(
    "--state", type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Begin with what a gateway remembers in this file, in place of stages.toml.",
)  # fmt: skip
@click.option("--live", is_flag=True, help="Begin with the running gateway, not with the file.")
@control_url_option
@click.option("--json", "as_json", is_flag=True, help="Write the report as JSON.")
@click.option(
    "--html", type=click.Path(path_type=Path, dir_okay=False), help="Write it as a page, too."
)
@click.pass_context
def command(ctx: click.Context, /, *, plan: Path, as_json: bool, **given: Option) -> None:
    """Run the rollout that PLAN describes on RECORDING, again and again, in virtual time.

    Nothing is sent and no code runs. Requests come as they were recorded, versions are chosen as
    the gateway chooses them, and the new version gets wrong what PLAN says. Told is how often and
    how soon the guards roll back, how many requests and users are hurt before, how often they roll
    back a version that is like the old one, and what a fixed limit does on the same traffic.

    Exit codes: 0 as the plan states, 10 more false roll-backs than it states, 11 a limit of
    --max-hurt or --max-missed is exceeded.

    \b
    Examples:
      gateway rehearse plan.toml --from shop.jsonl
      gateway rehearse plan.toml --from shop.jsonl --runs 1000 --seed 7 --html report.html
      gateway rehearse plan.toml --from shop.jsonl --live --max-hurt 100
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    from gateway.cli.whatif_state import chosen
    from gateway.rollout.rehearsing_report import Report

    _check(given)
    rehearsal = _loaded(plan, chosen(ctx, given))
    if rehearsal.fault is None and {given["max_hurt"], given["max_missed"]} != {None}:
        raise click.UsageError("--max-hurt and --max-missed need a [fault] in the plan")
    traffic = _traffic(plan, rehearsal, given)
    seed = SystemRandom().getrandbits(32) if given["seed"] is None else given["seed"]
    report = Report(rehearsal, traffic, seed)
    _run(report, given["runs"])
    _publish(report, given["recording"], given["html"], as_json=as_json)
    raise click.exceptions.Exit(_code(report, given["max_hurt"], given["max_missed"]))


def _check(given: Mapping[str, Option]) -> None:
    """Refuse a key that tells no users before anything is read."""
    from gateway.core.errors import Refused
    from gateway.traffic.rewriting import user_key

    if given["user_from"] is not None:
        try:
            user_key(given["user_from"])
        except Refused as refused:
            raise click.BadParameter(str(refused), param_hint="--user-from") from None


def _loaded(plan: Path, snapshot: Snapshot) -> Rehearsal:
    """What is rehearsed, or the end of the command with every mistake in the file."""
    from gateway.config import ConfigurationInvalid
    from gateway.rollout.rehearsing_plan import load_rehearsal

    try:
        return load_rehearsal(plan, snapshot)
    except ConfigurationInvalid as invalid:
        _refuse(invalid)


def _traffic(plan: Path, rehearsal: Rehearsal, given: Mapping[str, Option]) -> Traffic:
    """The recorded requests that reach the alias, or the end of the command."""
    from gateway.cli.rehearse_reading import Reading
    from gateway.rollout.rehearsing_plan import unplayable
    from gateway.rollout.rehearsing_traffic import traffic_of
    from gateway.traffic.failures import TrafficError
    from gateway.traffic.opening import open_lines
    from gateway.traffic.recording import read
    from gateway.traffic.rewriting import user_key

    file, key = given["recording"], given["user_from"]
    reading = Reading(rehearsal, (lambda each: each.user) if key is None else user_key(key))
    try:
        with open_lines(file) as lines:
            traffic = traffic_of(rehearsal, reading.over(read(lines, file)))
    except TrafficError as error:
        hint = "'gateway record import' makes a recording of logs, HAR files and arrival traces"
        fail(error.code, clean(str(error)), Exit.INVALID, error.hint or hint)
    missed = reading.words()
    if not traffic.times:
        whose = f"alias {rehearsal.target.qualifier!r} of {rehearsal.target.function!r}"
        _refuse(unplayable(plan, f"no request of {file} reaches {whose}; {missed}"))
    if missed:
        note(f"note: {missed}")
    return traffic


def _run(report: Report, runs: int) -> None:
    """Run it so often, and tell how far that is when it takes long."""
    began = monotonic()
    told = began + QUIET
    drawn = sys.stderr.isatty()

    def tell(ended: int) -> None:
        nonlocal told
        if monotonic() < told or ended == runs:
            return
        told = monotonic() + (0.2 if drawn else QUIET)
        left = (monotonic() - began) / ended * (runs - ended)
        line = f"{ended:,} of {runs:,} runs, {left:,.0f} s to go"
        click.echo(f"\r\x1b[K{line}" if drawn else line, nl=not drawn, err=True)

    report.run(runs, tell)
    if drawn:
        click.echo("\r\x1b[K", nl=False, err=True)


def _publish(report: Report, recording: str, html: Path | None, *, as_json: bool) -> None:
    from gateway.cli.rehearse_words import report_words

    told = {"recording": recording, **report.to_plain()}
    click.echo(json_text(told) if as_json else report_words(told))
    if html is None:
        return
    from gateway.cli.rehearse_page import report_page

    try:
        html.write_text(report_page(report, told), encoding="utf-8")
    except OSError as error:
        fail("unwritable", f"{html} cannot be written: {error.strerror}", Exit.UNEXPECTED)
    note(f"the report as a page: {html}")


def _code(report: Report, max_hurt: int | None, max_missed: float | None) -> Exit:
    if not report.stated:
        return Exit.VERDICT_FAILED
    if report.faulty is None:
        return Exit.OK
    guarded = report.faulty.guarded
    hurt = guarded.quantile(0.95, lambda each: each.hurt)
    missed = 1 - guarded.count("rolled-back") / report.runs
    too_many = max_hurt is not None and hurt > max_hurt
    too_often = max_missed is not None and missed > max_missed
    return Exit.LIMIT_EXCEEDED if too_many or too_often else Exit.OK


def _refuse(invalid: ConfigurationInvalid) -> NoReturn:
    from gateway.config import render

    click.echo(render(invalid.diagnostics), err=True)
    raise click.exceptions.Exit(Exit.INVALID)
