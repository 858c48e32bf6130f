"""`gateway serve`: both planes in one process until Ctrl-C."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.cli.exits import Exit
from gateway.cli.failures import broken_words, fail, load_or_fail
from gateway.cli.options import config_option

if TYPE_CHECKING:
    from gateway.app import Addresses, Gateway

_PORT = click.IntRange(0, 65535)


@click.command("serve", short_help="Serve the stages of stages.toml.")
@config_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address that callers reach.")
@click.option("--port", type=_PORT, default=8080, show_default=True, help="Port for callers.")
@click.option(
    "--control-port", type=_PORT, default=8081, show_default=True, help="Port for steering."
)
@click.option("--seed", type=int, help="Makes every weighted choice repeatable.")
def command(config: Path, host: str, port: int, control_port: int, seed: int | None) -> None:
    """Serve the stages of stages.toml.

    Prints one line on standard output when both listeners accept connections. Ctrl-C stops
    accepting and finishes what is in flight; a second Ctrl-C does not wait.

    \b
    Examples:
      gateway serve
      gateway serve --config shop/stages.toml --port 9000 --seed 7
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    declaration = load_or_fail(config)
    from gateway.app import Addresses, BrokenVersions, Gateway

    try:
        gateway = Gateway(declaration, seed)
    except BrokenVersions as broken:
        click.echo(broken_words(broken), err=True)
        raise click.exceptions.Exit(Exit.INVALID) from None
    _serve(gateway, Addresses(host, port, control_port))


def _serve(gateway: Gateway, where: Addresses) -> None:
    from gateway.app import serve
    from gateway.cli.picture import routing_picture, traffic_picture
    from gateway.dataplane.server import PortInUse

    def ready(line: str) -> None:
        click.echo(routing_picture(gateway.live.snapshot), err=True)
        click.echo(f"seed {gateway.seed}; Ctrl-C stops", err=True)
        click.echo(line)

    try:
        with asyncio.Runner(loop_factory=_event_loop()) as runner:
            runner.run(serve(gateway, where, ready))
    except* PortInUse as group:
        message = str(group.exceptions[0])
        hint = "choose another with --port and --control-port; 0 takes a free one"
        fail("cannot-listen", message, Exit.CANNOT_START, hint)
    click.echo(traffic_picture(gateway.counters), err=True)


def _event_loop() -> type[asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # not made for this platform: asyncio's own loop serves, slower
        return None
    loop: type[asyncio.AbstractEventLoop] = uvloop.Loop
    return loop
