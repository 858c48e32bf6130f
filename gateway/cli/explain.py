"""`gateway explain`: a dry run of one request, told step by step.

From the file it needs no gateway; with --live the gateway itself is asked, as it is now.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import click

from gateway.cli.exits import Exit
from gateway.cli.failures import fail, load_or_fail
from gateway.cli.options import Option, config_option, control_url_option
from gateway.cli.picture import clean, columns, fault_words, percent
from gateway.cli.remote import Remote
from gateway.core.errors import RoutingError


@click.command("explain", short_help="Tell which version would answer a request, and why.")
@click.argument("method")
@click.argument("path")
@click.option("--stage", required=True, help="dev, prepub or release.")
@click.option("-H", "--header", "headers", multiple=True, metavar="'NAME: VALUE'", help="A header.")
@click.option("-d", "--data", default="", help="The body.")
@click.option("--draw", type=click.FloatRange(0, 1, max_open=True), help="Use this draw.")
@click.option("--seed", type=int, help="Draw from dice with this seed.")
@config_option
@click.option("--live", is_flag=True, help="Ask the running gateway in place of the file.")
@control_url_option
@click.option("--json", "as_json", is_flag=True, help="Write the explanation as JSON.")
@click.pass_context
def command(ctx: click.Context, /, *, path: str, as_json: bool, **given: Option) -> None:
    """Tell which version would answer METHOD PATH, and why. Nothing is invoked.

    PATH is the path without the stage and may have a query. A weighted choice is drawn anew each
    time unless --draw or --seed settles it.

    \b
    Examples:
      gateway explain --stage prepub -H 'User: Bob' GET /orders/42
      gateway explain --stage release --draw 0.05 GET /orders/42 --json
      gateway explain --live --stage release GET /orders/42
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    if not path.startswith("/"):
        message = f"{path!r} is no path; did you mean {'/' + path!r}?"
        raise click.BadParameter(message, param_hint="PATH")
    asked = {**given, "path": path, "headers": [_header(text) for text in given["headers"]]}
    if given["live"]:
        _refuse(ctx, ("config", "seed"), "--live")
        told = _live(asked)
    else:
        _refuse(ctx, ("control_url",), "no --live")
        told = _offline(asked)
    click.echo(json.dumps(told, indent=2) if as_json else _table(told))


def _refuse(ctx: click.Context, names: tuple[str, ...], beside: str) -> None:
    """Refuse options that would have no effect."""
    for name in names:
        if ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError(f"--{name.replace('_', '-')} has no effect with {beside}")


def _offline(asked: Mapping[str, Any]) -> Mapping[str, Any]:
    from gateway.core.apply import apply
    from gateway.core.snapshot import EMPTY
    from gateway.dataplane.explaining import explain_request
    from gateway.dice import Dice, Fixed

    snapshot = apply(EMPTY, load_or_fail(asked["config"]).changes)
    draw = asked["draw"]
    dice = Dice(asked["seed"]) if draw is None else Fixed(draw)
    request = (asked["method"].upper(), asked["path"], asked["headers"], asked["data"])
    try:
        return explain_request(snapshot, dice, asked["stage"], request).to_dict()
    except RoutingError as error:
        fail(error.code, str(error), Exit.NOT_FOUND)


def _live(asked: Mapping[str, Any]) -> Mapping[str, Any]:
    headers: dict[str, str] = {}
    for name, value in asked["headers"]:  # repeated ones are joined, as HTTP allows
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    body = {
        "stage": asked["stage"],
        "method": asked["method"].upper(),
        "path": asked["path"],
        "headers": headers,
        "body": asked["data"],
    }
    if asked["draw"] is not None:
        body["draw"] = asked["draw"]
    with Remote(asked["control_url"]) as remote:
        told: Mapping[str, Any] = remote.send("POST", "/api/explain", body).body
    return told


def _header(text: str) -> tuple[str, str]:
    name, separator, value = text.partition(":")
    if not separator or not name.strip():
        message = f"{text!r} is no header; for example: -H 'User: Bob'"
        raise click.BadParameter(message, param_hint="--header")
    return name.strip(), value.strip()


def _table(told: Mapping[str, Any]) -> str:
    rows = [
        ("stage", f"{told['stage']} (revision {told['revision']})"),
        ("api", f"{told['method']} {told['path']}"),
    ]
    rows += [("parameter", f"{name} = {value}") for name, value in told["parameters"].items()]
    if told["function"] is None:
        rows.append(("answered by", f"{told['backend']} back end"))
        return columns(_cleaned(rows))
    rows.append(("function", f"{told['function']}@{told['qualifier']}"))
    for rule in told["rules"]:
        seen = "" if rule["value"] is None else f" (it is {rule['value']!r})"
        words = f"{rule['when']} -> {rule['version']}: {rule['outcome']}{seen}"
        rows.append((f"rule {rule['number']}", words))
    rows += _weights(told)
    chosen = clean(f"{told['version']} ({told['reason']})")
    rows = [*_cleaned(rows), ("version", click.style(chosen, bold=True))]
    if told["fault"]:
        rows.append(("fault", fault_words(told["fault"])))
    return columns(rows)


def _cleaned(rows: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name, clean(words)) for name, words in rows]


def _weights(told: Mapping[str, Any]) -> list[tuple[str, str]]:
    settled = told["reason"] is not None and not told["reason"].startswith("rule")
    rows = []
    for bucket in told["buckets"]:
        mark = " <- draw" if settled and bucket["version"] == told["version"] else ""
        span = f"[{bucket['low']:.6g}, {bucket['high']:.6g})"
        share = percent(bucket["share"])
        rows.append(("weight", f"{bucket['version']}: {share}, draws {span}{mark}"))
    if told["draw"] is not None:
        sticky = told["reason"] == "sticky"
        source = f"sticky key {told['sticky_key']!r}" if sticky else told["split"]
        rows.append(("draw", f"{told['draw']:.6g} ({source})"))
    return rows
