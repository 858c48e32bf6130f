"""`gateway publish`: freeze $LATEST into the next number."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gateway.cli.options import function_argument, writes
from gateway.cli.remote import path_of

if TYPE_CHECKING:
    from gateway.cli.talk import Talk


@click.command("publish", short_help="Freeze $LATEST into the next version.")
@function_argument
@click.option("--description", default="", help="Your words about the version.")
@writes
def command(talk: Talk, *, function: str, description: str) -> None:
    """Freeze $LATEST of FUNCTION, code and configuration, into the next version.

    No alias moves: nobody but you sees the new version yet.

    \b
    Examples:
      gateway publish orders
      gateway publish orders --description 'prices with tax'
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    path = path_of("functions", function, "versions")
    talk.tell(talk.write("POST", path, {"description": description}))
