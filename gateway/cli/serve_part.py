"""One process of `gateway serve --workers N`: the one that is steered, or one that answers callers.

It is started by the one that is over all of them, and ends with it.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import (
    AbstractContextManager,
    ExitStack,
    asynccontextmanager,
    closing,
    contextmanager,
    nullcontext,
)
from dataclasses import replace
from math import ceil
from pathlib import Path
from random import Random
from time import monotonic
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.events import event_words
from gateway.cli.leaving import leave
from gateway.cli.picture import traffic_picture
from gateway.cli.serve import event_loop, tell_start
from gateway.cli.serve_options import addresses_of, intercepting, setup_of
from gateway.cli.starting import starting
from gateway.workers.link import Link, Order

if TYPE_CHECKING:
    from gateway.app import Gateway, Setup
    from gateway.controlplane.events import Event
    from gateway.observe import Counters
    from gateway.serving import Addresses, Handed, Interception

_PATHS = ("config", "intercept_ca")


def main(descriptor: int) -> int:
    """Do what the other side of a socket orders; gives the exit code.

    Args:
        descriptor: Of the socket.
    """
    colour = False if os.environ.get("NO_COLOR") else None
    with closing(Link(descriptor)) as link, click.Context(click.Command("serve"), color=colour):
        order = link.order()
        try:
            if order is not None:
                Part(link, order).run()
        except click.UsageError as error:
            error.show()
            return error.exit_code
        except click.exceptions.Exit as ended:
            return ended.exit_code
    return 0


class Part:
    """One process.

    Args:
        link: The way to the one that started it.
        order: What it is to do.
    """

    def __init__(self, link: Link, order: Order) -> None:
        self._link = link
        self._order = order
        self._given = _given(order.given)
        self._is_worker = "data" in order.sockets

    def run(self) -> None:
        """Serve until it is told to stop.

        Raises:
            click.exceptions.Exit: It cannot be started, and has said why.
        """
        setup = self._setup()
        with starting(), self._intercepting(setup) as intercept, self._handed() as handed:
            where = self._where(intercept, handed)
            with asyncio.Runner(loop_factory=event_loop()) as runner:
                runner.run(self._serve(setup, where))

    def _setup(self) -> Setup:
        from gateway.setup import Role

        order, setup = self._order, setup_of(self._given)
        setup = replace(setup, joined=True, process=order.name)
        if not self._is_worker:
            return replace(setup, role=Role.CONTROL, again=order.started > 0)
        seed = worker_seed(self._given["seed"], order.number, order.started)
        return replace(setup, role=Role.WORKER, file=None, seed=seed)

    def _intercepting(self, setup: Setup) -> AbstractContextManager[Interception | None]:
        return nullcontext() if self._is_worker else intercepting(self._given, setup.state)

    def _where(self, intercept: Interception | None, handed: Handed) -> Addresses:
        where = addresses_of(self._given, intercept)
        share = ceil(where.edge.requests / self._order.workers)
        return replace(where, handed=handed, edge=replace(where.edge, requests=share))

    @contextmanager
    def _handed(self) -> Iterator[Handed]:
        """What was inherited, until the end."""
        from gateway.dataplane.accepting import Crowd
        from gateway.dataplane.listeners import adopt
        from gateway.serving import Handed

        sockets, crowd = dict(self._order.sockets), None
        counts = sockets.pop("crowd", None)
        if counts is not None:
            crowd = Crowd(counts, self._order.number)
            os.close(counts)
        with ExitStack() as stack:
            yield Handed(
                {use: stack.enter_context(adopt(number)) for use, number in sockets.items()},
                self._order.ports,
                self._order.data_url,
                self._keep_company,
                crowd,
            )

    async def _serve(self, setup: Setup, where: Addresses) -> None:
        from gateway.app import Gateway
        from gateway.serving import serve

        gateway = await Gateway.open(setup)

        def ready(line: str) -> None:
            if not self._is_worker and not self._order.started:
                tell_start(gateway)
            else:
                for warning in gateway.warnings:
                    click.echo(f"{self._order.name}: {warning}", err=True)
            self._link.tell(ready=line)

        await serve(gateway, where, ready, watch=self._given["watch"], tell=self._tell)
        if not self._is_worker:
            click.echo(traffic_picture(_counted(gateway)), err=True)

    async def _keep_company(self, gateway: Gateway, stop: Callable[[], None]) -> None:
        """Do what is said, until nobody is there any more to say anything."""
        async with self._recording(gateway):
            async for word in self._link.words():
                await heed(gateway, word)
            stop()

    @asynccontextmanager
    async def _recording(self, gateway: Gateway) -> AsyncIterator[None]:
        """Workers offer what they record, and who is steered puts it together."""
        from gateway.dataplane.tap import Tap
        from gateway.workers.recording import GatheringRecorder, Offering

        folder, service = Path(self._order.folder), gateway.service
        if not self._is_worker:
            tap = Tap(gateway.live, monotonic)
            service.recorder = GatheringRecorder(tap, folder, self._order.workers)
            yield
            return
        socket = folder / f"{self._order.number + 1}-{os.getpid()}"
        offering = asyncio.create_task(Offering(service.recorder, socket).run())
        try:
            yield
        finally:
            offering.cancel()
            await asyncio.wait([offering])

    def _tell(self, event: Event) -> None:
        """Say what happened: what every process sees, one says."""
        if not self._is_worker:
            if event.name == "revision":
                self._link.tell(revision=event.id)
            elif event.name == "reload":
                self._link.tell(reload=event.data["function"])
            click.echo(event_words(event.name, event.data), err=True)
        elif event.name == "error":
            click.echo(f"{self._order.name}: {event_words(event.name, event.data)}", err=True)


async def heed(gateway: Gateway, word: Mapping[str, Any]) -> None:
    """Do what who is steered has said: it is a hint, and what is live is in the state."""
    if "reload" in word:
        await reload(gateway, word["reload"])
    else:
        gateway.service.store.heed()


async def reload(gateway: Gateway, function: str) -> None:
    """Load the code of `$LATEST` as it is on disk now; another process found that it was edited."""
    from gateway.controlplane.code import is_package
    from gateway.core.names import LATEST

    known = gateway.live.snapshot.functions.get(function)
    if known is not None and not is_package(known.versions[LATEST].code):
        await gateway.service.reload(function, Path(known.versions[LATEST].code))


def _counted(gateway: Gateway) -> Counters:
    """What all processes of this gateway answered."""
    from gateway.observe import Counters

    peers = gateway.service.peers
    ours = (each for each in peers.processes() if peers.sender.is_beside(each.sender))
    return Counters.together(each.counters for each in ours)


def worker_seed(seed: int, number: int, started: int) -> int:
    """The seed of one worker: its draws are its own, and the same whenever all is repeated."""
    text = f"{seed}/worker/{number}/{started}"
    return Random(text).getrandbits(32)  # noqa: S311 - to repeat is the purpose


def _given(told: Mapping[str, Any]) -> dict[str, Any]:
    """The options, as they were before they were JSON."""
    paths = {name: Path(told[name]) for name in _PATHS if told[name] is not None}
    return {**told, **paths}


if __name__ == "__main__":
    before = frozenset(threading.enumerate())
    status = main(int(sys.argv[2]))
    leave(before)
    sys.exit(status)
