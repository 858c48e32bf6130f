"""`gateway invoke`: run a function once, as the cloud's Invoke does."""

from __future__ import annotations

from textwrap import indent

import click

from gateway.cli.exits import Exit
from gateway.cli.failures import mark
from gateway.cli.given import json_value, json_written
from gateway.cli.named import QUALIFIER
from gateway.cli.options import function_argument, reads
from gateway.cli.picture import Json, clean, json_text
from gateway.cli.remote import Answer, Remote, path_of
from gateway.cli.talk import Talk, note


@click.command("invoke", short_help="Run a function once.")
@function_argument
@click.option(
    "--qualifier",
    type=QUALIFIER,
    default="$DEFAULT",
    show_default=True,
    help="An alias or a version.",
)
@click.option("--routing-key", metavar="JSON", help="What rules see in place of headers.")
@click.option("--data", default="{}", metavar="JSON|@FILE|-", help="The event.  [default: {}]")
@click.option("--event", is_flag=True, help="Do not wait: it is accepted, and run and retried.")
@click.option("--log", is_flag=True, help="Write the end of the log, to standard error.")
@reads
def command(talk: Talk, *, function: str, event: bool, log: bool, **given: str | None) -> None:
    """Run FUNCTION once and write what it returns.

    Which version ran, and why, is said on standard error. Exit code 1 when the function fails.
    With --event the request id is written as soon as the invocation is accepted; 'gateway
    invocations' tells what has become of it.

    \b
    Examples:
      gateway invoke orders --data '{"path": "/orders/42", "httpMethod": "GET"}'
      gateway invoke orders --qualifier prepub --routing-key '{"User": "Bob"}' --data @event.json
      echo '{"id": 42}' | gateway invoke orders --qualifier 3 --data - --json
      gateway invoke orders --event --data '{"id": 42}'
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    if event and log:
        message = "--event has no log yet; 'gateway invocations' shows it when there is one"
        raise click.UsageError(message)
    body = {
        "qualifier": given["qualifier"],
        "routing_key": _routing_key(given["routing_key"]),
        "event": json_value(given["data"] or "", "--data"),
        "type": "event" if event else "sync",
        "log": "tail" if log else "none",
    }
    # The function's own timeout ends it; nobody else is in a hurry.
    with Remote(talk.remote.url, patience=None) as remote:
        answer = remote.send("POST", path_of("functions", function, "invoke"), body)
    if event:
        talk.show(answer, lambda found: clean(found["request_id"]))
    else:
        _told(talk, answer, f"{function}@{given['qualifier']}")


def _routing_key(text: str | None) -> str | None:
    """As it was written: the gateway takes numbers by their spelling."""
    if text is None:
        return None
    source, found = json_written(text, "--routing-key")
    if not isinstance(found, dict) or not all(
        isinstance(v, str | int | float) for v in found.values()
    ):
        message = f"""{text!r} is no table of texts; for example: '{{"User": "Bob"}}'"""
        raise click.BadParameter(message, param_hint="--routing-key")
    return source


def _told(talk: Talk, answer: Answer, name: str) -> None:
    told = answer.body
    note(
        f"{name}  version {told['version']} ({told['reason']})"
        f"  status {told['status']}  revision {told['revision']}  request {told['request_id']}"
    )
    if told["log"] is not None:
        click.echo(clean(told["log"].rstrip()), err=True)
    if talk.as_json or told["error"] is None:
        talk.show(answer, lambda found: json_text(found["value"]))
    if told["error"] is not None:
        click.echo(error_words(told), err=True)
        raise click.exceptions.Exit(Exit.UNEXPECTED)


def error_words(told: Json) -> str:
    """What a function did wrong, and its stack.

    Args:
        told: A result, as the API writes it.
    """
    error = told["error"]
    words = f"{mark(str(told['status']))}: {clean(str(error['errorMessage']))}"
    stack = str(error.get("stackTrace", "")).rstrip()
    return f"{words}\n{indent(clean(stack), '  ')}" if stack else words
