"""Sending what was recorded: the same method, path, headers and body, to where it may go.

What belongs to one connection (its length, its encoding, its host) is made anew; the rest goes out
byte by byte as it was written down. Redirects are answers and are not followed; cookies are those
of the recording; nothing is sent twice.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final, Self
from urllib.parse import quote, urlsplit

from gateway.traffic.capturing import REDACTED
from gateway.traffic.outcome import NOTHING, End, Outcome, Said
from gateway.traffic.recording import Headers, Recorded
from gateway.traffic.sending_wire import Broken, Wire

CONNECTION: Final = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers of one connection; every connection has its own."""

OWN: Final = ("x-gateway-", "x-api-requestid")
"""Headers that only a gateway sets."""

IDLE_SECONDS: Final = 4.0
"""How long a connection is kept for the next request: many servers close theirs after 5 seconds."""

INTERRUPTED: Final = "interrupted"
"""Why requests are lost that were under way, or had not begun, when a replay was ended early."""

NO_STAGE: Final = "no stage is named, and it was recorded on none"

_REMEMBERED: Final = 4096
"""Headers whose lines are remembered: callers send the same ones again and again."""

_BODY_METHODS: Final = frozenset({"POST", "PUT", "PATCH"})
"""Methods whose requests say their length even if it is 0 (RFC 9110 8.6)."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where requests go.

    Attributes:
        url: The address, without a slash at its end.
        stage: The stage; `None` for that on which each request was recorded.
        staged: Whether the stage goes before the path, as at a gateway.
        keeps_host: Whether the recorded `Host` is sent in place of the address's own.
    """

    url: str
    stage: str | None = None
    staged: bool = True
    keeps_host: bool = False

    def stage_of(self, recorded: Recorded) -> str:
        """The stage of a request, for the report; empty where there is none."""
        return recorded.stage or "" if self.stage is None else self.stage


class Composer:
    """Makes requests for a target, as bytes.

    Args:
        target: Where they go.
    """

    def __init__(self, target: Target) -> None:
        parts = urlsplit(target.url)
        self._target = target
        self._host = f"host: {parts.netloc}\r\n"
        self._prefix = parts.path
        self._lines: dict[tuple[str, str], str] = {}

    def request(self, recorded: Recorded) -> bytes | None:
        """The bytes of a request; `None` for one that was recorded on no stage and needs one."""
        target, body = self._target, recorded.body
        stage = _segment(target.stage_of(recorded)) if target.staged else ""
        if target.staged and not stage:
            return None
        query = f"?{recorded.query}" if recorded.query else ""
        lines = [f"{recorded.method} {self._prefix}{stage}{recorded.path}{query} HTTP/1.1\r\n"]
        known = self._lines
        for header in recorded.headers:
            line = known.get(header)
            lines.append(self._line(header) if line is None else line)
        if not (target.keeps_host and any(n.lower() == "host" for n, _ in recorded.headers)):
            lines.insert(1, self._host)
        if body or recorded.method in _BODY_METHODS:
            lines.append(f"content-length: {len(body)}\r\n")
        return "".join([*lines, "\r\n"]).encode("latin-1") + body

    def _line(self, header: tuple[str, str]) -> str:
        """The line of a header; empty for one that is not sent."""
        kept = headers_of((header,), keeps_host=self._target.keeps_host)
        line = "".join(f"{name}: {value}\r\n" for name, value in kept)
        if len(self._lines) >= _REMEMBERED:
            self._lines.clear()
        self._lines[header] = line
        return line


def headers_of(headers: Headers, *, keeps_host: bool = False) -> list[tuple[str, str]]:
    """The headers that are sent: not those of a connection, and none whose value is not known."""
    return [
        (name, value)
        for name, value in headers
        if value != REDACTED
        and (folded := name.lower()) not in CONNECTION
        and not folded.startswith(OWN)
        and (keeps_host or folded != "host")
    ]


@cache
def _segment(stage: str) -> str:
    return f"/{quote(stage, safe='$')}" if stage else ""


Ended = tuple[End, int, Said, str]
"""How an exchange ended, the status, what the answer says, and why there is none."""


class Sender:
    """Sends requests over as many connections as are in use at a time; an async context manager.

    Args:
        target: Where they go.
        timeout: Seconds that an answer may take.
        clock: Seconds since the replay began.
    """

    def __init__(self, target: Target, timeout: float, clock: Callable[[], float]) -> None:
        self._target = target
        self._composer = Composer(target)
        self._timeout = timeout
        self._clock = clock
        self._idle: list[Wire] = []
        parts = urlsplit(target.url)
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._addresses: list[str] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for wire in self._idle:
            wire.close()
        self._idle.clear()
        await asyncio.sleep(0)  # the transports say goodbye

    async def send(self, recorded: Recorded, due: float | None) -> Outcome:
        """Send one request, and tell how it ended, even if it is cancelled.

        Args:
            recorded: The request.
            due: When it should begin, in seconds since the replay began; `None` for now.
        """
        stage, begun = self._target.stage_of(recorded), self._clock()
        request = self._composer.request(recorded)
        if request is None:
            ended: Ended = (End.NOT_SENT, 0, NOTHING, NO_STAGE)
        else:
            ended = await self._exchange(request, is_head=recorded.method == "HEAD")
        end, status, said, why = ended
        due = begun if due is None else due
        return Outcome(end, stage, due, begun, self._clock(), status, said, why)

    async def _exchange(self, request: bytes, *, is_head: bool) -> Ended:
        end = End.NOT_SENT
        wire: Wire | None = None
        try:
            async with asyncio.timeout(self._timeout):
                wire = self._kept() or await self._connected()
                end = End.FAILED
                answer = await wire.ask(request, is_head=is_head)
        except TimeoutError:
            missing = "whole answer" if end is End.FAILED else "connection"
            why = f"no {missing} within {self._timeout:g} s"
        except asyncio.CancelledError:
            why = INTERRUPTED  # nobody waits for the task but who counts
        except Broken as broken:
            why = str(broken)
        except OSError as error:
            why = f"no connection: {error.strerror or error}"
        else:
            self._keep(wire)
            return End.ANSWERED, answer.status, answer.said(), ""
        if wire is not None:
            wire.close()
        return end, 0, NOTHING, why

    def _kept(self) -> Wire | None:
        """A connection that stands."""
        oldest = asyncio.get_running_loop().time() - IDLE_SECONDS
        while self._idle:
            wire = self._idle.pop()
            if wire.is_open and wire.idle_since > oldest:
                return wire
            wire.close()
        return None

    def _keep(self, wire: Wire) -> None:
        if wire.is_reusable:
            wire.idle_since = asyncio.get_running_loop().time()
            self._idle.append(wire)
        else:
            wire.close()

    async def _connected(self) -> Wire:
        """A new connection.

        Raises:
            OSError: None can be had.
        """
        loop = asyncio.get_running_loop()
        if not self._addresses:
            found = await loop.getaddrinfo(self._host, self._port, type=1)
            self._addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
        while True:
            address = self._addresses[0]
            try:
                name = self._host if self._tls is not None else None
                _, wire = await loop.create_connection(
                    lambda: Wire(loop), address, self._port, ssl=self._tls, server_hostname=name
                )
            except OSError:
                if address == self._addresses[-1]:
                    raise
                self._addresses = [each for each in self._addresses if each != address]
            else:
                return wire
