"""`gateway check`: everything that `serve` would refuse, without serving."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from gateway.cli.exits import Exit
from gateway.cli.failures import broken_words
from gateway.cli.picture import json_text, routing_picture
from gateway.cli.starting import starting
from gateway.cli.state import state_file, state_option

if TYPE_CHECKING:
    from gateway.cli.routes import Report
    from gateway.core.snapshot import Snapshot


@click.command("check", short_help="Check stages.toml and the code it names.")
@click.argument("file", type=click.Path(path_type=Path), default=Path("stages.toml"))
@state_option
@click.option(
    "--routes", type=click.Path(path_type=Path), help="Run the routing tests of this file, too."
)
@click.option("--json", "as_json", is_flag=True, help="Write the findings as JSON.")
def command(file: Path, *, state: str | None, routes: Path | None, as_json: bool) -> None:
    """Check FILE (stages.toml) and load every version it names.

    Starts from what the state file remembers, as `serve` would, and alters nothing. Reports all
    mistakes at once, with file, line and column. Exit code 0 when there are none, 4 otherwise; with
    --routes 10 when a routing test fails, and 12 when one is undecided.

    \b
    Examples:
      gateway check
      gateway check shop/stages.toml --json
      gateway check --routes routes.toml
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    checked = _checked(file, state_file(state, file), routes)
    for warning in checked.warnings:
        click.echo(warning, err=True)
    if as_json:
        click.echo(json_text(checked.to_dict()))
    else:
        checked.tell()
    raise click.exceptions.Exit(checked.exit)


@dataclass(slots=True)
class _Checked:
    """What was found.

    Attributes:
        errors: Every mistake, as JSON.
        words: Every mistake, in words.
        warnings: What is allowed and yet hardly meant.
        picture: Where every stage leads.
        report: What became of the routing tests.
    """

    errors: list[dict[str, object]] = field(default_factory=list)
    words: str = ""
    warnings: tuple[str, ...] = ()
    picture: str = ""
    report: Report | None = None

    @property
    def exit(self) -> Exit:
        if self.errors:
            return Exit.INVALID
        return self.report.exit if self.report else Exit.OK

    def to_dict(self) -> dict[str, object]:
        told = {
            "ok": self.exit is Exit.OK,
            "errors": self.errors,
            "warnings": list(self.warnings),
        }
        return told | ({"routes": self.report.to_dict()} if self.report else {})

    def tell(self) -> None:
        """Write what was found: what is wrong on standard error, the rest on standard output."""
        if self.errors:
            click.echo(self.words, err=True)
            return
        click.echo(self.picture)
        if self.report is not None:
            from gateway.cli.routes import words
            from gateway.config import render

            if self.report.findings:
                click.echo(render(self.report.findings), err=True)
            click.echo(f"\n{words(self.report)}")


def _checked(file: Path, remembered: Path | None, routes: Path | None) -> _Checked:
    from gateway.config import ConfigurationInvalid, render
    from gateway.runtime import BrokenVersions

    found = _Checked()
    with starting(), TemporaryDirectory(prefix="gateway-check-") as folder:
        try:
            copy = _copied(remembered, Path(folder))
            snapshot, found.warnings = asyncio.run(_built(file, copy))
            found.picture = routing_picture(snapshot)
            if routes is not None:
                from gateway.cli.routes import run_routes

                found.report = run_routes(file, routes, snapshot)
        except ConfigurationInvalid as invalid:
            found.errors = [finding.to_dict() for finding in invalid.diagnostics]
            found.words = render(invalid.diagnostics)
        except BrokenVersions as broken:
            found.errors = [error.to_dict() for error in broken.errors]
            found.words = broken_words(broken)
    return found


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
