"""What importers found, as recordings keep it: percent-encoded targets, headers that HTTP carries.

Framing is left out: whoever sends a request sets the length and the connection anew.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, urlsplit

from gateway.traffic.recording import Headers
from gateway.traffic.recording_line import METHOD, PATH, QUERY, VALUE

FRAMING: Final = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "http2-settings",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers that belong to a connection and not to a request, in lower case."""

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Methods that need no second look."""

_METHOD: Final = re.compile(METHOD)
_PATH: Final = re.compile(PATH)
_QUERY: Final = re.compile(QUERY)
_VALUE: Final = re.compile(VALUE)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]+")
_LITERAL: Final = "!\"$%&'()*+,/:;<=>@[\\]^`{|}~"


class NoTarget(ValueError):
    """A request target that names no path: `*`, or a host to connect to."""


def is_method(text: str) -> bool:
    """Whether HTTP can have a method of this name."""
    return text in METHODS or _METHOD.fullmatch(text) is not None


def split_target(target: str) -> tuple[str, str, str]:
    """A request target as path, query and host; the host is empty unless the target names it.

    Args:
        target: One character for each byte.

    Raises:
        NoTarget: It has no path.
    """
    host = ""
    if not target.startswith("/"):
        host, target = _absolute(target)
    path, mark, query = target.partition("?")
    if _PATH.fullmatch(path) is None:
        path = encoded(path, "")
    return path, query_of(mark + query) if mark else "", host


def query_of(text: str) -> str:
    """A query as recordings keep it; a question mark in front is none of it."""
    text = text.removeprefix("?")
    return text if _QUERY.fullmatch(text) else encoded(text, "?")


def encoded(text: str, safe: str) -> str:
    """Text with one character for each byte, percent-encoded where a target needs it."""
    return quote(text, safe=_LITERAL + safe, encoding="latin-1", errors="replace")


def bytewise(text: str) -> str:
    """Any text as recordings keep it: one character for each byte of its UTF-8."""
    return text.encode(errors="replace").decode("latin-1")


def header(name: str, value: str) -> tuple[str, str] | None:
    """A header as recordings keep it; `None` for framing and for what HTTP cannot carry.

    Args:
        name: One character for each byte.
        value: The same; control characters in it are left out.
    """
    if name.lower() in FRAMING or _METHOD.fullmatch(name) is None:
        return None
    return name, header_value(value)


def header_value(value: str) -> str:
    """The value of a header without the control characters that HTTP cannot carry."""
    return value if _VALUE.fullmatch(value) else _CONTROL.sub("", value)


def with_host(headers: Headers, host: str) -> Headers:
    """Headers that name a host, unless they do already or there is none."""
    if not host or any(name.lower() == "host" for name, _ in headers):
        return headers
    pair = header("Host", host)
    return headers if pair is None else (pair, *headers)


def _absolute(target: str) -> tuple[str, str]:
    """The host of `http://host/path?query`, and what follows it."""
    scheme, separator, _ = target.partition("://")
    if not separator or scheme.lower() not in {"http", "https", "ws", "wss"}:
        raise NoTarget
    try:
        parts = urlsplit(target)
    except ValueError:  # a broken IPv6 address, for example
        raise NoTarget from None
    host = parts.netloc.rpartition("@")[2]
    return host, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
