"""How commands end when something is wrong: sentences on standard error and the right exit code."""

from __future__ import annotations

from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING, NoReturn

import click

from gateway.cli.exits import Exit

if TYPE_CHECKING:
    from gateway.app import BrokenVersions
    from gateway.config import Declaration


def fail(code: str, message: str, status: Exit, hint: str = "") -> NoReturn:
    """End the command with one sentence."""
    error = click.style(f"error[{code}]", fg="red", bold=True)
    click.echo(f"{error}: {message}", err=True)
    if hint:
        click.echo(f"  = hint: {hint}", err=True)
    raise click.exceptions.Exit(status)


def load_or_fail(path: Path) -> Declaration:
    """Read stages.toml, or end the command with every mistake in it."""
    from gateway.config import ConfigurationInvalid, load, render

    try:
        declaration = load(path)
    except ConfigurationInvalid as invalid:
        click.echo(render(invalid.diagnostics), err=True)
        raise click.exceptions.Exit(Exit.INVALID) from None
    warn(declaration)
    return declaration


def warn(declaration: Declaration) -> None:
    """Say what is allowed and yet hardly meant."""
    for warning in declaration.warnings:
        click.echo(warning, err=True)


def broken_words(broken: BrokenVersions) -> str:
    """Which versions do not load, and where their code fails."""
    parts = []
    for error in broken.errors:
        mark = click.style(f"error[{error.code}]", fg="red", bold=True)
        stack = f"\n{indent(error.stack.rstrip(), '  ')}" if error.stack else ""
        parts.append(f"{mark}: {error}{stack}")
    return "\n".join(parts)
