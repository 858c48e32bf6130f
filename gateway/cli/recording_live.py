"""`gateway record --stage`: what callers of a stage send and get, written down as it happens."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import click

from gateway.cli.exits import Exit
from gateway.cli.failures import fail
from gateway.cli.options import Option, control_url_option
from gateway.cli.picture import clean
from gateway.cli.talk import note

if TYPE_CHECKING:
    from gateway.cli.remote import Remote

MEDIA: Final = "application/x-ndjson"
STDOUT: Final = "-"

_ABOUT: Final = b'{"recording":'
_WHY: Final = {
    "rate": "came faster than --rate",
    "queue": "came faster than they were read",
    "body": "had a body beyond --body-limit",
    "unread": "had a body that nobody read",
    "unfinished": "had no whole answer yet",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """When to stop by oneself.

    Attributes:
        seconds: After so long; `None` for never.
        count: After so many requests; `None` for never.
        size: Before the file has more bytes.
    """

    seconds: float | None
    count: int | None
    size: int


@click.command("record")
@click.option("--stage", required=True, help="The stage that is recorded.")
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="FILE",
    help="The recording; .gz and .zst compress it, - is standard output.",
)
@click.option(
    "--for", "seconds", type=click.FloatRange(min=0.1), metavar="SECONDS", help="So long."
)
@click.option("--count", type=click.IntRange(min=1), metavar="N", help="So many requests.")
@click.option(
    "--max-size",
    type=click.IntRange(min=1),
    default=1000,
    show_default=True,
    metavar="MB",
    help="Stop before the file is larger.",
)
@click.option(
    "--rate",
    type=click.FloatRange(min=0, min_open=True, max=10_000),
    default=1000.0,
    show_default=True,
    metavar="N",
    help="At most so many requests a second; the others are dropped and counted.",
)
@click.option(
    "--body-limit",
    type=click.IntRange(0, 6 * 1024 * 1024),
    default=64 * 1024,
    show_default=True,
    metavar="BYTES",
    help="Requests with larger bodies are dropped and counted.",
)
@click.option("--redact", multiple=True, metavar="NAME", help="A header without its value, too.")
@click.option("--keep", multiple=True, metavar="NAME", help="A header with its value after all.")
@control_url_option
def command(*, control_url: str, stage: str, output: str, **given: Option) -> None:
    """Record what callers of a stage send until Ctrl-C.

    The values of Authorization, Cookie, Set-Cookie and Proxy-Authorization are left out.

    \b
    Examples:
      gateway record --stage release -o shop.jsonl
      gateway record --stage release -o shop.jsonl --for 60 --redact X-Api-Key
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    from gateway.cli.remote import Remote

    limits = Limits(given["seconds"], given["count"], given["max_size"] * 1_000_000)
    query = {
        "stage": stage,
        "rate": given["rate"],
        "body_limit": given["body_limit"],
        "redact": ",".join(given["redact"]) or None,
        "keep": ",".join(given["keep"]) or None,
    }
    with Remote(control_url) as remote:
        try:
            told = _record(remote, query, output, limits)
        except OSError as error:
            message = f"cannot write {output!r}: {error.strerror}"
            fail("cannot-write", message, Exit.CANNOT_START)
    where = "standard output" if output == STDOUT else output
    note(_summary(told, f"stage {stage}", where))


def _record(
    remote: Remote, query: dict[str, object], output: str, limits: Limits
) -> dict[str, Any]:
    """Write lines until it is enough; gives what was told of the recording last."""
    from gateway.traffic.saving import saving

    told: dict[str, Any] = {"dropped": {}}
    written = 0
    with remote.pieces("/api/recording", MEDIA, query) as pieces, saving(output) as file:
        note(f"recording {query['stage']} at {remote.url}; Ctrl-C stops")
        try:
            for line in _enough(_lines(pieces), limits):
                if line.startswith(_ABOUT):
                    told = json.loads(line)
                    if output == STDOUT:
                        sys.stdout.buffer.flush()  # whoever reads it there waits for it
                else:
                    file.write(line)
                    written += 1
        except KeyboardInterrupt:
            pass  # the way in which recording ends
    return {**told, "written": written}


def _enough(lines: Iterable[bytes], limits: Limits) -> Iterator[bytes]:
    """Lines until a limit is reached; those that tell of the recording count for nothing."""
    began, count, size = monotonic(), 0, 0
    for line in lines:
        is_request = not line.startswith(_ABOUT)
        size += len(line) if is_request else 0
        late = limits.seconds is not None and monotonic() - began >= limits.seconds
        if size > limits.size or (late and is_request):
            return
        yield line
        count += is_request
        if late or (limits.count is not None and count >= limits.count):
            return


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Whole lines, each with its end."""
    left = b""
    for piece in pieces:
        *whole, left = (left + piece).split(b"\n")
        for line in whole:
            yield line + b"\n"


def _summary(told: dict[str, Any], what: str, where: str) -> str:
    written, dropped = told["written"], told["dropped"]
    requests = "request" if written == 1 else "requests"
    lines = [f"{written:,} {requests} of {what} in {where}"]
    lines += [f"dropped: {count:,} {_WHY.get(why, why)}" for why, count in sorted(dropped.items())]
    return clean("\n".join(lines))
