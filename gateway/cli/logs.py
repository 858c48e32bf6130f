"""`gateway logs`: what was answered, request by request, with what handlers printed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

import click

from gateway.cli.log_filters import Statuses, Time
from gateway.cli.named import FUNCTION
from gateway.cli.options import Option, reads
from gateway.cli.picture import clean, json_text
from gateway.cli.remote import path_of
from gateway.cli.talk import note

if TYPE_CHECKING:
    from gateway.cli.talk import Talk

LIMIT: Final = 50
WAIT: Final = 20
"""Seconds that one question of --follow waits for something new."""


@click.command("logs", short_help="Show what was answered, request by request.")
@click.argument("function", required=False, type=FUNCTION, metavar="[FUNCTION]")
@click.option("--id", "request_id", metavar="ID", help="Everything about this one request.")
@click.option("--follow", "-f", is_flag=True, help="Go on with what comes, until Ctrl-C.")
@click.option("--stage", metavar="STAGE", help="Only requests to it.")
@click.option("--alias", metavar="ALIAS", help="Only what was named so, also a version.")
@click.option("--version", metavar="VERSION", help="Only what it answered.")
@click.option("--reason", metavar="REASON", help="Only these: main, weight, rule:1, ...")
@click.option("--status", type=Statuses(), metavar="STATUS", help="Only 404, or 430-499, or 5xx.")
@click.option("--errors", is_flag=True, help="Only errors.")
@click.option(
    "--since",
    type=Time(),
    metavar="TIME",
    help="Only from then on, such as 2025-01-31T12:00:00Z.",
)
@click.option("--until", type=Time(), metavar="TIME", help="Only before then.")
@click.option("--slower", type=click.FloatRange(min=0), metavar="SECONDS", help="Only those.")
@click.option("--text", metavar="TEXT", help="Only with this in path, body, output or error.")
@click.option(
    "--limit",
    type=click.IntRange(1, 1000),
    default=LIMIT,
    show_default=True,
    help="At most so many.",
)
@reads
def command(
    talk: Talk, *, request_id: str | None, follow: bool, limit: int, **given: Option
) -> None:
    """Show the invocation log of FUNCTION, or of everything, the newest entries last.

    With --json each entry is one object on a line of its own.

    \b
    Examples:
      gateway logs orders --follow
      gateway logs --stage release --errors
      gateway logs --status 5xx --since 2025-01-31T12:00:00Z
      gateway logs --id 4d9deb515794edb9108a101dc5bc1cc9
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    query = {name: value for name, value in given.items() if value not in {None, False}}
    if request_id is not None:
        _one(talk, request_id, query, follow=follow)
        return
    body = talk.read("/api/invocations", **query, limit=limit).body
    teller = _Teller(as_json=talk.as_json)
    teller.tell(body["entries"][::-1])
    if not body["kept_entries"]:
        note("the gateway keeps no invocation log: its --log-entries is 0")
    if body["left_out"]:
        why = "too many at a time, or the log could not be written"
        note(f"{body['left_out']:,} invocations were not kept: {why}")
    if follow:
        _follow(talk, query, body, teller)


class _Teller:
    """Writes entries, and who answered them where there are several who do."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._places: set[str] = set()

    def tell(self, entries: Iterable[Mapping[str, Any]]) -> None:
        """Write entries in this order."""
        entries = list(entries)
        self._places |= {_place(entry) for entry in entries} - {""}
        for entry in entries:
            if self._as_json:
                click.echo(json.dumps(entry))
                continue
            click.echo(entry_line(entry, placed=len(self._places) > 1))
            for line in entry["output"].splitlines():
                click.echo(f"    {clean(line)}")


def _one(talk: Talk, request_id: str, query: Mapping[str, object], *, follow: bool) -> None:
    odd = ["--follow"] if follow else [f"--{name}" for name in query]
    if odd:
        raise click.UsageError(f"--id names one request; {odd[0]} cannot be used with it")
    body = talk.read(path_of("invocations", request_id)).body
    click.echo(json_text(body) if talk.as_json else "\n".join(_details(body)))


def _follow(
    talk: Talk, query: Mapping[str, object], body: Mapping[str, Any], teller: _Teller
) -> None:
    last = max([entry["number"] for entry in body["entries"]], default=body["newest"])
    try:
        while True:
            found = talk.read("/api/invocations", **query, after=last, wait=WAIT, limit=1000).body
            teller.tell(found["entries"])
            last = max([entry["number"] for entry in found["entries"]], default=last)
    except KeyboardInterrupt:
        return  # the way in which following ends


def entry_line(entry: Mapping[str, Any], *, placed: bool = False) -> str:
    """An entry in one line.

    Args:
        entry: The entry.
        placed: Whether it is said who answered.
    """
    whose = "-"
    if entry["version"]:
        alias = f"@{entry['alias']}" if entry["reason"] != "pinned" else ""
        whose = f"{entry['function']}{alias} {entry['version']} ({entry['reason']})"
    status = str(entry["status"])
    if entry["kind"]:
        status = click.style(f"{status} {entry['kind']}", fg="red")
    what = f"{entry['method']} {entry['path']}".strip() or entry["source"]
    time = entry["at"].removesuffix("Z").partition("T")[2]
    parts = (time, entry["stage"] or "-", whose, status, _milliseconds(entry["seconds"]), what)
    # Only the status carries colours of ours; everything else may be a caller's text.
    shown = [part if part is status else clean(part) for part in parts]
    if placed and _place(entry):
        shown.append(clean(_place(entry)))
    return "  ".join([*shown, clean(entry["request_id"])])


def _place(entry: Mapping[str, Any]) -> str:
    """Who answered; empty for an entry of a time when that was not kept."""
    return f"{entry['node']}/{entry['process']}".strip("/")


def _details(entry: Mapping[str, Any]) -> list[str]:
    lines = [entry_line(entry), f"revision  {entry['revision']}"]
    lines.append(f"handler   {_milliseconds(entry['duration'])}")
    lines.append(f"node      {clean(_place(entry) or '-')}")
    lines += [f"{clean(name)}: {clean(value)}" for name, value in entry["headers"].items()]
    if entry["body"]:
        lines += ["", clean(entry["body"]) + (" ..." if entry["body_cut"] else "")]
    if entry["error"]:
        lines += ["", json_text(entry["error"])]
    if entry["output"]:
        lines += ["", clean(entry["output"].rstrip())]
    return lines


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"
