"""`gateway invocations`: what has become of invocations that nobody waited for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from time import sleep
from typing import TYPE_CHECKING, Final

import click

from gateway.cli.exits import Exit
from gateway.cli.invoke import error_words
from gateway.cli.options import Option, function_argument, reads
from gateway.cli.picture import Json, clean, json_text, table
from gateway.cli.remote import path_of

if TYPE_CHECKING:
    from gateway.cli.talk import Talk

RUNNING: Final = "RUNNING"
FINISHED: Final = "FINISHED"
STATUSES: Final = (RUNNING, FINISHED, "FAILED", "ABORTED")


@click.command("invocations", short_help="Show or abort asynchronous invocations.")
@function_argument
@click.argument("request_id", required=False, metavar="[ID]")
@click.option("--status", type=click.Choice(STATUSES, case_sensitive=False), help="Only those.")
@click.option("--limit", type=click.IntRange(1, 1000), help="At most so many.")
@click.option("--before", metavar="ID", help="Only those accepted before this one.")
@click.option("--watch", is_flag=True, help="Wait for the end of ID; or draw again until Ctrl-C.")
@click.option(
    "--every",
    type=click.FloatRange(min=0.1),
    default=1.0,
    show_default=True,
    metavar="SECONDS",
    help="How often --watch looks.",
)
@click.option("--abort", is_flag=True, help="Abort ID.")
@reads
def command(
    talk: Talk, *, function: str, request_id: str | None, watch: bool, every: float, **given: Option
) -> None:
    """Show the asynchronous invocations of FUNCTION, newest first, or what has become of ID.

    With ID and --watch the exit code is 1 when it failed or was aborted.

    \b
    Examples:
      gateway invocations orders --status FAILED
      gateway invocations orders 5f0c... --watch
      gateway invocations orders 5f0c... --abort
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    _check(request_id, watch=watch, **given)
    abort = given.pop("abort")
    if request_id is None:
        _list(talk, function, every if watch else None, given)
        return
    path = path_of("functions", function, "invocations", request_id)
    if watch:
        _watch(talk, path, every)
    else:
        talk.show(talk.remote.send("DELETE" if abort else "GET", path), _words)


def _check(request_id: str | None, *, watch: bool, abort: bool, **listed: object) -> None:
    """Refuse options that go with the other form of the command."""
    if request_id is None and abort:
        raise click.UsageError("--abort needs the ID of an invocation")
    if abort and watch:
        raise click.UsageError("--abort and --watch cannot be used together")
    odd = [f"--{name}" for name, value in listed.items() if value is not None]
    if request_id is not None and odd:
        raise click.UsageError(f"{odd[0]} is for lists; it cannot be used with an ID")


def _list(talk: Talk, function: str, every: float | None, query: Mapping[str, object]) -> None:
    path = path_of("functions", function, "invocations")
    if every is None:
        talk.show(talk.read(path, **query), _table)
        return
    try:
        while True:
            answer = talk.read(path, **query)
            click.clear()  # does nothing where there is no terminal
            talk.show(answer, _table)
            sleep(every)
    except KeyboardInterrupt:
        return  # the way in which watching a list ends


def _watch(talk: Talk, path: str, every: float) -> None:
    """Wait for the end of an invocation, and tell it."""
    answer = talk.read(path)
    while answer.body["status"] == RUNNING:
        sleep(every)
        answer = talk.read(path)
    talk.show(answer, _words)
    if answer.body["status"] != FINISHED:
        raise click.exceptions.Exit(Exit.UNEXPECTED)


def _table(found: Json) -> str:
    headings = ("REQUEST", "ALIAS", "STATUS", "ACCEPTED", "ATTEMPTS", "ENDED OR NEXT")
    return table(headings, [_row(each) for each in found["invocations"]])


def _row(each: Json) -> tuple[str, ...]:
    next_ = f"retry at {clean(each['retry_at'])}" if each["retry_at"] else "-"
    return (
        clean(each["request_id"]),
        clean(each["qualifier"]),
        each["status"],
        clean(each["at"]),
        f"{each['attempts']:,}",
        clean(each["ended_at"] or next_),
    )


def _words(found: Json) -> str:
    *_, at, attempts, then = _row(found)
    name = clean(f"{found['function']}@{found['qualifier']}")
    lines = [
        f"{name}  {found['status']}  request {clean(found['request_id'])}",
        f"accepted {at}  attempts {attempts}  " + (f"ended {then}" if found["ended_at"] else then),
    ]
    result = found["result"]
    if result is not None:
        lines += _result_lines(result)
    return "\n".join(lines)


def _result_lines(result: Json) -> Iterator[str]:
    version = f"version {result['version']} ({result['reason']})  " if result["version"] else ""
    yield f"{version}status {result['status']}  revision {result['revision']}"
    if result["log"]:
        yield clean(result["log"].rstrip())
    if result["error"] is not None:
        yield error_words(result)
    elif result["value_kept"]:
        yield json_text(result["value"])
    else:
        yield "(its value was too large to be kept)"
