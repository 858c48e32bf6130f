"""Only this machine is load-tested, unless another host is allowed by name."""

from __future__ import annotations

import socket
from collections.abc import Collection
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

USUAL: Final = "http://127.0.0.1:8080"
"""Where `gateway serve` listens."""

_PATIENCE: Final = 5.0
"""Seconds to wait for the first answer."""


def is_loopback(name: str) -> bool:
    """Whether a host name or address is this machine and never another."""
    try:
        return ip_address(name).is_loopback
    except ValueError:
        folded = name.lower().rstrip(".")
        return folded == "localhost" or folded.endswith(".localhost")


def refusal(url: str, allowed: Collection[str] = ()) -> str | None:
    """Why no load test is sent to an address; `None` if it may be."""
    try:
        parts = urlsplit(url)
        name, _ = parts.hostname or "", parts.port
    except ValueError as error:
        return f"{url!r} is no address: {error}"
    if parts.scheme not in {"http", "https"} or not name:
        return f"{url!r} is no address of a gateway; it is written as {USUAL}"
    if parts.username is not None or parts.path.strip("/") or parts.query or parts.fragment:
        return f"{url!r} is more than an address; it is written as {USUAL}"
    if is_loopback(name) or name in allowed:
        return None
    return f"{name} is not this machine; a load test of it must be allowed: --allow-host {name}"


def unreachable(url: str) -> str | None:
    """Why nothing answers at an address, after one request; `None` if something does."""
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=_PATIENCE)
    try:
        connection.request("GET", "/")
        connection.getresponse().read()
    except (OSError, HTTPException) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return f"no gateway answers at {url}: {reason}"
    finally:
        connection.close()
    return None


def deaf(host: str, port: int) -> str | None:
    """Why no master can listen at an address; `None` if one can."""
    try:
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
    except OSError as error:
        return f"no master can listen at {host}:{port}: {error.strerror}"
    return None
