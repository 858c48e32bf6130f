"""`gateway invoke`: run a function once, as the cloud's Invoke does."""

from __future__ import annotations

from textwrap import indent

import click

from gateway.cli.exits import Exit
from gateway.cli.failures import mark
from gateway.cli.given import json_value
from gateway.cli.named import QUALIFIER
from gateway.cli.options import function_argument, reads
from gateway.cli.picture import Json, clean, json_text
from gateway.cli.remote import Remote, path_of
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
@reads
def command(
    talk: Talk, *, function: str, qualifier: str, routing_key: str | None, data: str
) -> None:
    """Run FUNCTION once and write what it returns.

    Which version ran, and why, is said on standard error. Exit code 1 when the function fails.

    \b
    Examples:
      gateway invoke orders --data '{"path": "/orders/42", "httpMethod": "GET"}'
      gateway invoke orders --qualifier prepub --routing-key '{"User": "Bob"}' --data @event.json
      echo '{"id": 42}' | gateway invoke orders --qualifier 3 --data - --json
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    body = {
        "qualifier": qualifier,
        "routing_key": None if routing_key is None else _routing_key(routing_key),
        "event": json_value(data, "--data"),
    }
    # The function's own timeout ends it; nobody else is in a hurry.
    with Remote(talk.remote.url, patience=None) as remote:
        answer = remote.send("POST", path_of("functions", function, "invoke"), body)
    told = answer.body
    note(
        f"{function}@{qualifier}  version {told['version']} ({told['reason']})"
        f"  status {told['status']}  revision {told['revision']}  request {told['request_id']}"
    )
    if talk.as_json or told["error"] is None:
        talk.show(answer, lambda found: json_text(found["value"]))
    if told["error"] is not None:
        _failed(told)


def _routing_key(text: str) -> dict[str, str]:
    found = json_value(text, "--routing-key")
    if not isinstance(found, dict) or not all(isinstance(v, str) for v in found.values()):
        message = f"""{text!r} is no table of texts; for example: '{{"User": "Bob"}}'"""
        raise click.BadParameter(message, param_hint="--routing-key")
    return found


def _failed(told: Json) -> None:
    error = told["error"]
    click.echo(f"{mark(str(told['status']))}: {clean(str(error['errorMessage']))}", err=True)
    stack = str(error.get("stackTrace", "")).rstrip()
    if stack:
        click.echo(indent(clean(stack), "  "), err=True)
    raise click.exceptions.Exit(Exit.UNEXPECTED)
