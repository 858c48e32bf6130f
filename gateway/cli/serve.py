"""`gateway serve`: both planes until Ctrl-C, in one process or in several."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.edge_options import edge_options
from gateway.cli.intercepting import intercept_options
from gateway.cli.leaving import leave
from gateway.cli.log_options import log_options
from gateway.cli.options import config_option
from gateway.cli.serve_options import addresses_of, check, intercepting, setup_of
from gateway.cli.starting import starting
from gateway.cli.state import role_option, state_option

if TYPE_CHECKING:
    from gateway.app import Gateway, Setup
    from gateway.serving import Addresses

_PORT = click.IntRange(0, 65535)


@click.command("serve", short_help="Serve the stages of stages.toml.")
@config_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address that callers reach.")
@click.option("--port", type=_PORT, default=8080, show_default=True, help="Port for callers.")
@click.option(
    "--control-host",
    default="127.0.0.1",
    show_default=True,
    help="Address for steering; any but this machine's own needs a token in GATEWAY_TOKEN.",
)
@click.option(
    "--control-port", type=_PORT, default=8081, show_default=True, help="Port for steering."
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    metavar="N",
    help="Processes that answer callers; with more than one, another one is steered.",
)
@state_option
@role_option
@click.option("--seed", type=int, help="Makes every weighted choice repeatable.")
@click.option(
    "--watch/--no-watch", default=True, show_default=True, help="Pick up edits of file and code."
)
@click.option(
    "--retries",
    type=click.IntRange(0, 100),
    default=2,
    show_default=True,
    help="Further attempts of an asynchronous invocation that fails.",
)
@click.option(
    "--retry-delay",
    type=click.FloatRange(0, 3600),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="Before each of them.",
)
@edge_options
@log_options
@intercept_options
@click.option(
    "--accept-any-signature",
    is_flag=True,
    help="Answer clients of the cloud whatever they sign with.",
)
def command(**given: Any) -> None:  # noqa: ANN401 - options, as click read them
    """Serve the stages of stages.toml.

    Prints one line on standard output when both listeners accept connections, and a second one
    about the front of --intercept-port. What is changed while it runs is remembered in the state
    file and survives a restart. Edits of stages.toml and of the functions' latest/ folders are
    picked up at once. Ctrl-C stops accepting and finishes what is in flight; a second Ctrl-C does
    not wait. SIGTERM does the same; with --reuse-port a second gateway may have taken over by then.
    With several workers, SIGHUP replaces them one by one.

    \b
    Examples:
      gateway serve
      gateway serve --config shop/stages.toml --port 9000 --seed 7
      gateway serve --state :memory: --no-watch
      gateway serve --workers 4
      gateway serve --state postgresql://gateway@db.example/gateway --role data
      gateway serve --intercept-port 8082
      gateway serve --max-requests 200 --deadline head=5 --lenient no-host
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    if given["workers"] > 1:
        from gateway.cli.serve_workers import serve_workers  # not needed by one process

        check(given)
        serve_workers(given)
        return
    setup, before = setup_of(given), frozenset(threading.enumerate())
    with starting(), intercepting(given, setup.state) as intercept:
        where = addresses_of(given, intercept)
        with asyncio.Runner(loop_factory=event_loop()) as runner:
            runner.run(_serve(setup, where, watch=given["watch"]))
    leave(before)


async def _serve(setup: Setup, where: Addresses, *, watch: bool) -> None:
    from gateway.app import Gateway
    from gateway.cli.events import event_words
    from gateway.cli.picture import traffic_picture
    from gateway.serving import serve

    gateway = await Gateway.open(setup)

    def ready(line: str) -> None:
        tell_start(gateway)
        click.echo(line)

    await serve(
        gateway,
        where,
        ready,
        watch=watch,
        tell=lambda event: click.echo(event_words(event.name, event.data), err=True),
    )
    click.echo(traffic_picture(gateway.observer.counters), err=True)


def tell_start(gateway: Gateway) -> None:
    """Say where stages lead, and what makes that repeatable."""
    from gateway.cli.picture import routing_picture

    for warning in gateway.warnings:
        click.echo(warning, err=True)
    click.echo(routing_picture(gateway.live.snapshot), err=True)
    click.echo(f"seed {gateway.seed}; Ctrl-C stops", err=True)


def event_loop() -> type[asyncio.AbstractEventLoop] | None:
    """That of uvloop where it is made for the platform; asyncio's own serves too, slower."""
    try:
        import uvloop
    except ImportError:
        return None
    loop: type[asyncio.AbstractEventLoop] = uvloop.Loop
    return loop
