"""A web version with an `scf_bootstrap`: a server in a process of its own, on a port of its own.

The cloud's port 9000 cannot be had by several versions on one machine, so that each is told a
free one in `PORT`. The process ends with its version and with the gateway, however that ends.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
from concurrent.futures import Future
from time import monotonic
from typing import TYPE_CHECKING, Final

from gateway.core.functions import BOOTSTRAP
from gateway.runtime import web_guard
from gateway.runtime.context import NAMESPACE
from gateway.runtime.web_errors import PortBindingFailed, ProcessExited

if TYPE_CHECKING:
    from gateway.core.functions import FunctionVersion
    from gateway.runtime.errors import LoadError

HOST: Final = "127.0.0.1"
LISTEN_SECONDS: Final = 10.0
"""How long a process may take until it listens."""

KEPT_OUTPUT: Final = 64 * 1024
"""Bytes of a process's output that are kept."""

_POLL_SECONDS: Final = 0.02
_SECRETS: Final = frozenset(("GATEWAY_TOKEN", "GATEWAY_KEYS"))


def bootstrap_of(folder: str) -> str | None:
    """The executable that starts the server, where a folder has one."""
    path = os.path.join(os.path.abspath(folder), BOOTSTRAP)  # noqa: PTH100, PTH118
    return path if os.path.isfile(path) and os.access(path, os.X_OK) else None  # noqa: PTH113


class Child:
    """One running server; `start` makes one.

    Attributes:
        port: Where it answers.
    """

    def __init__(self, version: FunctionVersion, bootstrap: str) -> None:
        self.port = port = _free_port()
        self._version = version
        self._output = bytearray()
        self._exited = threading.Event()
        self._closed: Future[None] = Future()
        self._closed.set_running_or_notify_cancel()
        self._process = subprocess.Popen(  # noqa: S603 - the user's own program
            # Isolated and without site: nothing but the standard library, and started at once.
            [sys.executable, "-I", "-S", str(web_guard.__file__), bootstrap],
            cwd=os.path.dirname(bootstrap),  # noqa: PTH120
            env=environment(version, port),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # an interrupt at the terminal is the gateway's to handle
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        threading.Thread(target=self._wait, daemon=True).start()

    @classmethod
    def start(
        cls, version: FunctionVersion, bootstrap: str, seconds: float = LISTEN_SECONDS
    ) -> Child:
        """Start a server and wait until it listens; blocks.

        Raises:
            ProcessExited: It ended first.
            PortBindingFailed: It does not listen in time.
        """
        child = cls(version, bootstrap)
        deadline = monotonic() + seconds
        while not child._exited.wait(_POLL_SECONDS):
            if _listens(child.port):
                return child
            if monotonic() >= deadline:
                child.close()
                sentence = (
                    f"PortBindingFailed: {BOOTSTRAP} does not listen on {child.authority}, the"
                    f" environment's PORT, after {seconds:g} seconds"
                )
                raise child._because(PortBindingFailed, sentence)
        code = child._process.returncode
        sentence = f"ContainerStateExited: {BOOTSTRAP} ended with code {code} before it listened"
        raise child._because(ProcessExited, sentence)

    @property
    def authority(self) -> str:
        """Where it answers, as addresses name it."""
        return f"{HOST}:{self.port}"

    @property
    def ended(self) -> bool:
        """Whether the process has ended."""
        return self._exited.is_set()

    @property
    def output(self) -> str:
        """The end of what the process has written."""
        return self._output.decode(errors="replace")

    async def ready(self) -> None:
        """It has listened since it was started."""

    def exited_within(self, seconds: float) -> bool:
        """Whether the process ends in that time; blocks."""
        return self._exited.wait(seconds)

    def close(self) -> Future[None]:
        """Ask the process to end; it is killed when it does not."""
        with contextlib.suppress(OSError):
            assert self._process.stdin is not None  # noqa: S101 - it is a pipe
            self._process.stdin.close()
        return self._closed

    def _because(self, kind: type[LoadError], sentence: str) -> LoadError:
        """An error with what the process said before."""
        said = self.output.strip().splitlines()
        error = kind(self._version, sentence + (f"; it said last: {said[-1]}" if said else ""))
        error.output = self.output
        return error

    def _wait(self) -> None:
        self._process.wait()
        # What the process has said is complete now, unless it left somebody behind who says more.
        self._reader.join(1)
        self.close()
        self._exited.set()
        self._closed.set_result(None)

    def _read(self) -> None:
        stdout = self._process.stdout
        assert stdout is not None  # noqa: S101 - it is a pipe
        label = f"[{self._version.function} {self._version.number}] "
        with stdout:
            while line := stdout.readline(8192):
                self._output += line
                del self._output[:-KEPT_OUTPUT]
                with contextlib.suppress(OSError, ValueError):  # nobody reads ours any more
                    sys.stderr.write(label + line.decode(errors="replace").rstrip("\n") + "\n")


def environment(version: FunctionVersion, port: int) -> dict[str, str]:
    """The environment of a version's process: the gateway's, the version's, and the cloud's."""
    inherited = {name: value for name, value in os.environ.items() if name not in _SECRETS}
    return {
        **inherited,
        **version.configuration.environment,
        "PORT": str(port),
        "SCF_NAMESPACE": NAMESPACE,
        "SCF_FUNCTIONNAME": version.function,
        "SCF_FUNCTIONVERSION": version.number,
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _listens(port: int) -> bool:
    """Whether somebody accepts connections there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        try:
            probe.connect((HOST, port))
        except OSError:
            return False
        # A port that nobody listens on may be given to the probe itself, and answers to itself.
        return bool(probe.getsockname() != probe.getpeername())
