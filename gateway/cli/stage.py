"""`gateway stage`: release the APIs to a stage, or take it off the air."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gateway.cli.named import FUNCTION, QUALIFIER, STAGE
from gateway.cli.options import pairs, writes
from gateway.cli.remote import path_of

if TYPE_CHECKING:
    from gateway.cli.talk import Talk


@click.group("stage", short_help="Release the APIs to a stage, or delete it.")
def command() -> None:
    """Release the APIs to a stage, or take a stage off the air.

    \b
    Examples:
      gateway stage set prepub --alias prepub
      gateway stage delete prepub
    """  # noqa: D301 - \b is click's mark for lines that stay as they are


@command.command("set", short_help="Release the APIs to a stage.")
@click.argument("stage", type=STAGE)
@click.option("--alias", type=QUALIFIER, help="The alias, or version, of every function.")
@click.option(
    "--alias-of", "aliases", multiple=True, metavar="FUNCTION=ALIAS", help="That of one function."
)
@click.option(
    "--variable", "variables", multiple=True, metavar="NAME=VALUE", help="A stage variable."
)
@writes
def set_(
    talk: Talk,
    *,
    stage: str,
    alias: str | None,
    aliases: tuple[str, ...],
    variables: tuple[str, ...],
) -> None:
    """Release the APIs to STAGE: dev, prepub or release.

    Each function gets the alias of --alias-of, else that of --alias, else what it has on the
    stage, else $DEFAULT. Variables that are not named are cleared.

    \b
    Examples:
      gateway stage set prepub --alias prepub
      gateway stage set release --alias release --alias-of payments=stable
      gateway stage set dev --alias '$DEFAULT' --variable region=local
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    body: dict[str, object] = {
        "aliases": _qualifiers(aliases),
        "variables": pairs(variables, "--variable", "region=local"),
    }
    if alias is not None:
        body["alias"] = alias
    talk.tell(talk.write("PUT", path_of("stages", stage), body))


@command.command("delete", short_help="Take a stage off the air.")
@click.argument("stage", type=STAGE)
@writes
def delete(talk: Talk, *, stage: str) -> None:
    """Take STAGE off the air. Functions, aliases and the other stages stay.

    \b
    Examples:
      gateway stage delete prepub
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    talk.tell(talk.write("DELETE", path_of("stages", stage)))


def _qualifiers(texts: tuple[str, ...]) -> dict[str, str]:
    given = pairs(texts, "--alias-of", "payments=stable")
    return {
        FUNCTION.convert(function, None, None): QUALIFIER.convert(qualifier, None, None)
        for function, qualifier in given.items()
    }
