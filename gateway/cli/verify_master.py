"""Load from several machines: this one deals out the requests and judges, Locust's workers send.

Workers need nothing but the program and one command, which is told here: the load test and its
traffic come to them from the master, and what they count is added up there, each count once.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Mapping, Sequence
from ipaddress import ip_address
from os import fstat, pread
from typing import IO, Any, Final
from urllib.parse import urlsplit

import click

from gateway.cli.exits import Exit
from gateway.cli.failures import fail

PORT: Final = 5557
"""Where Locust's masters listen, unless told otherwise."""

PATIENCE: Final = 300.0
"""Seconds in which somebody should have started all workers."""

_TAIL: Final = 4096
_THERE: Final = re.compile(rb"^workers: ([0-9]+) of ([0-9]+)\n", re.MULTILINE)
_ANYWHERE: Final = "0.0.0.0"  # noqa: S104 - compared with, not listened on

Given = Mapping[str, Any]


class MasterAddress(click.ParamType[tuple[str, int]]):
    """Where a master listens: `HOST[:PORT]`; port 0 is a free one."""

    name = "address"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        """Host and port."""
        text = str(value)
        host, _, port = text.rpartition(":") if ":" in text else (text, "", str(PORT))
        digits = port.isascii() and port.isdecimal() and len(port) <= 5
        plain = re.fullmatch(r"[A-Za-z0-9_.-]+", host) is not None
        if not plain or not digits or int(port) >= 1 << 16:
            self.fail(f"{text!r} is no HOST or HOST:PORT; for example: 0.0.0.0:{PORT}", param, ctx)
        return host, int(port)


def check_workers(given: Given) -> None:
    """Refuse options that have no effect, or contradict each other."""
    if given["locust_master"] is None:
        for name in ("expect_workers", "workers_within"):
            if given[name] is not None:
                option = f"--{name.replace('_', '-')}"
                raise click.UsageError(f"{option} has no effect without --locust-master")
    elif given["processes"]:
        message = "--processes starts workers on this machine, --locust-master waits for others"
        raise click.UsageError(f"{message}: use one of them")


def master_arguments(given: Given, target: str) -> list[str]:
    """What a load test is told, so that it waits for workers; and tell how they are started.

    Args:
        given: The options.
        target: Where the workers send their requests.
    """
    if given["locust_master"] is None:
        return []
    host, port = given["locust_master"]
    port = _port(host, port)
    wanted = given["expect_workers"] or 1
    shown = socket.gethostname() if host == _ANYWHERE else host
    workers = f"{wanted} workers; on each of their machines" if wanted > 1 else "a worker; there"
    click.echo(f"waiting for {workers}:", err=True)
    for line in _told(shown, port, target):
        click.echo(line, err=True)
    within = PATIENCE if given["workers_within"] is None else given["workers_within"]
    arguments = ["--locust-master", f"{host}:{port}", "--expect-workers", str(wanted)]
    return [*arguments, "--workers-within", f"{within:.17g}"]


def _told(shown: str, port: int, target: str) -> Sequence[str]:
    command = f"  python -m locust -f - --worker --master-host {shown} --master-port {port}"
    name = urlsplit(target).hostname or ""
    if not _loopback(name) or _loopback(shown):
        return [command]
    message = f"note: workers send to {target}, which each machine takes for itself"
    return [command, f"{message}; name the gateway with --against"]


def _loopback(name: str) -> bool:
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def _port(host: str, port: int) -> int:
    """The port, or a free one in place of 0; the end of the command where none can be had."""
    try:
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
            found: int = listener.getsockname()[1]
    except OSError as error:
        message = f"no master can listen at {host}:{port}: {error.strerror}"
        fail("cannot-listen", message, Exit.CANNOT_START, "name an address of this machine")
    return found


def waiting(talk: IO[bytes], words: Callable[[], str]) -> Callable[[], str]:
    """What to show while a load test runs: the workers that came, and then what it does.

    Args:
        talk: What the load test says.
        words: What it does, in one line.
    """

    def told() -> str:
        size = fstat(talk.fileno()).st_size
        # Read without moving: the load test goes on writing at the same place.
        found = _THERE.findall(pread(talk.fileno(), _TAIL, max(0, size - _TAIL)))
        if found and found[-1][0] != found[-1][1]:
            there, wanted = (number.decode() for number in found[-1])
            return f"{there} of {wanted} workers are there"
        return words()

    return told


def without_arrivals(said: bytes) -> bytes:
    """What a load test has said, but for the workers that came."""
    return _THERE.sub(b"", said)
