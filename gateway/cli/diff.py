"""`gateway diff`: what `apply` would change, and what it would leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gateway.cli.changed import difference_words
from gateway.cli.options import reads
from gateway.cli.picture import Json
from gateway.cli.talk import note
from gateway.cli.threeway import kept_words

if TYPE_CHECKING:
    from gateway.cli.talk import Talk


@click.command("diff", short_help="Compare stages.toml with what is live.")
@reads
def command(talk: Talk) -> None:
    """Compare the file that the gateway was started with to what is live.

    What 'gateway apply' would change goes to standard output; live changes that would survive it
    are said on standard error. Exit code 0 in both cases.

    \b
    Examples:
      gateway diff
      gateway diff --json
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    answer = talk.read("/api/diff")
    for line in kept_words(answer.body["kept"]):
        note(line)
    if talk.as_json or answer.body["differences"]:
        talk.show(answer, _words)
    else:
        note(f"nothing to apply at revision {answer.revision}")


def _words(found: Json) -> str:
    return difference_words(found["differences"])
