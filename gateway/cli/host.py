"""`gateway host`: one version as a plain HTTP server, for an engine that routes by itself."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.cli.exits import Exit
from gateway.cli.failures import fail
from gateway.cli.named import STAGE, VERSION
from gateway.cli.options import config_option, function_argument
from gateway.cli.starting import starting
from gateway.core import names
from gateway.core.errors import listed, nearest

if TYPE_CHECKING:
    from gateway.app import Gateway
    from gateway.core.snapshot import Snapshot


@click.command("host", short_help="Serve one version as a plain HTTP server.")
@function_argument
@click.option("--version", type=VERSION, required=True, help="The version; or '$LATEST'.")
@config_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=9000,
    show_default=True,
    help="Port to listen on.",
)
@click.option(
    "--stage",
    type=STAGE,
    help="The stage whose APIs and variables the version sees; the last one if it is left out.",
)
@click.option("--keep-stage", is_flag=True, help="Paths begin with a stage, as at the gateway.")
def command(  # noqa: PLR0913 - one parameter for each option
    *,
    function: str,
    version: str,
    config: Path,
    host: str,
    port: int,
    stage: str | None,
    keep_stage: bool,
) -> None:
    """Serve one version as a plain HTTP server.

    Every method and path goes to the version, with the same events and web functions as behind
    the gateway. Prints one line on standard output when connections are accepted. Ctrl-C ends it.

    \b
    Examples:
      gateway host orders --version 2 --port 9002
      gateway host orders --version '$LATEST' --stage dev
      gateway host orders --version 2 --keep-stage
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    if stage is not None and keep_stage:
        raise click.UsageError("--stage has no effect with --keep-stage: the path names the stage")
    wanted = Wanted(config, function, version, None if keep_stage else stage or "")
    with starting():
        asyncio.run(_host(wanted, (host, port)))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is hosted.

    Attributes:
        config: The file that declares it.
        function: The function.
        version: The version.
        stage: The stage it sees; empty for the last one, `None` where paths name it.
    """

    config: Path
    function: str
    version: str
    stage: str | None


async def _host(wanted: Wanted, where: tuple[str, int]) -> None:
    from gateway.app import Gateway, Setup
    from gateway.dataplane.hosting import hosted

    gateway = await Gateway.open(Setup(file=wanted.config))
    try:
        snapshot = gateway.live.snapshot
        _check(snapshot, wanted.function, wanted.version)
        gateway.live.swap(hosted(snapshot, wanted.function, wanted.version))
        stage = "" if wanted.stage is None else _stage(gateway.live.snapshot, wanted.stage)
        await _serve(gateway, f"{wanted.function}/{wanted.version}", where, stage)
    finally:
        await gateway.close()


async def _serve(gateway: Gateway, name: str, where: tuple[str, int], stage: str) -> None:
    from gateway.dataplane.hosting import Hosted
    from gateway.dataplane.server import HttpServer, bind

    server = HttpServer(Hosted(gateway.plane, stage), bind(*where), sockets=True)
    gateway.plane.load = server.load
    loop = asyncio.get_running_loop()
    stops = (signal.SIGINT, signal.SIGTERM)
    for number in stops:
        loop.add_signal_handler(number, lambda: server.stop(force=server.should_exit))
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(server.run_until_stopped())
            await server.ready.wait()
            click.echo(f"gateway host {name} at {server.url}")
    finally:
        for number in stops:
            loop.remove_signal_handler(number)


def _check(snapshot: Snapshot, function: str, version: str) -> None:
    """End the command where there is no such version."""
    if function not in snapshot.functions:
        known = list(snapshot.functions)
        message = f"no function {function!r}; there are: {listed(known)}"
        fail("function-not-found", message, Exit.NOT_FOUND, nearest(function, known))
    versions = sorted(snapshot.functions[function].versions, key=names.version_order)
    if version not in versions:
        message = f"function {function!r} has no version {version!r}; it has {listed(versions)}"
        fail("version-not-found", message, Exit.NOT_FOUND)


def _stage(snapshot: Snapshot, wanted: str) -> str:
    """The stage that stands for all; the end of the command where there is none of the name."""
    service = snapshot.default_service
    assert service is not None  # noqa: S101 - a hosted state has one
    order = [name for name in names.STAGES if name in service.stages]
    stage = names.stage_name(wanted) or order[-1]
    if stage not in order:
        message = f"there is no stage {wanted!r}; there are: {listed(order)}"
        fail("stage-not-found", message, Exit.NOT_FOUND)
    return stage
