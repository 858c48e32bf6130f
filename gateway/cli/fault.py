"""`gateway fault`: get a version wrong on purpose, for rehearsals, and let it be again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from gateway.cli.named import VERSION
from gateway.cli.options import function_argument, reads, writes
from gateway.cli.picture import Json, clean, fault_words, table
from gateway.cli.remote import path_of
from gateway.cli.routing import share_of

if TYPE_CHECKING:
    from gateway.cli.talk import Talk

_LATENCY: Final = "0.2, uniform:0.1,0.5, exponential:0.2 or normal:0.2,0.05"

version_argument = click.argument("version", type=VERSION)


@click.group("fault", short_help="Get a version wrong on purpose.")
def command() -> None:
    """Get a version wrong on purpose, for a rehearsal of what happens then.

    \b
    Examples:
      gateway fault set orders 2 --errors 0.05
      gateway fault list
      gateway fault clear orders 2
    """  # noqa: D301 - \b is click's mark for lines that stay as they are


@command.command("set", short_help="Say what a version gets wrong, all of it.")
@function_argument
@version_argument
@click.option("--errors", metavar="SHARE", help="The share of requests that fail, 0 to 1.")
@click.option(
    "--status",
    type=click.IntRange(430, 599),
    default=430,
    show_default=True,
    help="What they are answered with.",
)
@click.option("--latency", metavar="SECONDS|SPREAD", help=f"A wait before the handler: {_LATENCY}.")
@writes
def set_(  # noqa: PLR0913 - one for each option
    talk: Talk,
    *,
    function: str,
    version: str,
    errors: str | None,
    status: int,
    latency: str | None,
) -> None:
    """Say what VERSION of FUNCTION gets wrong. What is not named is cleared.

    \b
    Examples:
      gateway fault set orders 2 --errors 0.05
      gateway fault set orders 2 --errors 0.5 --status 503 --latency 0.2
      gateway fault set orders '$LATEST' --latency uniform:0.1,0.5
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    raw: dict[str, object] = {"status": status}
    if errors is not None:
        raw["errors"] = float(share_of(errors, "--errors"))
    if latency is not None:
        raw["latency"] = latency_of(latency)
    talk.tell(talk.write("PUT", _path(function, version), _checked(raw, function, version)))


@command.command("clear", short_help="Let a version run as it is again.")
@function_argument
@version_argument
@writes
def clear(talk: Talk, *, function: str, version: str) -> None:
    """Let VERSION of FUNCTION run as it is again.

    \b
    Examples:
      gateway fault clear orders 2
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    talk.tell(talk.write("DELETE", _path(function, version)))


@command.command("list", short_help="List what is got wrong.")
@reads
def list_(talk: Talk) -> None:
    """List every fault of every version.

    \b
    Examples:
      gateway fault list
      gateway fault list --json
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    answer = talk.read("/api/snapshot")
    body = {name: found["faults"] for name, found in answer.body["functions"].items()}
    faults = {name: found for name, found in body.items() if found}
    talk.show(type(answer)(faults, answer.revision), _words)


def latency_of(text: str) -> object:
    """`0.2` or `uniform:0.1,0.5` as the API writes it.

    Raises:
        click.BadParameter: A part that should be is no number.
    """
    kind, separator, rest = text.partition(":")
    try:
        numbers = [float(part) for part in (rest if separator else text).split(",")]
    except ValueError:
        message = f"{text!r} is no latency; allowed: {_LATENCY}"
        raise click.BadParameter(message, param_hint="--latency") from None
    value: object = numbers if len(numbers) > 1 else numbers[0]
    return {kind.strip(): value} if separator else value


def _checked(raw: dict[str, object], function: str, version: str) -> dict[str, object]:
    """The fault as the API takes it, after every check that needs no gateway.

    Raises:
        click.UsageError: With every mistake.
    """
    from gateway.core.errors import Refused
    from gateway.core.faults import parse_fault

    try:
        what = f"the fault of version {version!r} of function {function!r}"
        return parse_fault(raw, what).to_dict()
    except Refused as refused:
        lines = [": ".join(filter(None, (p.message, p.hint))) for p in refused.problems]
        raise click.UsageError("\n".join(lines)) from None


def _path(function: str, version: str) -> str:
    return path_of("functions", function, "versions", version, "fault")


def _words(found: Json) -> str:
    rows = [
        (clean(function), clean(version), fault_words(fault))
        for function, faults in found.items()
        for version, fault in faults.items()
    ]
    return table(("FUNCTION", "VERSION", "FAULT"), rows)
