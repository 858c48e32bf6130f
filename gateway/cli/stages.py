"""`gateway stages`: where the stages lead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gateway.cli.options import reads
from gateway.cli.picture import Json, clean, in_line, table

if TYPE_CHECKING:
    from gateway.cli.talk import Talk


@click.command("stages", short_help="List the stages and the aliases they use.")
@reads
def command(talk: Talk) -> None:
    """List the stages with the alias, or the version, that each function has there.

    \b
    Examples:
      gateway stages
      gateway stages --json
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    talk.show(talk.read("/api/stages"), _words)


def _words(found: Json) -> str:
    rows = []
    for stage in found["stages"]:
        variables = in_line(" ".join(f"{k}={v}" for k, v in stage["variables"].items()))
        apis = str(len(stage["apis"]))
        leads = stage["qualifiers"] or {"-": "-"}
        for function, qualifier in leads.items():
            rows.append((stage["stage"], function, clean(str(qualifier)), apis, variables))
    return table(("STAGE", "FUNCTION", "ALIAS", "APIS", "VARIABLES"), rows)
