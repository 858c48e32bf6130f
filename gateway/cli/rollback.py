"""`gateway rollback`: bring back where an alias led before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gateway.cli.changed import change_words
from gateway.cli.options import REVISION, alias_argument, function_argument, writes
from gateway.cli.picture import Json
from gateway.cli.remote import path_of

if TYPE_CHECKING:
    from gateway.cli.talk import Talk


@click.command("rollback", short_help="Bring back where an alias led before.")
@function_argument
@alias_argument
@click.option(
    "--to-revision", type=REVISION, metavar="REVISION", help="Bring back where it led then."
)
@writes
def command(talk: Talk, *, function: str, alias: str, to_revision: int | None) -> None:
    """Bring back where ALIAS of FUNCTION led before: all traffic, on the next request.

    Without --to-revision it is the last state in which no weight divided the traffic. A second
    roll-back goes further back.

    \b
    Examples:
      gateway rollback orders release
      gateway rollback orders release --to-revision 4
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    path = path_of("functions", function, "aliases", alias, "rollback")
    body = None if to_revision is None else {"to_revision": to_revision}

    def words(done: Json) -> str:
        return f"{change_words(done)}   (restores revision {done['restores']})"

    talk.show(talk.write("POST", path, body), words)
