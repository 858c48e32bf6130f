"""`gateway functions`: what can be invoked, and how much of it there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gateway.cli.options import reads
from gateway.cli.picture import Json, clean, in_line, table

if TYPE_CHECKING:
    from gateway.cli.talk import Talk


@click.command("functions", short_help="List the functions.")
@reads
def command(talk: Talk) -> None:
    """List the functions with their published versions, their aliases and how $LATEST runs.

    \b
    Examples:
      gateway functions
      gateway functions --json
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    talk.show(talk.read("/api/functions"), _words)


def _words(found: Json) -> str:
    rows = []
    for function in found["functions"]:
        latest = function["latest"]
        published = ", ".join(v for v in function["versions"] if v != "$LATEST") or "-"
        aliases = ", ".join(function["aliases"])
        runs = (latest["handler"], f"{latest['timeout']:g} s", f"{latest['memory']} MB")
        about = in_line(latest["description"])
        rows.append((function["name"], published, aliases, *map(clean, runs), about))
    headings = ("FUNCTION", "PUBLISHED", "ALIASES", "HANDLER", "TIMEOUT", "MEMORY", "DESCRIPTION")
    return table(headings, rows)
