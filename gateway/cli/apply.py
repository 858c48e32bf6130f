"""`gateway apply`: bring the live state to what stages.toml declares."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.cli.changed import change_words
from gateway.cli.options import writes
from gateway.cli.talk import note
from gateway.cli.threeway import kept_words

if TYPE_CHECKING:
    from gateway.cli.talk import Talk


@click.command("apply", short_help="Apply stages.toml to the running gateway.")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--dry-run", is_flag=True, help="Only tell what would change.")
@writes
def command(talk: Talk, *, file: Path | None, dry_run: bool) -> None:
    """Apply FILE to the running gateway; without FILE, the one it was started with.

    What the file changed since it was last applied wins; what was changed live survives, and is
    told on standard error.

    \b
    Examples:
      gateway apply
      gateway apply stages.toml --dry-run
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    body: dict[str, object] = {"dry_run": dry_run}
    if file is not None:
        body["file"] = str(file.absolute())
    answer = talk.write("POST", "/api/apply", body)
    for warning in answer.body["warnings"]:
        note(warning)
    for line in kept_words(answer.body["kept"]):
        note(line)
    if dry_run:
        note("dry run: nothing was changed")
    talk.show(answer, change_words)
