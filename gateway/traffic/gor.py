"""Files of GoReplay: raw requests between lines of three monkeys, each with its time in front.

Answers stand in such files as well; they are passed over. What a request's body is comes from
httptools' parser, as it would in a server, so that a body sent in chunks is whole again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

import httptools

from gateway.traffic.opening import MAX_LINE
from gateway.traffic.recording import Headers, Origin, Recorded
from gateway.traffic.skipping import TOO_LONG, Skipped
from gateway.traffic.view import address_of
from gateway.traffic.wire import NoTarget, header, split_target, with_host

END: Final = "🐵🙈🙉".encode()
"""The line that ends a message."""

_HEAD: Final = re.compile(rb"([123]) ([0-9A-Za-z_-]{1,64}) ([0-9]{1,20})(?: -?[0-9]{1,20})?\s*")
_REQUEST: Final = b"1"


def looks_like(line: bytes) -> bool:
    """Whether a line begins a message."""
    return _HEAD.fullmatch(line) is not None


def read_gor(
    pieces: Iterable[tuple[int, bytes]], file: str, skipped: Skipped
) -> Iterator[Recorded]:
    """The requests of a file of GoReplay, at seconds since 1970.

    Args:
        pieces: What stands between the ends, with the number of the first line of each.
        file: What to call it.
        skipped: Counts the messages that are no requests of HTTP.

    Raises:
        BadLine: Something was skipped, and that is not allowed.
    """
    for number, piece in pieces:
        head, _, message = piece.partition(b"\n")
        found = _HEAD.fullmatch(head)
        if found is None:
            skipped(number, "no head of a message of GoReplay", head.decode("latin-1"))
        elif found[1] != _REQUEST:
            skipped.passing("recorded answers")
        elif len(piece) > MAX_LINE:
            skipped(number, TOO_LONG)
        else:
            at = int(found[3]) / 1e9
            request = _request(message, at, Origin(file, number), skipped)
            if request is not None:
                yield request


class _Message:
    """What httptools finds in one request."""

    def __init__(self) -> None:
        self.target = b""
        self.headers: list[tuple[bytes, bytes]] = []
        self.body: list[bytes] = []
        self.complete = False

    def on_url(self, url: bytes) -> None:
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name, value))

    def on_body(self, body: bytes) -> None:
        self.body.append(body)

    def on_message_complete(self) -> None:
        self.complete = True


def _request(data: bytes, at: float, origin: Origin, skipped: Skipped) -> Recorded | None:
    message = _Message()
    parser = httptools.HttpRequestParser(message)
    try:
        parser.feed_data(data)
    except httptools.HttpParserUpgrade:
        pass  # what follows is no longer HTTP, and its request is known
    except httptools.HttpParserError as error:
        if not message.complete:  # behind a whole request, anything may stand
            skipped(origin.line, "its request is none of HTTP", str(error))
            return None
    if not message.complete:
        skipped(origin.line, "its request ends too early")
        return None
    try:
        path, query, host = split_target(message.target.decode("latin-1"))
    except NoTarget:
        skipped(origin.line, "its request names no path", message.target.decode("latin-1"))
        return None
    method = parser.get_method().decode("latin-1")
    headers, body = with_host(_headers(message.headers), host), b"".join(message.body)
    request = Recorded(at, method, path, query, headers, body, None, origin)
    return request._replace(user=address_of(request))


def _headers(raw: list[tuple[bytes, bytes]]) -> Headers:
    pairs = (header(name.decode("latin-1"), value.decode("latin-1")) for name, value in raw)
    return tuple(pair for pair in pairs if pair is not None)
