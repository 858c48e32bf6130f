"""`gateway code`: fetch the code of a version, or give $LATEST other code."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.cli.exits import Exit
from gateway.cli.failures import fail
from gateway.cli.folders import (
    beside,
    package_in,
    packed,
    refuse_full,
    replace,
    write_package,
)
from gateway.cli.named import VERSION
from gateway.cli.options import function_argument, reads, writes
from gateway.cli.picture import json_text
from gateway.cli.remote import Upload, path_of
from gateway.cli.talk import note

if TYPE_CHECKING:
    from gateway.cli.talk import Talk


@click.group("code", short_help="Fetch code, or give $LATEST other code.")
def command() -> None:
    """Fetch the code of a version, or give $LATEST other code.

    \b
    Examples:
      gateway code get orders --version 2 -o v2.zip
      gateway code put orders functions/orders/latest
    """  # noqa: D301 - \b is click's mark for lines that stay as they are


@command.command("get", short_help="Fetch the code of a version.")
@function_argument
@click.option(
    "--version",
    "version",
    type=VERSION,
    default="$LATEST",
    show_default=True,
    help="Which version.",
)
@click.option(
    "-o",
    "--output",
    metavar="FILE.zip|DIR|-",
    help="A zip file, a folder, or standard output.  [default: FUNCTION-VERSION.zip]",
)
@click.option("--force", is_flag=True, help="Replace what is there.")
@reads
def get(talk: Talk, *, function: str, version: str, output: str | None, force: bool) -> None:
    """Fetch the code of a version of FUNCTION, as a zip or into a folder.

    \b
    Examples:
      gateway code get orders
      gateway code get orders --version 2 -o v2.zip
      gateway code get orders --version 2 -o functions/orders/v2
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    target = output or f"{function}-{version.strip('$').lower()}.zip"
    if target != "-":
        _check(Path(target), force=force)
    data = talk.read(path_of("functions", function, "code"), version=version).data
    package = package_in(data)
    if target == "-":
        sys.stdout.buffer.write(data)
        return
    _write(Path(target), data)
    count = f"{len(package.files)} {'file' if len(package.files) == 1 else 'files'}"
    note(f"{function} version {version}: {count} to {target}")
    if talk.as_json:
        told = {"function": function, "version": version, "digest": package.digest}
        click.echo(json_text({**told, "output": target, "files": list(package.files)}))


@command.command("put", short_help="Give $LATEST other code.")
@function_argument
@click.argument("path", type=click.Path(path_type=Path, exists=True))
@click.option("--handler", metavar="FILE.FUNCTION", help="What is called, for a new function.")
@writes
def put(talk: Talk, *, function: str, path: Path, handler: str | None) -> None:
    """Give $LATEST of FUNCTION the code in PATH, a folder or a zip file.

    A function that is not there yet is created. Code that does not load is refused, and the old
    code stays. __pycache__, *.pyc, .git and .DS_Store of a folder stay at home.

    \b
    Examples:
      gateway code put orders functions/orders/latest
      gateway code put payments payments.zip --handler index.main_handler
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    upload = Upload(packed(path), "application/zip")
    talk.tell(talk.write("PUT", path_of("functions", function, "code"), upload, handler=handler))


def _is_zip(target: Path) -> bool:
    return target.suffix.lower() == ".zip"


def _check(target: Path, *, force: bool) -> None:
    """Before anything is fetched: may it be written there."""
    if not _is_zip(target):
        refuse_full(target, force=force)
    elif target.exists() and not force:
        message = f"the file {str(target)!r} is there already"
        fail("already-there", message, Exit.CONFLICT, "replace it with --force")


def _write(target: Path, data: bytes) -> None:
    with beside(target) as temporary:
        made = temporary / target.name
        if _is_zip(target):
            made.write_bytes(data)
        else:
            write_package(package_in(data), made)
        replace(made, target)
