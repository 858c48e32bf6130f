"""`gateway alias`: move a name for versions, read it, delete it, and see where it has been."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gateway.cli.named import VERSION
from gateway.cli.options import REVISION, Option, alias_argument, function_argument, reads, writes
from gateway.cli.picture import Json, alias_words, clean, in_line, table
from gateway.cli.remote import path_of
from gateway.cli.routing import check_sticky, routing_of, rule_of, weights_of

if TYPE_CHECKING:
    from gateway.cli.talk import Talk


@click.group("alias", short_help="Move an alias; read it, delete it, see its history.")
def command() -> None:
    """Move an alias of a function, read it, delete it, or see where it has been.

    \b
    Examples:
      gateway alias set orders release --version 1 --weight 2=0.1
      gateway alias get orders release
      gateway alias history orders release
      gateway alias delete orders preview
    """  # noqa: D301 - \b is click's mark for lines that stay as they are


@command.command("set", short_help="Say where an alias leads, all of it.")
@function_argument
@alias_argument
@click.option("--version", "version", type=VERSION, required=True, help="The main version.")
@click.option(
    "--weight", "weights", multiple=True, metavar="VERSION=SHARE", help="An additional version."
)
@click.option("--rule", "rules", multiple=True, metavar="'RULE -> VERSION'", help="A rule.")
@click.option(
    "--split",
    type=click.Choice(["random", "even", "sticky"]),
    default="random",
    show_default=True,
    help="How the weighted choice draws.",
)
@click.option("--sticky-by", metavar="KEY", help="Where a sticky split finds its key.")
@click.option("--description", default="", help="Your words about it.")
@writes
def set_(talk: Talk, *, function: str, alias: str, **given: Option) -> None:
    """Say where ALIAS of FUNCTION leads. What is not named is cleared.

    Rules are tried in the order given; then weights; what these leave over goes to the main
    version. A weight is a share: 10 % is 0.1.

    \b
    Examples:
      gateway alias set orders release --version 1
      gateway alias set orders release --version 1 --weight 2=0.1 --if-match 7
      gateway alias set orders prepub --version 3 --rule 'invoke.headers.User exact Bob -> 4'
      gateway alias set orders release --version 1 --weight 2=0.5 \\
          --split sticky --sticky-by invoke.headers.User
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    raw = {
        **given,
        "weights": weights_of(given["weights"]),
        "rules": [rule_of(text) for text in given["rules"]],
    }
    check_sticky(given["split"], given["sticky_by"])
    body = routing_of(raw, alias)
    talk.tell(talk.write("PUT", _path(function, alias), body))


@command.command("get", short_help="Tell where an alias leads.")
@function_argument
@alias_argument
@reads
def get(talk: Talk, *, function: str, alias: str) -> None:
    """Tell where ALIAS of FUNCTION leads.

    \b
    Examples:
      gateway alias get orders release
      gateway alias get orders '$DEFAULT' --json
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    answer = talk.read(_path(function, alias))

    def words(found: Json) -> str:
        lines = [f"{function}/{alias}  {alias_words(found)}   revision {answer.revision}"]
        if found["sticky_by"]:
            lines.append(f"sticky by {clean(found['sticky_by'])}")
        return "\n".join([*lines, *filter(None, [clean(found["description"])])])

    talk.show(answer, words)


@command.command("delete", short_help="Delete an alias that no stage uses.")
@function_argument
@alias_argument
@writes
def delete(talk: Talk, *, function: str, alias: str) -> None:
    """Delete ALIAS of FUNCTION. One that a stage uses, and $DEFAULT, stay.

    \b
    Examples:
      gateway alias delete orders preview
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    talk.tell(talk.write("DELETE", _path(function, alias)))


@command.command("history", short_help="Show where an alias has been, newest first.")
@function_argument
@alias_argument
@click.option("--limit", type=click.IntRange(1, 1000), help="At most so many moves.")
@click.option("--before", type=REVISION, metavar="REVISION", help="Only moves before it.")
@reads
def history(
    talk: Talk, *, function: str, alias: str, limit: int | None, before: int | None
) -> None:
    """Show where ALIAS of FUNCTION has been, newest first.

    \b
    Examples:
      gateway alias history orders release
      gateway alias history orders release --limit 5 --json
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    path = path_of("functions", function, "aliases", alias, "history")
    talk.show(talk.read(path, limit=limit, before=before), _moves)


def _path(function: str, alias: str) -> str:
    return path_of("functions", function, "aliases", alias)


def _moves(found: Json) -> str:
    rows = []
    for move in found["moves"]:
        leads = alias_words(move["after"]) if move["after"] else "deleted"
        if move["restores"] is not None:
            leads += f"   (restores revision {move['restores']})"
        rows.append((str(move["revision"]), in_line(move["at"]), in_line(move["who"]), leads))
    return table(("REVISION", "AT", "WHO", "LEADS TO"), rows)
