"""One command for a whole load test: a gateway, Locust at it, the verdict as exit code.

    python -m loadtests.run
    python -m loadtests.run --test sticky
    python -m loadtests.run --config shop/stages.toml --seed 7 --expect release=1:0.9,2:0.1
    python -m loadtests.run --access-log access.log --requests 100000 --processes 2
    python -m loadtests.run --host http://127.0.0.1:8080        # a gateway that runs already
    python -m loadtests.run --host http://10.0.0.7:8080 --allow-host 10.0.0.7 \
        --locust-master 0.0.0.0 --expect-workers 2              # load from other machines

Locust runs as a process of its own, because it changes how sockets work wherever it is imported.
"""

from __future__ import annotations

import argparse
import os
import secrets
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any, Final, NoReturn

from loadtests import target
from loadtests.about import PASSED_DOWN
from loadtests.arguments import MASTER_PORT, master_address
from loadtests.catalogue import SHAPES, TESTS
from loadtests.exits import Exit
from loadtests.moves import STEPS
from loadtests.started import Served, gateway
from loadtests.steering import ControlPlane, Unsteerable
from loadtests.terms import PARTS

FOLDER: Final = Path(__file__).parent

_PASSED_ON: Final = {
    "--access-log": ("FILE", "access log in common or combined format; default: a small sample"),
    "--recording": ("FILE", "recording, in place of an access log"),
    "--requests": ("N", "stop after exactly N requests; default: what the test needs"),
    "--seconds": ("S", "stop after so many seconds"),
    "--rate": ("R", "requests a second of all users together; default: as fast as they can"),
    "--mix": ("STAGE=SHARE,...", "how the requests are spread over the stages"),
    "--keys": ("N", "send as N users in turn; 0 is the users of the traffic"),
    "--false-alarm": ("P", "greatest probability that correct splits fail; default: 1e-6"),
    "--miss": ("P", "greatest probability that a split off by the tolerance passes; default: 0.01"),
    "--tolerance": ("P", "deviation of a share that matters; default: 0.03"),
    "--workers-within": ("S", "give up when they are not there after so long; default: never"),
    "--max-errors": ("SHARE", "greatest share of failed requests; default: 0"),
    "--verdict-json": ("FILE", "where everything is written; default: reports/verdict.json"),
}
_PASSED_ON_OFTEN: Final = {
    "--expect": ("STAGE[/WHO]=VERSION:SHARE,...", "expected split; default: that of the example"),
    "--by": ("PART", f"judge each split in parts too: {', '.join(PARTS)}"),
    "--allow-host": ("NAME", "host that may be tested although it is not this machine"),
}
_PASSED_TO_ROLLOUT: Final = {
    "--control": ("URL", "control plane of the gateway that --host names"),
    "--function": ("NAME", "the function whose alias is moved; default: orders"),
    "--alias": ("NAME", "the alias; default: release"),
    "--to": ("VERSION", "the version whose weight is moved; default: 2"),
    "--steps": ("WEIGHT,...", f"its weights; default: {STEPS}"),
}
_STICKY: Final = {
    "version": "1", "weights": {"2": 0.1}, "split": "sticky", "sticky_by": "invoke.headers.User",
}  # fmt: skip
"""The example's `release`, as the test of sticky keys wants it."""


def parser() -> argparse.ArgumentParser:
    """The options; what is not about the gateway or the processes is Locust's to check."""
    made = argparse.ArgumentParser(
        prog="python -m loadtests.run",
        description="Start a gateway, send it traffic, judge its splits.",
        epilog="exit codes: 0 passed, 10 a split or a reason is wrong, 11 too many errors,"
        " 12 undecided, 2 usage, 3 no gateway answers or starts, 4 its configuration is invalid,"
        " 130 interrupted. Examples: python -m loadtests.run --requests 50000 --seed 7;"
        " python -m loadtests.run --test rollout;"
        " python -m loadtests.run --host http://127.0.0.1:8080 --expect release=1:0.5,2:0.5",
    )
    tests = ", ".join(f"{test.name} ({test.says})" for test in TESTS.values())
    made.add_argument(
        "--test", choices=TESTS, default="distribution", metavar="NAME", help=f"one of: {tests}"
    )
    gateway = made.add_argument_group("gateway")
    gateway.add_argument("--config", metavar="FILE", help="its stages.toml; default: ./stages.toml")
    gateway.add_argument(
        "--seed", metavar="N", type=int, help="makes its choices repeatable; default: a new one"
    )
    gateway.add_argument("--host", metavar="URL", help="use a running gateway, and start none")
    load = made.add_argument_group("load")
    load.add_argument(
        "--users", metavar="N", type=int, default=20, help="connections; default: %(default)s"
    )
    load.add_argument("--processes", metavar="N", type=int, help="Locust worker processes")
    load.add_argument(
        "--locust-master",
        metavar="HOST[:PORT]",
        type=master_address,
        help=f"listen there for workers of other machines; usual port: {MASTER_PORT}",
    )
    load.add_argument(
        "--expect-workers", metavar="N", type=int, help="how many to wait for; default: 1"
    )
    load.add_argument(
        "--until-decided", action="store_true", help="stop as soon as the splits are decided"
    )
    for name, (metavar, words) in {**_PASSED_ON, **_PASSED_TO_ROLLOUT}.items():
        load.add_argument(name, metavar=metavar, help=words)
    for name, (metavar, words) in _PASSED_ON_OFTEN.items():
        load.add_argument(name, metavar=metavar, action="append", default=[], help=words)
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a load test and return its exit code."""
    options = _checked(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        if options.host:
            return _drive(options, Served(options.host, options.control))
        with gateway(options.config, options.seed) as served:
            if TESTS[options.test].by_keys and not options.config:
                _make_sticky(served)
            return _drive(options, served)
    except Unsteerable as error:
        print(f"error[control]: {error}", file=sys.stderr)
        print("  = hint: give the gateway's own stages.toml with --config", file=sys.stderr)
        return Exit.USAGE
    except KeyboardInterrupt:
        return Exit.INTERRUPTED


def _checked(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options, or the end of this process."""
    made = parser()
    options = made.parse_args(arguments)
    if options.host and (options.config or options.seed is not None):
        made.error("--config and --seed are for a gateway that is started here, --host is not")
    if options.control and not options.host:
        made.error("--control is for a running gateway, and belongs to --host")
    if options.users < 1:
        made.error(f"--users is {options.users}; it must be 1 or more")
    _check_workers(made, options)
    for name in _PASSED_TO_ROLLOUT:
        if _value(options, name) is not None and not TESTS[options.test].moves:
            made.error(f"{name} is for --test rollout")
    silent = target.deaf(*options.locust_master) if options.locust_master else None
    if silent is not None:
        print(f"error[cannot-listen]: {silent}", file=sys.stderr)
        raise SystemExit(Exit.UNREACHABLE)
    if options.seed is None and not options.host:
        options.seed = secrets.randbelow(1 << 31)  # so that every report names one
    return options


