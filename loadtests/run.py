"""One command for a whole load test: a gateway, Locust at it, the verdict as exit code.

    python -m loadtests.run
    python -m loadtests.run --config shop/stages.toml --seed 7 --expect release=1:0.9,2:0.1
    python -m loadtests.run --access-log access.log --requests 100000 --processes 2
    python -m loadtests.run --host http://127.0.0.1:8080        # a gateway that runs already

Locust runs as a process of its own, because it changes how sockets work wherever it is imported.
"""

from __future__ import annotations

import argparse
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from types import FrameType
from typing import IO, Final, NoReturn

from loadtests.exits import Exit

LOCUSTFILE: Final = Path(__file__).with_name("distribution.py")
_READY: Final = re.compile(r"gateway ready data=(\S+)")
_CANNOT_START: Final = 3
_PASSED_ON: Final = {
    "--access-log": ("FILE", "access log in common or combined format; default: a small sample"),
    "--requests": ("N", "stop after exactly N requests; default: 20000"),
    "--mix": ("STAGE=SHARE,...", "how the requests are spread over the stages"),
    "--false-alarm": ("P", "greatest probability that correct splits fail; default: 1e-6"),
    "--miss": ("P", "greatest probability that a split off by the tolerance passes; default: 0.01"),
    "--tolerance": ("P", "deviation of a share that matters; default: 0.03"),
    "--max-errors": ("SHARE", "greatest share of failed requests; default: 0"),
    "--verdict-json": ("FILE", "where everything is written; default: reports/verdict.json"),
}
_PASSED_ON_OFTEN: Final = {
    "--expect": ("STAGE[/WHO]=VERSION:SHARE,...", "expected split; default: that of the example"),
    "--allow-host": ("NAME", "host that may be tested although it is not this machine"),
}


def parser() -> argparse.ArgumentParser:
    """The options; what is not about the gateway or the processes is Locust's to check."""
    made = argparse.ArgumentParser(
        prog="python -m loadtests.run",
        description="Start a gateway, send it the traffic of an access log, judge its splits.",
        epilog="exit codes: 0 passed, 10 a split or a reason is wrong, 11 too many errors,"
        " 12 undecided, 2 usage, 3 no gateway answers or starts, 4 its configuration is invalid,"
        " 130 interrupted. Examples: python -m loadtests.run --requests 50000 --seed 7;"
        " python -m loadtests.run --host http://127.0.0.1:8080 --expect release=1:0.5,2:0.5",
    )
    gateway = made.add_argument_group("gateway")
    gateway.add_argument("--config", metavar="FILE", help="its stages.toml; default: ./stages.toml")
    gateway.add_argument("--seed", metavar="N", type=int, help="makes its choices repeatable")
    gateway.add_argument("--host", metavar="URL", help="use a running gateway, and start none")
    load = made.add_argument_group("load")
    load.add_argument(
        "--users", metavar="N", type=int, default=20, help="connections; default: %(default)s"
    )
    load.add_argument("--processes", metavar="N", type=int, help="Locust worker processes")
    for name, (metavar, words) in _PASSED_ON.items():
        load.add_argument(name, metavar=metavar, help=words)
    for name, (metavar, words) in _PASSED_ON_OFTEN.items():
        load.add_argument(name, metavar=metavar, action="append", default=[], help=words)
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a load test and return its exit code."""
    made = parser()
    options = made.parse_args(arguments)
    if options.host and (options.config or options.seed is not None):
        made.error("--config and --seed are for a gateway that is started here, --host is not")
    if options.users < 1:
        made.error(f"--users is {options.users}; it must be 1 or more")
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        if options.host:
            return _drive(options, options.host)
        with gateway(options.config, options.seed) as host:
            return _drive(options, host)
    except KeyboardInterrupt:
        return Exit.INTERRUPTED


def _interrupt(_signum: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


@contextmanager
def gateway(config: str | None, seed: int | None) -> Iterator[str]:
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


def _ready(process: subprocess.Popen[str], talk: IO[str]) -> str:
    """Wait for the line that tells the address, or end as the gateway has ended."""
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    for line in process.stdout:
        match = _READY.match(line)
        if match:
            return match[1]
    talk.seek(0)
    shutil.copyfileobj(talk, sys.stderr)
    raise SystemExit(process.wait() or _CANNOT_START)


def _drive(options: argparse.Namespace, host: str) -> int:
    with subprocess.Popen(locust(options, host)) as process:  # noqa: S603 - our own command
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.terminate()  # a terminal has told Locust already; a supervisor has not
            process.wait()
            raise


def locust(options: argparse.Namespace, host: str) -> list[str]:
    """The command line of Locust."""
    users = str(options.users)
    command = [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--headless"]
    command += ["--only-summary", "--loglevel", "WARNING", "--users", users, "--spawn-rate", users]
    command += ["--host", host]
    if options.seed is not None:
        command += ["--gateway-seed", str(options.seed)]
    if options.processes:
        port = str(_free_port())
        command += ["--processes", str(options.processes)]
        command += ["--master-port", port, "--master-bind-port", port]
    for name in _PASSED_ON:
        value = getattr(options, name[2:].replace("-", "_"))
        command += [name, value] if value is not None else []
    for name in _PASSED_ON_OFTEN:
        for value in getattr(options, name[2:].replace("-", "_")):
            command += [name, value]
    return command


def _free_port() -> int:
    """A port for Locust's processes among themselves; the usual one may be taken."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


if __name__ == "__main__":
    sys.exit(main())
