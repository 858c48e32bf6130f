"""One answer of a back end as it comes in: never decoded, never whole, and never more than one.

Interim answers are not passed on, trailers are dropped, and a body is where its head says it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import httptools

MAX_HEAD: Final = 64 * 1024
"""Most bytes of an answer's head, interim answers included."""

MAX_HEADERS: Final = 256
"""Most headers of an answer."""

STATUSES: Final = range(200, 600)
"""What a back end may answer with; it was never asked to switch protocols."""

_BODILESS: Final = frozenset((204, 304))


class BackendFailed(Exception):
    """A back end that did not answer as HTTP asks; the text says what it did."""


class BackendSilent(BackendFailed):
    """A back end that took too long."""


class Head(NamedTuple):
    """The head of an answer.

    Attributes:
        status: The HTTP status.
        headers: Names in lower case, in the order in which they came.
        listed: What its `Connection` headers say, joined.
    """

    status: int
    headers: list[tuple[bytes, bytes]]
    listed: bytes


class Incoming:
    """An answer.

    Args:
        is_head: Whether the request was a `HEAD`, whose answer has no body whatever it says.
        wake: Called when something has come that somebody may wait for.

    Attributes:
        begun: Whether any byte has come.
        asked: Whether the back end asked for the body of the request.
        head: The head, once it is here.
        complete: Whether the answer is here to its end.
        is_last: Whether nothing may follow it on its connection.
        until_end: Whether the end of the connection is the end of the body.
        waiting: Bytes of the body that nobody has taken yet.
    """

    def __init__(self, *, is_head: bool, wake: Callable[[], None]) -> None:
        self.begun = False
        self.asked = False
        self.head: Head | None = None
        self.complete = False
        self.is_last = False
        self.until_end = False
        self.waiting = 0
        self._is_head = is_head
        self._wake = wake
        self._parser: Any = httptools.HttpResponseParser(self)
        self._headers: list[tuple[bytes, bytes]] = []
        self._pieces: list[bytes] = []
        self._unparsed = 0

    def read(self, data: bytes) -> None:
        """Take in bytes.

        Raises:
            BackendFailed: They are not HTTP, or not what was asked for.
        """
        self.begun = True
        if self.head is None:
            self._unparsed += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            raise BackendFailed("it switched protocols unasked") from None
        except httptools.HttpParserError as error:
            if self.complete:
                self.is_last = True  # what follows is none of this answer
                return
            if isinstance(error.__context__, BackendFailed):
                raise error.__context__ from None
            raise BackendFailed(f"it does not speak HTTP: {error}") from None
        if self.head is None and self._unparsed > MAX_HEAD:
            raise BackendFailed("the head of its answer is too long")

    def take(self) -> bytes:
        """What has come of the body since the last time."""
        data = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces.clear()
        self.waiting = 0
        return data

    def on_message_begin(self) -> None:
        """An answer begins; after a complete one, nobody asked for it."""
        if self.complete:
            self.is_last = True
        else:
            self._headers = []

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header; those behind the body, trailers, are dropped."""
        if self.head is None:
            self._headers.append((name.lower(), value))
            if len(self._headers) > MAX_HEADERS:
                raise BackendFailed("its answer has too many headers")

    def on_headers_complete(self) -> None:
        """A head is complete, perhaps that of an interim answer."""
        status = self._parser.get_status_code()
        if self.head is not None:
            return
        if 100 <= status < 200:
            self.asked = self.asked or status == 100
            self._wake()
            return
        if status not in STATUSES:
            raise BackendFailed(f"it answered with the status {status}")
        coding = self._said(b"transfer-encoding").strip().lower()
        if coding not in {b"", b"chunked"}:
            raise BackendFailed(f"its answer has the unknown transfer coding {coding!r}")
        bodiless = self._is_head or status in _BODILESS
        sized = coding or any(name == b"content-length" for name, _ in self._headers)
        self.until_end = not (bodiless or sized)
        self.head = Head(status, self._headers, self._said(b"connection"))
        if bodiless:
            self._finish()
        self._wake()

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        if self.complete:
            self.is_last = True  # more than there should be
            return
        self._pieces.append(body)
        self.waiting += len(body)
        self._wake()

    def on_message_complete(self) -> None:
        """The answer is complete, or an interim one is."""
        if self.head is not None and not self.complete:
            self._finish()
            self._wake()

    def _finish(self) -> None:
        self.complete = True
        self.is_last = self.is_last or not self._parser.should_keep_alive()

    def _said(self, wanted: bytes) -> bytes:
        return b",".join([value for name, value in self._headers if name == wanted])
