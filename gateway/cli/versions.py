"""`gateway versions`: the published versions of a function, and $LATEST."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from gateway.cli.options import function_argument, reads
from gateway.cli.picture import Json, clean, in_line, table
from gateway.cli.remote import path_of

if TYPE_CHECKING:
    from gateway.cli.talk import Talk

_DIGEST: Final = 12
"""Hexadecimal digits of a digest that tell one package from another."""


@click.command("versions", short_help="List the versions of a function.")
@function_argument
@reads
def command(talk: Talk, *, function: str) -> None:
    """List the versions of FUNCTION; $LATEST, the editable one, comes last.

    \b
    Examples:
      gateway versions orders
      gateway versions orders --json
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    talk.show(talk.read(path_of("functions", function, "versions")), _words)


def _words(found: Json) -> str:
    rows = []
    for version in found["versions"]:
        runs = (version["handler"], f"{version['timeout']:g} s", f"{version['memory']} MB")
        about = (_code(version["code"]), in_line(version["description"]))
        rows.append((version["version"], *map(clean, runs), *about))
    return table(("VERSION", "HANDLER", "TIMEOUT", "MEMORY", "CODE", "DESCRIPTION"), rows)


def _code(code: str) -> str:
    """A folder as it is; the digest of a package as short as it stays telling."""
    kind, separator, digest = code.partition(":")
    return digest[:_DIGEST] if separator and kind == "sha256" else clean(code)
