"""`gateway breaker`: leave a version alone while it fails, and see which ones are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gateway.cli.options import function_argument, reads, writes
from gateway.cli.picture import Json, breaker_words, clean, table
from gateway.cli.remote import path_of
from gateway.cli.routing import share_of

if TYPE_CHECKING:
    from gateway.cli.talk import Talk


@click.group("breaker", short_help="Leave a version alone while it fails.")
def command() -> None:
    """Leave a version alone while it fails: requests for it are answered with 503 at once.

    \b
    Examples:
      gateway breaker set orders --errors 0.5
      gateway breaker list
      gateway breaker clear orders
    """  # noqa: D301 - \b is click's mark for lines that stay as they are


@command.command("set", short_help="Say when versions are left alone, all of it.")
@function_argument
@click.option(
    "--errors",
    metavar="SHARE",
    required=True,
    help="The share of errors from which on a version is left alone.",
)
@click.option("--requests", type=int, help="How many requests the share needs to count.")
@click.option("--window", type=float, metavar="SECONDS", help="The time that is looked at.")
@click.option("--pause", type=float, metavar="SECONDS", help="How long it is left alone.")
@click.option("--trials", type=int, help="How many requests then try it.")
@writes
def set_(talk: Talk, *, function: str, errors: str, **given: float | None) -> None:
    """Say when versions of FUNCTION are left alone. What is not named is as usual.

    \b
    Examples:
      gateway breaker set orders --errors 0.5
      gateway breaker set orders --errors 0.2 --requests 100 --window 30 --pause 10 --trials 5
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    raw: dict[str, object] = {key: value for key, value in given.items() if value is not None}
    raw["errors"] = float(share_of(errors, "--errors"))
    talk.tell(talk.write("PUT", _path(function), _checked(raw, function)))


@command.command("clear", short_help="Leave no version alone any more.")
@function_argument
@writes
def clear(talk: Talk, *, function: str) -> None:
    """Leave no version of FUNCTION alone any more.

    \b
    Examples:
      gateway breaker clear orders
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    talk.tell(talk.write("DELETE", _path(function)))


@command.command("list", short_help="List breakers, and how each version stands.")
@reads
def list_(talk: Talk) -> None:
    """List every breaker, and how the circuit of each version stands.

    \b
    Examples:
      gateway breaker list
      gateway breaker list --json
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    answer = talk.read("/api/snapshot")
    breakers = breakers_of(talk, answer.body)
    talk.show(type(answer)(breakers, answer.revision), _words)


def breakers_of(talk: Talk, snapshot: Json) -> dict[str, Json]:
    """Every breaker with its circuits, by function; nothing is asked where there is none."""
    return {
        name: talk.read(_path(name)).body
        for name, function in snapshot["functions"].items()
        if "breaker" in function
    }


def standing_words(circuit: Json) -> str:
    """How a circuit stands, in a few words."""
    words = [circuit["state"]]
    if circuit["wait"]:
        words.append(f"for {circuit['wait']:.1f} s more")
    if circuit["opened"]:
        words.append(
            f"opened {circuit['opened']:,} times" if circuit["opened"] > 1 else "opened once"
        )
    return ", ".join(words)


def _checked(raw: dict[str, object], function: str) -> dict[str, object]:
    """The breaker as the API takes it, after every check that needs no gateway.

    Raises:
        click.UsageError: With every mistake.
    """
    from gateway.core.breaker import parse_breaker
    from gateway.core.errors import Refused

    try:
        return parse_breaker(raw, f"the breaker of function {function!r}").to_dict()
    except Refused as refused:
        lines = [": ".join(filter(None, (p.message, p.hint))) for p in refused.problems]
        raise click.UsageError("\n".join(lines)) from None


def _path(function: str) -> str:
    return path_of("functions", function, "breaker")


def _words(found: Json) -> str:
    rows = [
        (clean(name), breaker_words(breaker), clean(circuit["version"]), standing_words(circuit))
        for name, breaker in found.items()
        for circuit in breaker["circuits"]
    ]
    return table(("FUNCTION", "BREAKER", "VERSION", "STATE"), rows)
