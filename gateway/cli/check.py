"""`gateway check`: everything that `serve` would refuse, without serving."""

from __future__ import annotations

import json
from pathlib import Path

import click

from gateway.cli.exits import Exit
from gateway.cli.failures import broken_words, warn
from gateway.cli.picture import routing_picture


@click.command("check", short_help="Check stages.toml and the code it names.")
@click.argument("file", type=click.Path(path_type=Path), default=Path("stages.toml"))
@click.option("--json", "as_json", is_flag=True, help="Write the findings as JSON.")
def command(file: Path, *, as_json: bool) -> None:
    """Check FILE (stages.toml) and load every version it names.

    Reports all mistakes at once, with file, line and column. Exit code 0 when there are none,
    4 otherwise.

    \b
    Examples:
      gateway check
      gateway check shop/stages.toml --json
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    from gateway.app import BrokenVersions, Gateway
    from gateway.config import ConfigurationInvalid, load, render

    try:
        declaration = load(file)
        warn(declaration)
        gateway = Gateway(declaration)
    except ConfigurationInvalid as invalid:
        findings = [finding.to_dict() for finding in invalid.diagnostics]
        words = render(invalid.diagnostics)
    except BrokenVersions as broken:
        findings = [error.to_dict() for error in broken.errors]
        words = broken_words(broken)
    else:
        gateway.runtime.close()
        findings, words = [], ""
    if as_json:
        report = {"ok": not findings, "errors": findings}
        click.echo(json.dumps(report, indent=2, ensure_ascii=False))
    elif findings:
        click.echo(words, err=True)
    else:
        click.echo(routing_picture(gateway.live.snapshot))
    raise click.exceptions.Exit(Exit.INVALID if findings else Exit.OK)
