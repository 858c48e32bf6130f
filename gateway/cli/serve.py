"""`gateway serve`: both planes in one process until Ctrl-C."""

from __future__ import annotations

import asyncio
import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.cli.edge_options import edge, edge_options
from gateway.cli.intercepting import intercept_options, interception
from gateway.cli.options import config_option
from gateway.cli.picture import routing_picture, traffic_picture
from gateway.cli.starting import starting
from gateway.cli.state import declared_file, role_option, state_option, state_place

if TYPE_CHECKING:
    from gateway.app import Setup
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
@intercept_options
@click.option(
    "--accept-any-signature",
    is_flag=True,
    help="Answer clients of the cloud whatever they sign with.",
)
def command(  # noqa: PLR0913 - one parameter for each option
    *,
    config: Path,
    host: str,
    port: int,
    control_host: str,
    control_port: int,
    state: str | None,
    role: str,
    seed: int | None,
    watch: bool,
    retries: int,
    retry_delay: float,
    max_requests: int,
    max_body: int,
    deadlines: tuple[str, ...],
    lenient: tuple[str, ...],
    reuse_port: bool,
    intercept_port: int | None,
    intercept_ca: Path | None,
    accept_any_signature: bool,
) -> None:
    """Serve the stages of stages.toml.

    Prints one line on standard output when both listeners accept connections, and a second one
    about the front of --intercept-port. What is changed while it runs is remembered in the state
    file and survives a restart. Edits of stages.toml and of the functions' latest/ folders are
    picked up at once. Ctrl-C stops accepting and finishes what is in flight; a second Ctrl-C does
    not wait. SIGTERM does the same; with --reuse-port a second gateway may have taken over by then.

    \b
    Examples:
      gateway serve
      gateway serve --config shop/stages.toml --port 9000 --seed 7
      gateway serve --state :memory: --no-watch
      gateway serve --state postgresql://gateway@db.example/gateway --role data
      gateway serve --intercept-port 8082
      gateway serve --max-requests 200 --deadline head=5 --lenient no-host
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    from gateway.app import Setup
    from gateway.controlplane.attempts import Policy
    from gateway.serving import LOOPBACKS, Addresses

    place, database = state_place(state, config)
    setup = Setup(
        file=declared_file(role, config, database),
        state=place,
        database=database,
        seed=seed,
        token=os.environ.get("GATEWAY_TOKEN") or None,
        control_hosts=() if control_host in LOOPBACKS else (control_host,),
        policy=Policy(retries=retries, delay=retry_delay),
        keys=_keys(),
        accept_any_signature=accept_any_signature,
        traced=_traced(),
    )
    with starting(), interception(intercept_port, intercept_ca, setup.state) as intercept:
        taken = edge(max_requests, max_body, deadlines, lenient)
        where = Addresses(
            host, port, control_port, control_host, intercept, edge=taken, shared=reuse_port
        )
        with asyncio.Runner(loop_factory=_event_loop()) as runner:
            runner.run(_serve(setup, where, watch=watch))


def _traced() -> float | None:
    """The share of requests that OpenTelemetry is told of, by its own variables."""
    from gateway.observe.traces import TracingUnavailable

    told = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    if not any(os.environ.get(name) for name in told):
        return None
    if find_spec("opentelemetry") is None:
        raise click.UsageError(f"{told[0]} is set, and {TracingUnavailable()}")
    text = os.environ.get("OTEL_TRACES_SAMPLER_ARG", "0.01")
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise click.UsageError(f"OTEL_TRACES_SAMPLER_ARG is {text!r}; allowed: a share, 0 to 1")
    return share


def _keys() -> dict[str, str] | None:
    """The key pairs of clients of the cloud; `None` where none are configured."""
    from gateway.controlplane.cloud import parse_keys
    from gateway.core.errors import Refused

    text = os.environ.get("GATEWAY_KEYS", "").strip()
    if not text:
        return None
    try:
        return parse_keys(text)
    except Refused as refused:
        raise click.UsageError(f"GATEWAY_KEYS: {refused}") from None


async def _serve(setup: Setup, where: Addresses, *, watch: bool) -> None:
    from gateway.app import Gateway
    from gateway.cli.events import event_words
    from gateway.serving import serve

    gateway = await Gateway.open(setup)

    def ready(line: str) -> None:
        for warning in gateway.warnings:
            click.echo(warning, err=True)
        click.echo(routing_picture(gateway.live.snapshot), err=True)
        click.echo(f"seed {gateway.seed}; Ctrl-C stops", err=True)
        click.echo(line)

    await serve(
        gateway,
        where,
        ready,
        watch=watch,
        tell=lambda event: click.echo(event_words(event.name, event.data), err=True),
    )
    click.echo(traffic_picture(gateway.observer.counters), err=True)


def _event_loop() -> type[asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # not made for this platform: asyncio's own loop serves, slower
        return None
    loop: type[asyncio.AbstractEventLoop] = uvloop.Loop
    return loop
