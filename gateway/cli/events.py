"""`gateway events`: what happens, as it happens, one line each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.changed import difference_lines
from gateway.cli.exits import Exit
from gateway.cli.failures import fail
from gateway.cli.options import REVISION, reads
from gateway.cli.picture import clean, in_line
from gateway.cli.talk import note

if TYPE_CHECKING:
    from gateway.cli.talk import Talk


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a stream."""

    name: str
    id: str | None
    data: Any


@click.command("events", short_help="Follow what happens, one line each.")
@click.option(
    "--after", type=REVISION, metavar="REVISION", help="Begin with the changes after this one."
)
@reads
def command(talk: Talk, *, after: int | None) -> None:
    """Follow what happens until Ctrl-C: changes, code that was loaded again, mistakes in it.

    A stream that breaks off is taken up where it ended. With --json each line is an object with
    'event', 'id' and 'data'.

    \b
    Examples:
      gateway events
      gateway events --after 7 --json
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    last = None if after is None else str(after)
    note(f"following {talk.remote.url}; Ctrl-C stops")
    try:
        while True:
            last = _follow(talk, last)
    except KeyboardInterrupt:
        return  # the way in which following ends


def _follow(talk: Talk, last: str | None) -> str | None:
    """Tell the events of one stream; gives the last id, to go on from."""
    heard = False
    with talk.remote.lines("/api/events", last) as lines:
        for event in parsed(lines):
            heard = heard or event.name != "hello"
            last = event.id or last
            line = _json(event) if talk.as_json else event_line(event.name, event.data)
            if line:
                click.echo(line)
    if not heard:  # a server that hangs up at once would be asked for ever
        message = f"the gateway at {talk.remote.url} ended the stream"
        fail("stream-ended", message, Exit.CANNOT_START, "is 'gateway serve' still running?")
    return last


def parsed(lines: Iterable[str]) -> Iterator[Event]:
    """The events of a stream; comments and fields that nobody knows are skipped."""
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            fields[name] = f"{fields[name]}\n{value}" if name in fields else value
            continue
        if "data" in fields:
            data = json.loads(fields["data"])
            yield Event(fields.get("event", "message"), fields.get("id"), data)
        fields = {}


def _json(event: Event) -> str:
    return json.dumps({"event": event.name, "id": event.id, "data": event.data})


def event_words(name: str, data: Any) -> str:  # noqa: ANN401 - each event has its own data
    """An event for people, with all there is to say about a mistake; nothing about a greeting.

    Args:
        name: The event's name.
        data: What is told about it.
    """
    text = str(data.get("text") or "") if name == "error" else ""
    return clean(text.rstrip()) or event_line(name, data)


def event_line(name: str, data: Any) -> str:  # noqa: ANN401
    """The same in one line."""
    match name:
        case "hello":
            return ""
        case "revision":
            parts = "; ".join(difference_lines(data["differences"]))
            restores = data["restores"]
            back = "" if restores is None else f"   (restores revision {restores})"
            who = in_line(data["who"])
            return f"{clean(data['at'])}  revision {data['revision']}  {who}  {parts}{back}"
        case "reload":
            return f"reload  {clean(data['function'])}  in {data['seconds'] * 1000:.0f} ms"
        case "breaker":
            wait = f"  for {data['wait']:g} s" if data["wait"] else ""
            whose = f"{data['function']} version {data['version']}"
            return f"breaker  {clean(whose)}  {clean(data['state'])}{wait}"
        case "error":
            return f"error[{clean(data['code'])}]  {clean(data['where'])}: {_line(data['message'])}"
        case _:
            return f"{clean(name)}  {_line(json.dumps(data))}"


def _line(text: str) -> str:
    return clean(" ".join(text.split()))
