"""`gateway version`: published versions, one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gateway.cli.named import NUMBER
from gateway.cli.options import function_argument, writes
from gateway.cli.remote import path_of

if TYPE_CHECKING:
    from gateway.cli.talk import Talk


@click.group("version", short_help="Delete a published version.")
def command() -> None:
    """Work on one published version of a function.

    \b
    Examples:
      gateway version delete orders 3
    """  # noqa: D301 - \b is click's mark for lines that stay as they are


@command.command("delete", short_help="Delete a version that nothing names.")
@function_argument
@click.argument("version", type=NUMBER)
@writes
def delete(talk: Talk, *, function: str, version: str) -> None:
    """Delete VERSION of FUNCTION. One that an alias or a stage names stays.

    \b
    Examples:
      gateway version delete orders 3
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    talk.tell(talk.write("DELETE", path_of("functions", function, "versions", version)))
