"""`gateway aliases`: where the aliases of a function lead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gateway.cli.options import function_argument, reads
from gateway.cli.picture import Json, alias_words, in_line, table
from gateway.cli.remote import path_of

if TYPE_CHECKING:
    from gateway.cli.talk import Talk


@click.command("aliases", short_help="List the aliases of a function.")
@function_argument
@reads
def command(talk: Talk, *, function: str) -> None:
    """List the aliases of FUNCTION and where they lead.

    \b
    Examples:
      gateway aliases orders
      gateway aliases orders --json
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    talk.show(talk.read(path_of("functions", function, "aliases")), _words)


def _words(found: Json) -> str:
    rows = [
        (name, alias_words(alias), in_line(alias["description"]))
        for name, alias in found["aliases"].items()
    ]
    return table(("ALIAS", "LEADS TO", "DESCRIPTION"), rows)
