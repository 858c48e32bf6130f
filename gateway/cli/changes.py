"""`gateway changes`: who altered what, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gateway.cli.changed import difference_lines
from gateway.cli.options import REVISION, reads
from gateway.cli.picture import Json, clean, in_line, table

if TYPE_CHECKING:
    from gateway.cli.talk import Talk


@click.command("changes", short_help="Show who altered what, newest first.")
@click.option("--path", metavar="PART", help="Only of this part, such as functions/orders.")
@click.option("--limit", type=click.IntRange(1, 1000), help="At most so many.")
@click.option("--before", type=REVISION, metavar="REVISION", help="Only changes before it.")
@reads
def command(talk: Talk, *, path: str | None, limit: int | None, before: int | None) -> None:
    """Show who altered what, newest first: the audit log. --json tells also from where.

    \b
    Examples:
      gateway changes --limit 10
      gateway changes --path functions/orders/aliases/release
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    talk.show(talk.read("/api/changes", path=path, limit=limit, before=before), _words)


def _words(found: Json) -> str:
    rows = []
    for change in found["changes"]:
        about = (str(change["revision"]), clean(change["at"]), in_line(change["who"]))
        restores = change["restores"]
        parts = difference_lines(change["differences"]) or ["nothing"]
        if restores is not None:
            parts[-1] += f"   (restores revision {restores})"
        for part in parts:
            rows.append((*about, part))
            about = ("", "", "")
    return table(("REVISION", "AT", "WHO", "WHAT"), rows)