def _check_workers(made: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Refuse options that have no effect, or contradict each other."""
    if options.locust_master and options.processes:
        made.error("--processes are of this machine, and --locust-master is for others")
    for name in ("--expect-workers", "--workers-within"):
        if _value(options, name) is not None and not options.locust_master:
            made.error(f"{name} belongs to --locust-master")
    if options.expect_workers is not None and options.expect_workers < 1:
        made.error(f"--expect-workers is {options.expect_workers}; it must be 1 or more")


def _interrupt(_signum: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _make_sticky(served: Served) -> None:
    """Make `release` of the example sticky; its own configuration has no such split."""
    ControlPlane(served.control or "").route("orders", "release", _STICKY)


def _drive(options: argparse.Namespace, served: Served) -> int:
    environment = {**os.environ, PASSED_DOWN: repeat(options)}
    command = locust(options, served)
    with subprocess.Popen(command, env=environment) as process:  # noqa: S603 - our own command
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.terminate()  # a terminal has told Locust already; a supervisor has not
            process.wait()
            raise


def locust(options: argparse.Namespace, served: Served) -> list[str]:
    """The command line of Locust."""
    test, users = TESTS[options.test], str(options.users)
    command = [sys.executable, "-m", "locust", "-f", str(FOLDER / test.locustfile), "--headless"]
    command += ["--only-summary", "--loglevel", "WARNING", "--users", users]
    command += ["--host", served.data]
    if test.name in SHAPES:
        command += ["--shape", test.name]
        options.seconds = options.seconds or test.seconds
    else:
        command += ["--spawn-rate", users]
    if test.moves and served.control:
        options.control = served.control
    if options.seed is not None:
        command += ["--gateway-seed", str(options.seed)]
    if options.processes:
        port = str(_free_port())
        command += ["--processes", str(options.processes)]
        command += ["--master-port", port, "--master-bind-port", port]
    if options.locust_master:
        host, port = options.locust_master
        command += ["--master", "--master-bind-host", host, "--master-bind-port", str(port)]
        command += ["--expect-workers", str(options.expect_workers or 1)]
    return command + _passed_on(options)


def _passed_on(options: argparse.Namespace) -> list[str]:
    """What Locust is told as we were told it."""
    arguments = ["--until-decided"] if options.until_decided else []
    for name in (*_PASSED_ON, *_PASSED_TO_ROLLOUT):
        value = _value(options, name)
        arguments += [name, str(value)] if value is not None else []
    for name in _PASSED_ON_OFTEN:
        for value in _value(options, name):
            arguments += [name, value]
    return arguments


def _value(options: argparse.Namespace, name: str) -> Any:  # noqa: ANN401 - an option's
    return getattr(options, name[2:].replace("-", "_"))


def repeat(options: argparse.Namespace) -> str:
    """The command that repeats a run, its seed included."""
    arguments = ["--test", options.test, "--users", str(options.users)]
    for name in ("--config", "--seed", "--host", "--processes", "--expect-workers"):
        value = _value(options, name)
        arguments += [name, str(value)] if value is not None else []
    if options.locust_master:
        host, port = options.locust_master
        arguments += ["--locust-master", f"{host}:{port}"]
    return shlex.join(["python", "-m", "loadtests.run", *arguments, *_passed_on(options)])


def _free_port() -> int:
    """A port for Locust's processes among themselves; the usual one may be taken."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


if __name__ == "__main__":
    sys.exit(main())
