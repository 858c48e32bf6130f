"""`gateway apis`: what callers can ask for, and who answers it on each stage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from gateway.cli.options import reads
from gateway.cli.picture import Json, clean, table
from gateway.core import names

if TYPE_CHECKING:
    from gateway.cli.talk import Talk


@click.command("apis", short_help="List the APIs and who answers them.")
@reads
def command(talk: Talk) -> None:
    """List the APIs with their back end and, for each stage, the alias that is used there.

    A function API that was not released to a stage has '-' there; an API without a function has
    'yes' where it was released.

    \b
    Examples:
      gateway apis
      gateway apis --json
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    talk.show(talk.read("/api/apis"), _words)


def _words(found: Json) -> str:
    rows = [
        (
            api["method"],
            clean(api["path"]),
            _backend(api),
            *(_on(api["stages"], stage) for stage in names.STAGES),
        )
        for api in found["apis"]
    ]
    return table(("METHOD", "PATH", "BACK END", *map(str.upper, names.STAGES)), rows)


def _backend(api: Json) -> str:
    if api.get("function"):
        return str(api["function"])
    return clean(api["http"]["url"]) if api.get("http") else "mock"


def _on(stages: Mapping[str, str | None], stage: str) -> str:
    return (stages[stage] or "yes") if stage in stages else "-"
