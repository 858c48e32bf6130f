"""`gateway function`: how the editable version of a function runs, and its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gateway.cli.options import Option, function_argument, pairs, writes
from gateway.cli.remote import path_of

if TYPE_CHECKING:
    from gateway.cli.talk import Talk


@click.group("function", short_help="Configure a function, or delete it.")
def command() -> None:
    """Configure a function, or delete it.

    \b
    Examples:
      gateway function set orders --timeout 10
      gateway function delete orders
    """  # noqa: D301 - \b is click's mark for lines that stay as they are


@command.command("set", short_help="Configure $LATEST; what is not named stays.")
@function_argument
@click.option("--handler", metavar="FILE.FUNCTION", help="What is called.")
@click.option("--timeout", type=float, metavar="SECONDS", help="How long it may take.")
@click.option("--memory", type=int, metavar="MB", help="What the context says it has.")
@click.option("--concurrency", type=int, help="How many invocations may run at a time.")
@click.option("--isolation", help="Where it runs: auto, inline, thread or process.")
@click.option("--type", "type", help="What it is: event or web.")
@click.option(
    "--env", "env", multiple=True, metavar="NAME=VALUE", help="Set an environment variable."
)
@click.option(
    "--unset-env", "unset", multiple=True, metavar="NAME", help="Remove an environment variable."
)
@click.option("--description", help="Your words about it.")
@writes
def set_(talk: Talk, *, function: str, **given: Option) -> None:
    """Configure $LATEST of FUNCTION. What is not named stays; published versions never change.

    \b
    Examples:
      gateway function set orders --timeout 10 --concurrency 4
      gateway function set orders --env GREETING=hello --unset-env OLD
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    named, unset = pairs(given.pop("env"), "--env", "GREETING=hello"), given.pop("unset")
    body = {key: value for key, value in given.items() if value is not None}
    path = path_of("functions", function, "configuration")
    if not (body or named or unset):
        raise click.UsageError("nothing to set; name at least one option, such as --timeout 10")
    if named or unset:
        body["environment"] = _environment(talk, function, named, unset)
    talk.tell(talk.write("PUT", path, body))


@command.command("delete", short_help="Delete a function that no stage uses.")
@function_argument
@writes
def delete(talk: Talk, *, function: str) -> None:
    """Delete FUNCTION with all versions and aliases. One that an API names stays.

    \b
    Examples:
      gateway function delete orders
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    talk.tell(talk.write("DELETE", path_of("functions", function)))


def _environment(
    talk: Talk, function: str, named: dict[str, str], unset: tuple[str, ...]
) -> dict[str, str]:
    """The whole environment with what was named; written only if nobody else writes meanwhile."""
    from gateway.cli.exits import Exit
    from gateway.cli.failures import fail
    from gateway.core.errors import listed, nearest

    answer = talk.read(path_of("functions", function, "versions", "$LATEST"))
    environment = dict(answer.body["environment"])
    for name in unset:
        if name not in environment:
            message = f"the environment of function {function!r} has no {name!r}; it has "
            hint = nearest(name, environment)
            fail("unknown-variable", message + listed(environment), Exit.NOT_FOUND, hint)
        del environment[name]
    if talk.if_match is None:
        talk.if_match = answer.revision
    return {**environment, **named}
