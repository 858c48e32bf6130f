"""The contenders of the comparison: how each is started, and why one is left out.

Whatever is not of this project is run as it is installed, or from an environment of its own that is
made in the benchmark's folder and goes with it.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import which
from time import monotonic, sleep
from typing import Final

import psutil

from benchmarks.comparing_apps import FUNCTIONS_FRAMEWORK, STAGES, VERSIONS
from benchmarks.comparing_proxies import Backends, haproxy_command, nginx_command
from benchmarks.servers import ROOT, Running, bare_command, started

_ATTEMPTS: Final = 3
"""How many ports are tried for a server that takes none that is bound already."""

_PATIENCE: Final = 20.0
"""Seconds that such a server may take to listen."""

_INSTALLING: Final = 300.0
"""Seconds that an installation may take."""


class Absent(Exception):
    """A contender cannot take part; the message says why."""


@dataclass(frozen=True, slots=True)
class Contender:
    """Somebody who takes part.

    Attributes:
        name: What it is called in the report.
        what: What it is.
        start: Starts it; is given a folder that has the scheme's project.
        routes: Whether it follows the scheme, or answers everything alike.
    """

    name: str
    what: str
    start: Callable[[ExitStack, Path], Running]
    routes: bool = True


def _bare(stack: ExitStack, _folder: Path) -> Running:
    return stack.enter_context(started("bare", bare_command()))


def _by_hand(stack: ExitStack, folder: Path) -> Running:
    command = [sys.executable, "-m", "benchmarks.comparing_apps"]
    named = {STAGES: str(folder / "stages.toml")}
    return stack.enter_context(started("starlette", command, named))


def _gateway(stack: ExitStack, folder: Path, *more: str) -> Running:
    ports = ["--port", "0", "--control-port", "0"]
    state = str(folder / f"gateway{''.join(more)}.db")
    file = str(folder / "stages.toml")
    command = [sys.executable, "-m", "gateway", "serve", "--config", file, *ports, "--state", state]
    return stack.enter_context(started("gateway", [*command, *more]))


def _with_workers(stack: ExitStack, folder: Path) -> Running:
    command = [sys.executable, "-m", "gateway", "serve", "--help"]
    told = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout
    if "--workers" not in told:
        raise Absent("gateway serve has no --workers")
    return _gateway(stack, folder, "--workers", "2")


def _proxy(
    program: str, write: Callable[[Path, Backends, int], list[str]]
) -> Callable[[ExitStack, Path], Running]:
    """A proxy in front of one application for each version."""

    def start(stack: ExitStack, folder: Path) -> Running:
        if which(program) is None:
            raise Absent(f"{program} is not installed; apt-get install {program}")
        apps = {each: _bare(stack, folder) for each in VERSIONS}
        backends = {version: app.address for version, app in apps.items()}
        proxy = stack.enter_context(
            listening(program, lambda port: write(folder, backends, port), {})
        )
        return replace(proxy, behind=tuple(app.process for app in apps.values()))

    return start


def _functions_framework(stack: ExitStack, folder: Path) -> Running:
    python = environment(folder, "functions-framework")
    source = folder / "function.py"
    source.write_text(FUNCTIONS_FRAMEWORK)
    program = [str(python.with_name("functions-framework")), "--target", "main"]
    options = ["--source", str(source), "--host", "127.0.0.1", "--port"]
    return stack.enter_context(
        listening("functions-framework", lambda port: [*program, *options, str(port)], {})
    )


def _granian(stack: ExitStack, folder: Path) -> Running:
    """Serve our data plane with granian, from an environment that finds our packages as well."""
    python = environment(folder, "granian")
    (packages,) = (python.parent.parent / "lib").glob("python*/site-packages")
    (packages / "ours.pth").write_text(f"{sysconfig.get_path('purelib')}\n{ROOT}\n")
    program = [str(python.with_name("granian")), "--interface", "asgi", "--loop", "uvloop"]
    options = ["--no-ws", "--host", "127.0.0.1", "benchmarks.comparing_apps:hosted", "--port"]
    named = {STAGES: str(folder / "stages.toml")}
    return stack.enter_context(
        listening("granian", lambda port: [*program, *options, str(port)], named)
    )


CONTENDERS: Final = (
    Contender("bare", "bare ASGI application on uvicorn", _bare, routes=False),
    Contender("starlette", "Starlette route made by hand on uvicorn", _by_hand),
    Contender("gateway", "gateway serve", _gateway),
    Contender("gateway-2", "gateway serve --workers 2", _with_workers),
    Contender("nginx", "nginx in front of uvicorn", _proxy("nginx", nginx_command)),
    Contender("haproxy", "HAProxy in front of uvicorn", _proxy("haproxy", haproxy_command)),
    Contender("functions-framework", "one function", _functions_framework, routes=False),
    Contender("granian", "our data plane on granian", _granian),
)


def environment(folder: Path, package: str) -> Path:
    """The interpreter of a new environment that has a package.

    Raises:
        Absent: The package cannot be had.
    """
    place = folder / f"{package}.environment"
    python = place / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", package]
    try:
        for command in ([sys.executable, "-m", "venv", str(place)], install):
            subprocess.run(command, check=True, capture_output=True, timeout=_INSTALLING)
    except (OSError, subprocess.SubprocessError):
        raise Absent(f"{package} could not be installed; is there a network?") from None
    return python


@contextmanager
def listening(
    name: str, command: Callable[[int], list[str]], named: dict[str, str]
) -> Iterator[Running]:
    """Run a server that is told its port, and does not say when it is ready.

    Args:
        name: What it is called.
        command: What starts it on a port.
        named: Variables of its environment.

    Raises:
        Absent: It does not start.
    """
    for _ in range(_ATTEMPTS):
        port = _free_port()
        process = psutil.Popen(
            command(port),
            env={**os.environ, **named},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=ROOT,
        )
        try:
            if _listens(process, port):
                yield Running(name, ("127.0.0.1", port), process, ("127.0.0.1", port))
                return
        finally:
            with suppress(psutil.NoSuchProcess):  # it may have ended by itself
                process.terminate()
            process.wait(timeout=20)
    raise Absent(f"{name} did not start")


def _free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def _listens(process: psutil.Popen, port: int) -> bool:
    """Whether somebody accepts connections there before the process ends."""
    until = monotonic() + _PATIENCE
    while process.poll() is None and monotonic() < until:
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return True
        sleep(0.02)  # nothing tells when another program listens
    return False
