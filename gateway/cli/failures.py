"""How commands end when something is wrong: sentences on standard error and the right exit code."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING, NoReturn

import click

from gateway.cli.exits import Exit

if TYPE_CHECKING:
    from gateway.config import Declaration
    from gateway.core.errors import Problem
    from gateway.runtime import BrokenVersions


def fail(code: str, message: str, status: Exit, hint: str = "") -> NoReturn:
    """End the command with one sentence."""
    click.echo(f"{mark(code)}: {message}", err=True)
    if hint:
        click.echo(f"  = hint: {hint}", err=True)
    raise click.exceptions.Exit(status)


def fail_all(problems: Iterable[Problem], status: Exit, what: str) -> NoReturn:
    """End the command with every mistake found in something."""
    for problem in problems:
        click.echo(f"{mark(problem.code)}: {what}: {problem.message}", err=True)
        if problem.hint:
            click.echo(f"  = hint: {problem.hint}", err=True)
    raise click.exceptions.Exit(status)


def mark(code: str) -> str:
    """How every sentence about a mistake begins."""
    return click.style(f"error[{code}]", fg="red", bold=True)


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
        stack = f"\n{indent(error.stack.rstrip(), '  ')}" if error.stack else ""
        parts.append(f"{mark(error.code)}: {error}{stack}")
    return "\n".join(parts)
