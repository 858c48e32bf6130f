"""`gateway whatif`: what recorded requests would get under another alias, without sending any."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from gateway.cli.exits import Exit
from gateway.cli.failures import fail, fail_all
from gateway.cli.named import FUNCTION
from gateway.cli.options import Option, config_option, control_url_option
from gateway.cli.picture import clean, json_text
from gateway.cli.traffic_options import rewriting_options
from gateway.cli.whatif_words import told, words

if TYPE_CHECKING:
    from gateway.core.entries import Target
    from gateway.core.snapshot import Snapshot
    from gateway.traffic.recording import Recorded
    from gateway.traffic.rewriting import Rewriting
    from gateway.traffic.whatif import Comparison, Question

STREAM: Final = "-"


@click.command("whatif", short_help="Tell what recorded requests would get under another alias.")
@click.argument(
    "recording", metavar="FILE", type=click.Path(exists=True, dir_okay=False, allow_dash=True)
)
@click.option("--stage", required=True, help="The stage that the requests are for.")
@click.option(
    "--alias",
    "route",
    metavar="ROUTING",
    help="Where its alias would lead; without it, where it leads is compared with the recording.",
)
@click.option("--function", type=FUNCTION, help="Whose alias, where the stage has several.")
@config_option
@click.option(
    "--state",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Ask what a gateway remembers in this file, in place of stages.toml.",
)
@click.option("--live", is_flag=True, help="Ask the running gateway in place of the file.")
@rewriting_options
@control_url_option
@click.option("--json", "as_json", is_flag=True, help="Write the comparison as JSON.")
@click.pass_context
def command(
    ctx: click.Context, /, *, recording: str, rewriting: Rewriting, as_json: bool, **given: Option
) -> None:
    """Tell what the requests of FILE, a recording, would get under another alias. None is sent.

    ROUTING is version=1,weights=2:0.2,rules=RULE -> VERSION,split=sticky,sticky_by=KEY; several
    weights or rules are separated by semicolons. JSON as the API has it will do, and @FILE.

    \b
    Examples:
      gateway whatif shop.jsonl --stage release --alias version=1,weights=2:0.2
      gateway whatif shop.jsonl --stage prepub \\
          --alias 'version=3,rules=invoke.headers.User exact Bob -> 4'
      gateway whatif shop.jsonl --stage release --live
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    from gateway.cli.whatif_state import chosen
    from gateway.traffic.whatif import Question

    if recording == STREAM and rewriting.loop > 1:
        raise click.UsageError("standard input cannot be read more than once; --loop needs a file")
    now = chosen(ctx, given)
    target = _target(now, given["stage"], given["function"])
    then = now if given["route"] is None else _other(now, target, given["route"])
    question = Question(now, then, target, given["stage"])
    comparison = _compared(recording, rewriting, question)
    click.echo(json_text(told(comparison)) if as_json else words(told(comparison)))


def _target(snapshot: Snapshot, stage: str, function: str | None) -> Target:
    """The function and the alias that a stage uses, or the end of the command."""
    from gateway.core.errors import StageNotFound, listed, nearest

    service = snapshot.default_service
    try:
        targets = sorted(service.stage(stage).targets()) if service else []
    except StageNotFound as error:
        hint = nearest(stage, error.known)
        fail(error.code, str(error), Exit.NOT_FOUND, hint)
    known = [
        target
        for target in targets
        if target.qualifier in snapshot.functions[target.function].aliases
        and function in {None, target.function}
    ]
    if len(known) == 1:
        return known[0]
    names = listed(f"{target.function}@{target.qualifier}" for target in known or targets)
    if not known:
        whose = f"an alias of function {function!r}" if function else "an alias"
        message = f"stage {stage!r} does not use {whose}; it uses {names}"
        fail("no-alias", message, Exit.NOT_FOUND)
    raise click.UsageError(f"stage {stage!r} uses several aliases: {names}; name one by --function")


def _other(snapshot: Snapshot, target: Target, text: str) -> Snapshot:
    """The state with another alias, or the end of the command."""
    from gateway.cli.whatif_alias import route_of
    from gateway.core.apply import apply
    from gateway.core.changes import PutAlias
    from gateway.core.errors import Refused

    route = route_of(text, target.qualifier)
    try:
        return apply(snapshot, PutAlias(target.function, target.qualifier, route))
    except Refused as refused:
        fail_all(refused.problems, Exit.INVALID, "--alias")


def _compared(recording: str, rewriting: Rewriting, question: Question) -> Comparison:
    from gateway.cli.whatif_state import looker
    from gateway.traffic.failures import TrafficError
    from gateway.traffic.opening import open_lines
    from gateway.traffic.recording import read
    from gateway.traffic.whatif import Comparison

    def play() -> Iterator[Recorded]:
        with open_lines(recording) as lines:
            yield from read(lines, recording)

    try:
        with closing(rewriting.over(play)) as requests:
            look = looker(question.now, question.stage)
            return Comparison(question, look).over(requests)
    except TrafficError as error:
        fail(error.code, clean(str(error)), Exit.INVALID, error.hint)
