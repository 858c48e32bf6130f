"""A gateway of its own for one run: on free ports, from its file alone, and gone afterwards."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import IO, Final, NamedTuple

from loadtests.exits import Exit

_READY: Final = re.compile(r"gateway ready data=(\S+) control=(\S+)")


class Served(NamedTuple):
    """Where a gateway listens.

    Attributes:
        data: For callers.
        control: For those who steer; `None` where it was not named.
    """

    data: str
    control: str | None


@contextmanager
def gateway(config: str | None, seed: int | None) -> Iterator[Served]:
    """A gateway on free ports, out of reach of this terminal's Ctrl-C until Locust has ended."""
    # From the file alone: what was changed live is not what this run expects.
    command = [sys.executable, "-m", "gateway", "serve", "--port", "0", "--control-port", "0"]
    command += ["--state", ":memory:", "--no-watch"]
    command += ["--config", config] if config else []
    command += ["--seed", str(seed)] if seed is not None else []
    with (
        TemporaryFile("w+", encoding="utf-8") as talk,
        subprocess.Popen(  # noqa: S603 - our own command
            command, stdout=subprocess.PIPE, stderr=talk, text=True, start_new_session=True
        ) as process,
    ):
        try:
            yield _ready(process, talk)
        finally:
            process.terminate()


def _ready(process: subprocess.Popen[str], talk: IO[str]) -> Served:
    """Wait for the line that tells the addresses, or end as the gateway has ended."""
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    for line in process.stdout:
        match = _READY.match(line)
        if match:
            return Served(match[1], match[2])
    talk.seek(0)
    shutil.copyfileobj(talk, sys.stderr)
    raise SystemExit(process.wait() or Exit.UNREACHABLE)
