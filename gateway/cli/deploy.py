"""`gateway deploy`: the cloud's `deploy --inputs.traffic`, which shifts $DEFAULT to $LATEST.

What is read and what is written are one revision: if anybody else changes something in between,
nothing is written over.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import click

from gateway.cli.exits import Exit
from gateway.cli.failures import fail
from gateway.cli.options import function_argument, writes
from gateway.cli.picture import Json
from gateway.cli.remote import Answer, path_of
from gateway.cli.routing import routing_of, share_of
from gateway.core import names

if TYPE_CHECKING:
    from gateway.cli.talk import Talk


@click.command("deploy", short_help="Publish, and share traffic with $LATEST.")
@function_argument
@click.option("--publish", "--inputs.publish", "publish", is_flag=True, help="Publish first.")
@click.option(
    "--traffic", "--inputs.traffic", "traffic", metavar="SHARE", help="The share of $LATEST."
)
@writes
def command(talk: Talk, *, function: str, publish: bool, traffic: str | None) -> None:
    """Give $LATEST a share of the traffic of $DEFAULT, and the rest to the last version.

    Rules, the split and the description of $DEFAULT stay as they are.

    \b
    Examples:
      gateway deploy orders --publish --traffic 0
      gateway deploy orders --traffic 0.1
      gateway deploy orders --inputs.traffic=1.0
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    if traffic is None and not publish:
        raise click.UsageError("nothing to do; say --traffic SHARE, --publish, or both")
    share = None if traffic is None else share_of(traffic, "--traffic")
    found = talk.read(path_of("functions", function))
    last = _last(found.body)
    if last is None and not publish:
        message = f"function {function!r} has no published version to share traffic with"
        fail("no-published-version", message, Exit.CONFLICT, "add --publish")
    if talk.if_match is None:
        talk.if_match = found.revision
    steps = []
    if publish:
        steps.append(_step(talk, "POST", path_of("functions", function, "versions"), {}))
        last, talk.if_match = str(steps[0].body["version"]), steps[0].revision
    if share is not None:
        body = _routing(found.body["aliases"][names.DEFAULT], str(last), share)
        path = path_of("functions", function, "aliases", names.DEFAULT)
        steps.append(_step(talk, "PUT", path, body))
    if talk.as_json:
        talk.show(_together(steps), str)


def _step(talk: Talk, method: str, path: str, body: dict[str, object]) -> Answer:
    """One change, told at once: what was done stays told even if the next one fails."""
    answer = talk.write(method, path, body)
    if not talk.as_json:
        talk.tell(answer)
    return answer


def _last(function: Json) -> str | None:
    """The newest published version."""
    published = [v["version"] for v in function["versions"] if v["version"] != names.LATEST]
    return max(published, key=int, default=None)


def _routing(alias: Json, last: str, share: Decimal) -> dict[str, object]:
    raw = {**alias, "version": names.LATEST, "weights": {last: 1 - share}}
    return routing_of(raw, names.DEFAULT)


def _together(steps: list[Answer]) -> Answer:
    """Both answers as one, as if the two had been one change."""
    newest = steps[-1]
    body = {
        **newest.body,
        **{key: value for key, value in steps[0].body.items() if key == "version"},
        "changed": any(step.body["changed"] for step in steps),
        "differences": [part for step in steps for part in step.body["differences"]],
    }
    return Answer(body, newest.revision)
