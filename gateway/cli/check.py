"""`gateway check`: everything that `serve` would refuse, without serving."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from gateway.cli.exits import Exit
from gateway.cli.failures import broken_words
from gateway.cli.picture import routing_picture
from gateway.cli.starting import starting
from gateway.cli.state import state_file, state_option

if TYPE_CHECKING:
    from gateway.core.snapshot import Snapshot


@click.command("check", short_help="Check stages.toml and the code it names.")
@click.argument("file", type=click.Path(path_type=Path), default=Path("stages.toml"))
@state_option
@click.option("--json", "as_json", is_flag=True, help="Write the findings as JSON.")
def command(file: Path, *, state: str | None, as_json: bool) -> None:
    """Check FILE (stages.toml) and load every version it names.

    Starts from what the state file remembers, as `serve` would, and alters nothing. Reports all
    mistakes at once, with file, line and column. Exit code 0 when there are none, 4 otherwise.

    \b
    Examples:
      gateway check
      gateway check shop/stages.toml --json
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    from gateway.config import ConfigurationInvalid, render
    from gateway.runtime import BrokenVersions

    findings: list[dict[str, object]] = []
    warnings: tuple[str, ...] = ()
    words = picture = ""
    remembered = state_file(state, file)
    with starting(), TemporaryDirectory(prefix="gateway-check-") as folder:
        try:
            snapshot, warnings = asyncio.run(_built(file, _copied(remembered, Path(folder))))
        except ConfigurationInvalid as invalid:
            findings = [finding.to_dict() for finding in invalid.diagnostics]
            words = render(invalid.diagnostics)
        except BrokenVersions as broken:
            findings = [error.to_dict() for error in broken.errors]
            words = broken_words(broken)
        else:
            picture = routing_picture(snapshot)
    for warning in warnings:
        click.echo(warning, err=True)
    if as_json:
        report = {"ok": not findings, "errors": findings, "warnings": list(warnings)}
        click.echo(json.dumps(report, indent=2, ensure_ascii=False))
    elif findings:
        click.echo(words, err=True)
    else:
        click.echo(picture)
    raise click.exceptions.Exit(Exit.INVALID if findings else Exit.OK)


def _copied(state: Path | None, folder: Path) -> Path | None:
    """A copy of the remembered state to try the file on; `None` where there is nothing yet."""
    from gateway.store.copying import copy_state

    if state is None or not state.exists():
        return None
    copy_state(state, folder / "state.db")
    return folder / "state.db"


async def _built(file: Path, state: Path | None) -> tuple[Snapshot, tuple[str, ...]]:
    """What would be served."""
    from gateway.app import Gateway, Setup

    gateway = await Gateway.open(Setup(file=file, state=state))
    try:
        return gateway.live.snapshot, gateway.warnings
    finally:
        await gateway.close()
