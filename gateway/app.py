"""The composition root: builds every object, and hands out the clock and the dice.

Nothing below this module makes its own collaborators, and nothing but this module knows all of
them.
"""

from __future__ import annotations

import os
from asyncio import Task, create_task, sleep
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random, SystemRandom
from time import monotonic, monotonic_ns, time
from typing import Final

from gateway.controlplane import Control, control_app
from gateway.controlplane.asynchronous import Asynchronous, Host
from gateway.controlplane.attempts import Policy
from gateway.controlplane.code import Code
from gateway.controlplane.declaring import Declaring
from gateway.controlplane.events import Event, Events
from gateway.controlplane.invoking import Invoking
from gateway.controlplane.news import error_event
from gateway.controlplane.writer import Writer
from gateway.dataplane.explaining import explain_request
from gateway.dataplane.faults import Faults
from gateway.dataplane.features import Guards
from gateway.dataplane.forward import HttpForwarder
from gateway.dataplane.plane import DataPlane
from gateway.dice import Dice
from gateway.live import Live
from gateway.observe import Observer
from gateway.runtime import Runtime
from gateway.store.cache import CodeFolders
from gateway.store.protocol import Author, Store
from gateway.store.recovery import Recovered, recover
from gateway.store.sqlite import SqliteStore

MEMORY: Final = ":memory:"
"""The state of a gateway that forgets everything in the end."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What a gateway is built from.

    Attributes:
        file: The stages.toml that is applied at the start; `None` for the remembered state alone.
        state: The file of the journal; `None` to forget everything in the end.
        seed: Seeds the dice; `None` takes a seed from the system.
        token: What the control plane asks for; `None` for nothing.
        control_hosts: Names, beside this machine's loopback, under which the control plane answers.
        policy: How asynchronous invocations are tried again.
    """

    file: Path | None = None
    state: Path | None = None
    seed: int | None = None
    token: str | None = None
    control_hosts: tuple[str, ...] = ()
    policy: Policy = field(default_factory=Policy)


class Gateway:
    """A gateway that is ready to be served. `open` builds one; `close` lets go of it.

    Attributes:
        live: The live snapshot.
        seed: The seed in use.
        observer: Is told of every answer.
        events: The hub of everything that happens.
        faults: Runs versions, and gets wrong what it is told to.
        asynchronous: Runs what nobody waits for.
        service: Everything that can be asked of the control plane.
        plane: The data plane, an ASGI application.
        control: The control plane, an ASGI application.
        warnings: What the file may say and hardly means.
    """

    warnings: tuple[str, ...] = ()
    _observing: Task[None] | None = None

    def __init__(self, setup: Setup, store: Store, recovered: Recovered) -> None:
        self.setup = setup
        self.seed = SystemRandom().getrandbits(32) if setup.seed is None else setup.seed
        self.live = Live(recovered.snapshot)
        self.observer = Observer(monotonic)
        self.events = Events()
        self.forwarder = HttpForwarder(
            lambda trouble: self.events.publish(
                Event.error("backend-failed", trouble.reason, where=trouble.url)
            )
        )
        dice, new_id = Dice(self.seed), request_ids()
        self._store = store
        self._folders = (
            CodeFolders(setup.state.parent / "code") if setup.state else CodeFolders.temporary()
        )
        self._code = Code(store, self._folders, time)
        self.runtime = Runtime(self._code.folder_of)
        self.writer = Writer(
            live=self.live,
            runtime=self.runtime,
            store=store,
            events=self.events,
            fetch=self._code.fetch,
            clock=time,
            declared=recovered.declared,
        )
        self.faults = Faults(self.runtime, self.live, self.seed, sleep)
        invoking = Invoking(self.live, self.faults, dice, new_id)
        self.asynchronous = self._unwaited(invoking)
        self.service = self._steered(invoking)
        self.plane = DataPlane(
            live=self.live,
            invoker=self.faults,
            draw=dice,
            observer=self.observer,
            now=monotonic,
            new_id=new_id,
            forwarder=self.forwarder,
            guards=Guards(monotonic_ns, time),
        )
        self.control = control_app(self.service, hosts=setup.control_hosts, token=setup.token)

    def _unwaited(self, invoking: Invoking) -> Asynchronous:
        return Asynchronous(
            invoking,
            self._store.invocations,
            Host(clock=time, pause=sleep, process=os.getpid(), alive=is_alive),
            lambda error, where: self.events.publish(error_event(error, where)),
            self.setup.policy,
        )

    def _steered(self, invoking: Invoking) -> Control:
        return Control(
            live=self.live,
            runtime=self.runtime,
            store=self._store,
            code=self._code,
            events=self.events,
            observer=self.observer,
            writer=self.writer,
            declaring=Declaring(self.writer, self.live, self._code, self.setup.file),
            explain=explain_request,
            what_if=Dice(self.seed),  # a question must not move the sequences of requests
            invoking=invoking,
            asynchronous=self.asynchronous,
        )

    @classmethod
    async def open(cls, setup: Setup) -> Gateway:
        """Recover the remembered state, apply the file, and load every version.

        Raises:
            StateUnusable: The state cannot be opened, or is damaged.
            ConfigurationInvalid: The file is wrong.
            BrokenVersions: Some handlers do not load; all of them are named.
        """
        store = await SqliteStore.open(setup.state or MEMORY)
        try:
            recovered = await recover(store)
            gateway = cls(setup, store, recovered)
        except BaseException:
            await store.close()
            raise
        try:
            await gateway._begin()
        except BaseException:
            await gateway.close()
            raise
        return gateway

    async def _begin(self) -> None:
        if self.setup.file is not None:
            author = Author("stages.toml", str(self.setup.file))
            self.warnings = (await self.service.apply_file(None, author)).warnings
        versions = list(self.live.snapshot.versions())
        await self._code.forget(self.live.snapshot)
        await self._code.fetch(versions)
        self.runtime.prove_all(versions)
        await self.asynchronous.resume()
        self._observing = create_task(self.observer.run(sleep))

    async def close(self) -> None:
        """Finish the changes that are being made, and let go of everything."""
        self.events.close()
        if self._observing is not None:
            self._observing.cancel()
        await self.writer.drain()
        await self.asynchronous.close()
        await self.plane.close()
        await self.forwarder.close()
        self.runtime.close()
        await self.runtime.web.closed()
        await self._store.close()
        self._folders.close()


def request_ids() -> Callable[[], str]:
    """Ids of 32 hexadecimal digits, from dice of their own: a seed must not repeat them."""
    bits = Random(SystemRandom().getrandbits(128)).getrandbits  # noqa: S311 - ids are no secrets
    return lambda: f"{bits(128):032x}"


def is_alive(process: int) -> bool:
    """Whether the process of a number still is, whoever's it is."""
    try:
        os.kill(process, 0)  # no signal: only the question
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
