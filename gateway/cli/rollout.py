"""`gateway rollout`: move an alias to another version step by step, watched, and back by itself."""

from __future__ import annotations

from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

from gateway.cli.durations import Duration
from gateway.cli.exits import Exit
from gateway.cli.named import VERSION
from gateway.cli.options import Option, alias_argument, function_argument, reads, writes
from gateway.cli.picture import Json, clean, in_line, json_text, table
from gateway.cli.remote import path_of
from gateway.cli.rollout_words import line_of, rollout_words, status_words
from gateway.cli.talk import note

if TYPE_CHECKING:
    from gateway.cli.talk import Talk

EVERY: Final = 1.0
"""Seconds between two looks of --watch."""


class Steps(click.ParamType[tuple[float, ...]]):
    """Ascending percentages that end with 100: `1,10,50,100`."""

    name = "steps"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, ...]:
        """Shares from 0 to 1."""
        if isinstance(value, tuple):
            return value
        try:
            found = tuple(float(text.strip().removesuffix("%")) for text in str(value).split(","))
        except ValueError:
            found = ()
        ascending = all(a < b for a, b in zip((0.0, *found), found, strict=False))
        if not found or not ascending or found[-1] != 100:
            message = f"{value!r} are no steps; for example: 1,10,50,100 (percent, ending with 100)"
            self.fail(message, param, ctx)
        return tuple(percent / 100 for percent in found)


@click.group("rollout", short_help="Move an alias step by step, watched.")
def command() -> None:
    """Move an alias to another version step by step; it goes back on its own when that is worse.

    \b
    Examples:
      gateway rollout start orders release --to 2
      gateway rollout start orders release --to 2 --steps 1,10,50,100 --every 30s \\
          --abort-on 'error_rate>1%' --abort-on 'p99>old*1.5'
      gateway rollout status --watch
      gateway rollout abort orders-release-7
    """  # noqa: D301 - \b is click's mark for lines that stay as they are


@command.command("start", short_help="Begin a rollout.")
@function_argument
@alias_argument
@click.option("--to", "to", type=VERSION, required=True, help="The version to move to.")
@click.option("--steps", type=Steps(), help="Percentages; 1,10,50,100 if you name none.")
@click.option("--every", type=Duration(), help="How long each step is held, at least; 60s.")
@click.option("--requests", type=click.IntRange(min=0), help="Answers of it in each step.")
@click.option(
    "--abort-on", "guards", multiple=True, metavar="GUARD",
    help="What it may not do; 'error_rate>old' if you name none.",
)  # fmt: skip
@click.option("--tolerance", type=float, help="How much worse than a limit matters; 0.03.")
@click.option("--false-rollback", type=float, help="Greatest probability of a false one; 0.01.")
@click.option("--undecided", type=click.Choice(["wait", "advance"]), help="When too few; wait.")
@writes
def start(talk: Talk, *, function: str, alias: str, **given: Option) -> None:
    """Move ALIAS of FUNCTION to another version, step by step.

    Each step is held for its time, and until every guard has passed. When one fails, everything
    goes back to the version before, at once. A guard is a metric, '>' and a limit: 'error_rate>1%',
    'error_rate>old' (the version being replaced), 'p99>250ms', 'p99>old*1.5'.

    \b
    Examples:
      gateway rollout start orders release --to 2
      gateway rollout start orders release --to 2 --steps 10,100 --every 5m
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    guards = list(given.pop("guards"))
    body = {name: value for name, value in given.items() if value is not None}
    if guards:
        body["guards"] = guards
    body |= {"function": function, "alias": alias}
    talk.show(talk.write("POST", "/api/rollouts", body), rollout_words)


@command.command("status", short_help="Show rollouts, or follow one to its end.")
@click.argument("rollout", required=False, metavar="[ID]")
@click.option("--watch", is_flag=True, help="Follow it to its end; the exit code tells.")
@click.option("--timeout", type=Duration(), help="How long --watch follows, at most.")
@reads
def status(talk: Talk, *, rollout: str | None, watch: bool, timeout: float | None) -> None:
    """Show every rollout that is remembered, or the one of ID.

    With --watch, the one of ID or the newest is followed to its end. The exit code is then 0 when
    it finished, 10 when it was rolled back or aborted, and 12 when it is paused or took too long.

    \b
    Examples:
      gateway rollout status
      gateway rollout status orders-release-7 --watch --timeout 10m
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    if timeout is not None and not watch:
        raise click.UsageError("--timeout is for --watch")
    if watch:
        _watch(talk, rollout or _newest(talk), timeout)
    elif rollout is None:
        talk.show(talk.read("/api/rollouts"), _list)
    else:
        talk.show(talk.read(path_of("rollouts", rollout)), rollout_words)


def _acting(verb: str, line: str, words: str) -> None:
    @command.command(verb, short_help=line)
    @click.argument("rollout", metavar="ID")
    @writes
    def act(talk: Talk, *, rollout: str) -> None:
        answer = talk.write("POST", path_of("rollouts", rollout, verb))
        talk.show(answer, rollout_words)

    act.help = f"{words}\n\n\b\nExamples:\n  gateway rollout {verb} orders-release-7"


_acting("pause", "Stay in the step that goes on.", "Stay in the step that goes on, until resumed.")
_acting("resume", "Begin the step again.", "Put the alias into the step, and begin it again.")
_acting("promote", "Everything to the new version now.", "Give everything to the new version, now.")
_acting("abort", "Everything back now.", "Give everything back to the version before, now.")


def _list(body: Json) -> str:
    headings = ("ID", "STATUS", "FROM", "TO", "SHARE", "STEP", "REASON")
    rows = [line_of(each) for each in body["rollouts"]]
    return table(headings, rows) if rows else "no rollout"


def _newest(talk: Talk) -> str:
    found = talk.read("/api/rollouts").body["rollouts"]
    if not found:
        raise click.UsageError("there is no rollout to follow; start one, or name its ID")
    newest: str = found[0]["id"]
    return newest


def _watch(talk: Talk, rollout: str, timeout: float | None) -> None:
    until = None if timeout is None else monotonic() + timeout
    last: Any = None
    while True:
        body = talk.read(path_of("rollouts", rollout)).body
        told = status_words(body)
        if told != last and not talk.as_json:
            click.echo(told)
            last = told
        if body["status"] != "running":
            _ended(talk, body)
        if until is not None and monotonic() >= until:
            note(f"{rollout} still runs")
            _exit(talk, body, Exit.UNDECIDED)
        sleep(EVERY)


def _ended(talk: Talk, body: Json) -> NoReturn:
    if body["reason"]:
        note(f"{body['status']}: {in_line(clean(body['reason']))}")
    code = {"finished": Exit.OK, "paused": Exit.UNDECIDED}.get(body["status"], Exit.VERDICT_FAILED)
    _exit(talk, body, code)


def _exit(talk: Talk, body: Json, code: Exit) -> NoReturn:
    if talk.as_json:
        click.echo(json_text(body))
    raise click.exceptions.Exit(code)
