"""`gateway serve --workers N`: the process that is over the others, small and quick."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from random import SystemRandom
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.exits import Exit
from gateway.cli.failures import fail
from gateway.cli.starting import listening
from gateway.cli.state import FORGETFUL

if TYPE_CHECKING:
    from gateway.workers.supervisor import Listeners, NotStarted

_FRONT = "127.0.0.1"


def serve_workers(given: Mapping[str, Any]) -> None:
    """Serve until a signal asks to stop.

    Args:
        given: The options.

    Raises:
        click.UsageError: Nobody would answer callers.
        click.exceptions.Exit: A process cannot be started, or was not when it was asked to stop.
    """
    if given["role"] == "control":
        raise click.UsageError("--role control answers no callers, and --workers are who does")
    from gateway.workers.supervisor import NotStarted

    with listening():
        listeners = _listeners(given)
    try:
        with _remembered(given) as settled:
            asyncio.run(_supervise(listeners, settled))
    except NotStarted as error:
        _give_up(error)


async def _supervise(listeners: Listeners, given: Mapping[str, Any]) -> None:
    from gateway.workers.supervisor import Supervisor

    def say(line: str) -> None:
        click.echo(line, err=True)

    supervisor = Supervisor(listeners, given["workers"], given, say)
    await supervisor.run(lambda word: click.echo(word["ready"]))
    if not supervisor.was_ready:
        raise click.exceptions.Exit(Exit.INTERRUPTED)


def _listeners(given: Mapping[str, Any]) -> Listeners:
    from gateway.dataplane.listeners import PortInUse, bind
    from gateway.workers.supervisor import Listeners

    shared = given["reuse_port"]
    bound = [bind(given["host"], given["port"], shared=shared)]
    try:
        bound.append(bind(given["control_host"], given["control_port"], shared=shared))
        if given["intercept_port"] is not None:
            bound.append(bind(_FRONT, given["intercept_port"]))
    except PortInUse:
        for each in bound:
            each.close()
        raise
    return Listeners(*bound)


@contextmanager
def _remembered(given: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The options as each process is told them: one seed, and a state in which they meet."""
    settled = dict(given)
    if settled["seed"] is None:
        settled["seed"] = SystemRandom().getrandbits(32)
    if settled["state"] != FORGETFUL:
        yield settled
        return
    with TemporaryDirectory(prefix="gateway-", ignore_cleanup_errors=True) as folder:
        yield settled | {"state": str(Path(folder) / "state.db")}


def _give_up(error: NotStarted) -> None:
    """End as the process that could not be started: it has said why, unless it could not."""
    if error.name == "control" and error.status > 0:
        raise click.exceptions.Exit(error.status)
    fail("worker-lost", str(error), Exit.CANNOT_START)
