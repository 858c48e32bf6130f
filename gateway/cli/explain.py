"""`gateway explain`: a dry run of one request, told step by step."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.cli.exits import Exit
from gateway.cli.failures import fail, load_or_fail
from gateway.cli.options import config_option
from gateway.cli.picture import columns, percent

if TYPE_CHECKING:
    from gateway.core.explain import Explanation


@click.command("explain", short_help="Tell which version would answer a request, and why.")
@click.argument("method")
@click.argument("path")
@click.option("--stage", required=True, help="dev, prepub or release.")
@click.option("-H", "--header", "headers", multiple=True, metavar="'NAME: VALUE'", help="A header.")
@click.option("-d", "--data", default="", help="The body.")
@click.option("--draw", type=click.FloatRange(0, 1, max_open=True), help="Use this draw.")
@click.option("--seed", type=int, help="Draw from dice with this seed.")
@config_option
@click.option("--json", "as_json", is_flag=True, help="Write the explanation as JSON.")
def command(  # noqa: PLR0913 - one parameter for each option
    *,
    method: str,
    path: str,
    stage: str,
    headers: tuple[str, ...],
    data: str,
    draw: float | None,
    seed: int | None,
    config: Path,
    as_json: bool,
) -> None:
    """Tell which version would answer METHOD PATH, and why. Nothing is invoked.

    PATH is the path without the stage and may have a query. A weighted choice is drawn anew each
    time unless --draw or --seed settles it.

    \b
    Examples:
      gateway explain --stage prepub -H 'User: Bob' GET /orders/42
      gateway explain --stage release --draw 0.05 GET /orders/42 --json
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    from gateway.app import explain_request
    from gateway.core.errors import RoutingError
    from gateway.dice import Dice, Fixed

    if not path.startswith("/"):
        message = f"{path!r} is no path; did you mean {'/' + path!r}?"
        raise click.BadParameter(message, param_hint="PATH")
    declaration = load_or_fail(config)
    pairs = [_header(text) for text in headers]
    dice = Dice(seed) if draw is None else Fixed(draw)
    try:
        told = explain_request(declaration, dice, stage, (method.upper(), path, pairs, data))
    except RoutingError as error:
        fail(error.code, str(error), Exit.NOT_FOUND)
    click.echo(json.dumps(told.to_dict(), indent=2) if as_json else _table(told))


def _header(text: str) -> tuple[str, str]:
    name, separator, value = text.partition(":")
    if not separator or not name.strip():
        message = f"{text!r} is no header; for example: -H 'User: Bob'"
        raise click.BadParameter(message, param_hint="--header")
    return name.strip(), value.strip()


def _table(told: Explanation) -> str:
    rows = [
        ("stage", f"{told.stage} (revision {told.revision})"),
        ("api", f"{told.method} {told.path}"),
    ]
    rows += [("parameter", f"{name} = {value}") for name, value in told.parameters.items()]
    if told.function is None:
        rows.append(("answered by", f"{told.backend} back end"))
        return columns(rows)
    rows.append(("function", f"{told.function}@{told.qualifier}"))
    for rule in told.rules:
        seen = "" if rule.value is None else f" (it is {rule.value!r})"
        rows.append((f"rule {rule.number}", f"{rule.when} -> {rule.version}: {rule.outcome}{seen}"))
    rows += _weights(told)
    rows.append(("version", click.style(f"{told.version} ({told.reason})", bold=True)))
    return columns(rows)


def _weights(told: Explanation) -> list[tuple[str, str]]:
    settled = told.reason is not None and not told.reason.startswith("rule")
    rows = []
    for bucket in told.buckets:
        mark = " <- draw" if settled and bucket.version == told.version else ""
        span = f"[{bucket.low:.6g}, {bucket.high:.6g})"
        rows.append(("weight", f"{bucket.version}: {percent(bucket.share)}, draws {span}{mark}"))
    if told.draw is not None:
        source = "sticky key " + repr(told.sticky_key) if told.reason == "sticky" else told.split
        rows.append(("draw", f"{told.draw:.6g} ({source})"))
    return rows
