"""The control plane as commands see it: one client, and every refusal ends the command with words.

What a command gets is an answer that it can use; everything else has become a sentence on standard
error and an exit code before it returns.
"""

from __future__ import annotations

import getpass
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import quote, urlsplit

import click

from gateway import __version__
from gateway.cli import refusals
from gateway.cli.exits import Exit
from gateway.cli.failures import fail

if TYPE_CHECKING:
    import httpx

DEFAULT_URL: Final = "http://127.0.0.1:8081"
"""Where `gateway serve` listens for steering, unless it is told otherwise."""

CONNECT: Final = 5.0
PATIENCE: Final = 120.0
"""Seconds for a connection and for an answer: a write loads the code that it brings."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the control plane answered.

    Attributes:
        body: The JSON document.
        revision: The revision that the answer is about; 0 where it names none.
        data: The answer as it came.
    """

    body: Any
    revision: int
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Upload:
    """A body that is no JSON."""

    data: bytes
    media_type: str


def path_of(*parts: str) -> str:
    """The path of something below `/api`, whatever its name consists of."""
    return "/api/" + "/".join(quote(part, safe="$") for part in parts)


def is_loopback(url: str) -> bool:
    """Whether an address leads to this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class Remote:
    """A client of one control plane; close it, or use it in a `with` statement.

    Args:
        url: Where the control plane is.
        patience: Seconds to wait for an answer; `None` waits for ever.
        connect: Seconds to wait for a connection.
    """

    def __init__(
        self, url: str, patience: float | None = PATIENCE, connect: float = CONNECT
    ) -> None:
        import httpx  # a tenth of a second that help and local commands do not pay

        self.url = url
        self._client = httpx.Client(
            base_url=url,
            headers=_headers(),
            timeout=httpx.Timeout(patience, connect=connect),
            # Proxies of the environment are for the rest of the world.
            trust_env=not is_loopback(url),
            # Certificates are read only where there are any: they cost half a start.
            verify=url.startswith("https:"),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, path: str, query: Mapping[str, object] | None = None) -> Answer:
        """Read something; parameters of the query that are `None` are left out."""
        return self.send("GET", path, query=query)

    def send(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        if_match: int | None = None,
        query: Mapping[str, object] | None = None,
    ) -> Answer:
        """Send one request.

        Args:
            method: The HTTP method.
            path: What `path_of` gives.
            body: JSON values, an `Upload`, or `None` for no body.
            if_match: The revision that must still be the newest.
            query: Parameters; those that are `None` are left out.

        Returns:
            The answer; anything but success has ended the command.
        """
        headers = {} if if_match is None else {"If-Match": f'"{if_match}"'}
        content: dict[str, Any] = {}
        if isinstance(body, Upload):
            content["content"] = body.data
            headers["Content-Type"] = body.media_type
        elif body is not None:
            content["content"] = json.dumps(body, allow_nan=False)
            headers["Content-Type"] = "application/json"
        with self._reached():
            response = self._client.request(
                method, path, params=_query(query), headers=headers, **content
            )
        if not response.is_success:
            refusals.refuse(response, self.url)
        return self._answer(response)

    @contextmanager
    def lines(self, path: str, last_event: str | None = None) -> Iterator[Iterator[str]]:
        """The lines of an event stream, as they come, for as long as it lasts."""
        headers = {"Accept": "text/event-stream"}
        if last_event is not None:
            headers["Last-Event-ID"] = last_event
        with self._endless(path, headers, None) as response:
            yield response.iter_lines()

    @contextmanager
    def pieces(
        self, path: str, media: str, query: Mapping[str, object]
    ) -> Iterator[Iterator[bytes]]:
        """The bytes of an answer without an end, as they come."""
        with self._endless(path, {"Accept": media}, query) as response:
            yield response.iter_raw()

    @contextmanager
    def _endless(
        self, path: str, headers: Mapping[str, str], query: Mapping[str, object] | None
    ) -> Iterator[httpx.Response]:
        """An answer that may take for ever, of the media type that is accepted."""
        import httpx

        timeout = httpx.Timeout(None, connect=CONNECT)
        more: dict[str, Any] = {"params": _query(query), "headers": headers, "timeout": timeout}
        with self._reached(), self._client.stream("GET", path, **more) as response:
            kind = response.headers.get("content-type", "")
            if not response.is_success:
                response.read()
                refusals.refuse(response, self.url)
            if not kind.startswith(headers["Accept"]):
                refusals.no_gateway(self.url)
            yield response

    def _answer(self, response: httpx.Response) -> Answer:
        revision = response.headers.get("etag", "").strip('W/"')
        number = int(revision) if revision.isdecimal() else 0
        if response.headers.get("content-type", "").startswith("application/zip"):
            return Answer(None, number, response.content)
        try:
            return Answer(response.json(), number, response.content)
        except ValueError:
            refusals.no_gateway(self.url)

    @contextmanager
    def _reached(self) -> Iterator[None]:
        import httpx

        try:
            yield
        except httpx.ReadTimeout:
            message = f"the gateway at {self.url} does not answer"
            hint = "what was asked for may have been done all the same; 'gateway changes' tells"
            fail("no-answer", message, Exit.CANNOT_START, hint)
        except httpx.TransportError as error:
            message = f"no gateway can be reached at {self.url}: {_why(error)}"
            hint = "is 'gateway serve' running? --control-url or GATEWAY_CONTROL_URL say where"
            fail("unreachable", message, Exit.CANNOT_START, hint)


def _why(error: Exception) -> str:
    return str(error) or type(error).__name__


def _headers() -> dict[str, str]:
    headers = {"User-Agent": f"gateway-cli/{__version__}"}
    actor = _actor()
    if actor:
        headers["X-Gateway-Actor"] = actor
    token = os.environ.get("GATEWAY_TOKEN", "")
    if token:
        if not (token.isascii() and token.isprintable() and " " not in token):
            message = "GATEWAY_TOKEN has characters that no token has; allowed: visible ASCII"
            raise click.UsageError(message)
        headers["Authorization"] = f"Bearer {token}"
    return headers


def _actor() -> str:
    """Who is logged in; empty where the system has no name for it."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        return ""
    return name.encode("ascii", "replace").decode() if name.isprintable() else ""


def _query(query: Mapping[str, object] | None) -> dict[str, str]:
    return {key: str(value) for key, value in (query or {}).items() if value is not None}
