"""What the heads of a connection have in common: the lines behind the first come again and again.

A head without anything on which depends how a request is read is remembered, once httptools has
read it and it was found to be right. The next request that ends in the same bytes needs only its
first line read, and nothing else of it is decoded once more.
"""

from __future__ import annotations

import re
from typing import Final, cast

from gateway.dataplane.exchange import Exchange
from gateway.dataplane.limits import Limits
from gateway.dataplane.limits_body import UNBOUNDED, Bounds, Headers
from gateway.dataplane.limits_head import WATCHED
from gateway.dataplane.reader import RequestReader
from gateway.dataplane.request import TEXTS, read_headers

TRIES: Final = 4
"""How many heads in a row are remembered in vain: who says something new each time pays no more."""

_FIRST_LINE: Final = re.compile(
    rb"(GET|HEAD|POST|PUT|DELETE|PATCH|OPTIONS) (/[!-\"$->@-~]*)(?:\?([!-\"$-~]*))? HTTP/1\.1\r\n"
)
_FRAMING: Final = (WATCHED | {b"connection", b"proxy-connection", b"upgrade"}) - {b"host"}


class Lines:
    """The lines of a head behind the first one.

    Attributes:
        raw: The bytes, with the empty line.
        headers: What they say, names in lower case.
    """

    __slots__ = ("_texts", "headers", "raw")

    def __init__(self, raw: bytes, headers: Headers) -> None:
        self.raw = raw
        self.headers = headers
        self._texts: dict[str, str] | None = None

    def texts(self) -> dict[str, str]:
        """The headers as `read_headers` gives them: a dictionary of its own for each request."""
        if self._texts is None:
            self._texts = read_headers(self.headers)
        return self._texts.copy()


def common_lines(data: bytes, headers: Headers) -> Lines | None:
    """What may be remembered of a piece that held nothing but a request; `None` where it held more.

    Args:
        data: The piece.
        headers: What was read in it last.
    """
    first = _FIRST_LINE.match(data)
    raw = data[first.end() :] if first is not None else b""
    if raw.find(b"\r\n\r\n") + 4 != len(raw) or raw.count(b"\n") != len(headers) + 1:
        return None
    if any(name in _FRAMING and value.lower() != b"keep-alive" for name, value in headers):
        return None
    return Lines(raw, headers.copy())  # whoever is given the others may alter them


class HeadReader(RequestReader):
    """Reads requests, and those that repeat the last one by their first line.

    Args:
        limits: How large they may be.
        lenient: Rules that they are not held to.
        bounds: How long single APIs let a body be.
    """

    def __init__(self, limits: Limits, lenient: frozenset[str], bounds: Bounds = UNBOUNDED) -> None:
        super().__init__(limits, lenient, bounds)
        self._common: Lines | None = None  # only while no request is under way
        self._tries = 0

    def read(self, data: bytes) -> int:
        """Parse a piece of one or more requests; see `RequestReader.read`."""
        common, is_small = self._common, len(data) <= self._ordinary
        if common is not None and data.endswith(common.raw) and is_small:
            line = _FIRST_LINE.fullmatch(data, 0, len(data) - len(common.raw))
            if line is not None and cast("Exchange", self.incoming).keep_alive:
                self._again(line, common)
                return 0
        begins = is_small and not (self.in_head or self._in_body or self._piece)
        before, self._common = self.incoming, None
        status = super().read(data)
        if not status and begins and self.incoming is not before and self._tries < TRIES:
            self._tries += 1
            self._common = common_lines(data, self._read)
        return status

    def _again(self, line: re.Match[bytes], common: Lines) -> None:
        """Take in a request that says what the last one said."""
        method, path, query = line.groups(b"")
        exchange = self.incoming = Exchange(
            self,  # type: ignore[arg-type]  # whoever answers is the connection
            keep_alive=True,
            http_1_1=True,
            is_head=method == b"HEAD",
        )
        exchange.more_body = False
        scope = self.scope(exchange, ("1.1", method, path, query), common.headers.copy())
        scope["extensions"][TEXTS] = common.texts
        self._tries = 0
        self.opened(exchange, scope)
