"""`gateway init`: a folder that can be served at once; nothing that is there is written over."""

from __future__ import annotations

import shlex
from importlib.resources import as_file, files
from pathlib import Path
from typing import Final

import click

from gateway.cli.exits import Exit
from gateway.cli.failures import fail

TEMPLATES: Final = ("minimal", "grayscale")
"""Names of the folders in `templates`."""

_TRY: Final = {
    "minimal": ("curl http://127.0.0.1:8080/dev/hello/Bob",),
    "grayscale": (
        "curl -i -H 'User: Bob' http://127.0.0.1:8080/prepub/orders/42",
        "gateway alias set orders release --version 1 --weight 2=0.5",
        "gateway rollback orders release",
    ),
}


@click.command("init", short_help="Make a folder that can be served.")
@click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path), default=Path())
@click.option(
    "--template",
    type=click.Choice(TEMPLATES),
    default="minimal",
    show_default=True,
    help="What to begin with.",
)
def command(folder: Path, template: str) -> None:
    """Write a stages.toml and its functions into DIR, the current folder by default.

    'minimal' is one function on three stages; 'grayscale' has four versions, a rule and a weight.
    Files that are there already are never written over.

    \b
    Examples:
      gateway init
      gateway init shop --template grayscale
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    with as_file(files("gateway.cli") / "templates" / template) as source:
        texts = {path.relative_to(source): path.read_bytes() for path in _files(source)}
    there = [str(folder / name) for name in texts if (folder / name).exists()]
    if there:
        first, more = there[0], len(there) - 1
        what = f"{first!r} and {more} more are" if more else f"{first!r} is"
        message = f"{what} there already; nothing was written"
        fail("already-there", message, Exit.CONFLICT, "choose another folder: gateway init shop")
    try:
        for name, content in texts.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
            click.echo(folder / name)
    except OSError as error:
        message = f"cannot write {error.filename!r}: {error.strerror}"
        fail("cannot-write", message, Exit.CANNOT_START)
    _next(folder, template)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix in {".toml", ".py"})


def _next(folder: Path, template: str) -> None:
    enter = [] if folder == Path() else [f"cd {shlex.quote(str(folder))}"]
    click.echo("next:", err=True)
    for line in (*enter, "gateway check", "gateway serve", *_TRY[template]):
        click.echo(f"  {line}", err=True)
