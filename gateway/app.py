"""The composition root: builds every object, and hands out the clock and the dice.

Nothing below this module makes its own collaborators, and nothing but this module knows all of
them.
"""

from __future__ import annotations

import os
from asyncio import Task, create_task, sleep
from collections.abc import Callable
from pathlib import Path
from random import SystemRandom
from time import monotonic, monotonic_ns, time

from starlette.types import ASGIApp

from gateway.beginning import declare, prove
from gateway.console import Console
from gateway.controlplane import Control, control_app
from gateway.controlplane.asynchronous import Asynchronous, Host
from gateway.controlplane.circuits import nobody
from gateway.controlplane.cloud import Access, key_pair
from gateway.controlplane.code import Code
from gateway.controlplane.declaring import Declaring
from gateway.controlplane.events import Event, Events
from gateway.controlplane.invoking import Invoking
from gateway.controlplane.logbook import Clocks
from gateway.controlplane.news import error_event
from gateway.controlplane.objects import Objects, ObjectsApi, Signers
from gateway.controlplane.peers import Activity
from gateway.controlplane.recent import Recent
from gateway.controlplane.runs import Place, Runs
from gateway.controlplane.writer import Writer
from gateway.core.changes import Change
from gateway.core.snapshot import Snapshot
from gateway.dataplane.breakers import Breakers
from gateway.dataplane.explaining import explain_request
from gateway.dataplane.faults import Faults
from gateway.dataplane.features import Guards
from gateway.dataplane.forward import HttpForwarder
from gateway.dataplane.plane import DataPlane
from gateway.dataplane.tap import Recorder, Tap
from gateway.dice import Dice, request_ids
from gateway.live import Live
from gateway.rollout.controller import Rollouts
from gateway.rollout.told import Desk
from gateway.rollout.watching import Watching
from gateway.runtime import Runtime
from gateway.setup import Setup, exchange_of, open_log, open_store, sender_of
from gateway.sight import Among, Sight, Sources
from gateway.store.cache import CodeFolders
from gateway.store.invocation_log import InvocationLog
from gateway.store.leading import in_the_lead
from gateway.store.owners import is_alive
from gateway.store.protocol import Author, Store
from gateway.store.recovery import Recovered, recover
from gateway.traffic.capturing import line_of

__all__ = ["Gateway", "Setup"]


class Gateway:
    """A gateway that is ready to be served. `open` builds one; `close` lets go of it.

    Attributes:
        live: The live snapshot.
        seed: The seed in use.
        observer: Is told of every answer.
        logbook: Keeps single invocations.
        rollouts: Moves aliases step by step.
        events: The hub of everything that happens.
        faults: Runs versions, and gets wrong what it is told to.
        asynchronous: Runs what nobody waits for.
        service: Everything that can be asked of the control plane.
        plane: The data plane, an ASGI application.
        control: The control plane, an ASGI application.
        uploads: The object store, an ASGI application.
        warnings: What the file may say and hardly means.
    """

    warnings: tuple[str, ...] = ()
    _tasks: tuple[Task[None], ...] = ()

    def __init__(
        self, setup: Setup, store: Store, log: InvocationLog, recovered: Recovered
    ) -> None:
        self.setup = setup
        self.seed = SystemRandom().getrandbits(32) if setup.seed is None else setup.seed
        self.live = Live(recovered.snapshot)
        sender = sender_of(setup)
        self._sight = Sight(
            Clocks(time, monotonic),
            Sources(self.live, log, self._activity, lambda: store.age),
            Among(sender, exchange_of(setup, sender), setup.role.steered),
            lambda error, where: self.events.publish(error_event(error, where)),
            setup.traced,
        )
        self.observer, self.logbook = self._sight.observer, self._sight.logbook
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
        self._objects = Objects.beside(setup.state, time)
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
        self.faults = self._faulty()
        invoking = Invoking(self.live, self.faults, dice, new_id, self.logbook.invoked)
        self.asynchronous = self._unwaited(invoking)
        self.service = self._steered(invoking)
        self.plane = self._answering(dice, new_id)
        self.rollouts = self._rolling()
        self.service.rollouts = Desk(self.rollouts)
        self.service.runs = self._running()
        self.service.recorder = Recorder(self.plane, Tap(self.live, monotonic), line_of)
        self.control, self.uploads = self._steering()

    def _activity(self) -> Activity:
        return self.runtime.activity()

    def _faulty(self) -> Faults:
        breakers = Breakers(monotonic, lambda turned: self.events.publish(Event.breaker(turned)))
        return Faults(self.runtime, self.live, self.seed, sleep, breakers)

    def _answering(self, dice: Dice, new_id: Callable[[], str]) -> DataPlane:
        return DataPlane(
            live=self.live,
            invoker=self.faults,
            draw=dice,
            observer=self.observer,
            now=monotonic,
            new_id=new_id,
            forwarder=self.forwarder,
            guards=Guards(monotonic_ns, time),
        )

    def _steering(self) -> tuple[ASGIApp, ObjectsApi]:
        """The control plane and the object store: what is signed for both has the same keys."""
        setup, accept_any = self.setup, self.setup.accept_any_signature
        keys = key_pair(setup.token) if setup.keys is None else setup.keys
        control = control_app(
            self.service,
            hosts=setup.control_hosts,
            token=setup.token,
            access=Access(keys, time, accept_any=accept_any),
            pages=lambda nowhere: Console(nowhere, setup.token),
        )
        return control, ObjectsApi(self._objects, Signers(keys, time, accept_any=accept_any))

    def _unwaited(self, invoking: Invoking) -> Asynchronous:
        return Asynchronous(
            invoking,
            self._store.invocations,
            Host(clock=time, pause=sleep, process=os.getpid(), alive=is_alive),
            lambda error, where: self.events.publish(error_event(error, where)),
            self.setup.policy,
        )

    def _rolling(self) -> Rollouts:
        async def change(
            ask: Callable[[Snapshot], Change], who: str, why: str, expected: int | None = None
        ) -> int:
            done = await self.service.change(ask, Author(who, why), expected=expected)
            return done.revision

        return Rollouts(
            self.live,
            change,
            Watching(self.observer, lambda: self.live.snapshot.revision, monotonic),
            time,
            lambda error, where: self.events.publish(error_event(error, where)),
        )

    def _running(self) -> Runs:
        folder = Path.cwd() if self.setup.file is None else self.setup.file.parent
        place = Place(folder.resolve(), self.setup.token, lambda: self.service.control_url)
        return Runs(place, time)

    def _steered(self, invoking: Invoking) -> Control:
        return Control(
            live=self.live,
            runtime=self.runtime,
            store=self._store,
            code=self._code,
            events=self.events,
            observer=self.observer,
            logbook=self.logbook,
            shares=self._sight.shares,
            peers=self._sight.peers,
            writer=self.writer,
            declaring=Declaring(self.writer, self.live, self._code, self.setup.file),
            explainer=explain_request,
            what_if=Dice(self.seed),  # a question must not move the sequences of requests
            invoking=invoking,
            asynchronous=self.asynchronous,
            recent=Recent(time),
            objects=self._objects,
            standings=self.faults.breakers.standings if self.setup.role.answers else nobody,
        )

    @classmethod
    async def open(cls, setup: Setup) -> Gateway:
        """Recover the remembered state, apply the file, and load every version.

        Raises:
            StateUnusable: The state cannot be opened, or is damaged.
            ConfigurationInvalid: The file is wrong.
            BrokenVersions: Some handlers do not load; all of them are named.
        """
        store = await open_store(setup)
        try:
            recovered = await recover(store)
            log = await open_log(setup)
        except BaseException:
            await store.close()
            raise
        gateway = cls(setup, store, log, recovered)
        try:
            await gateway._begin()
        except BaseException:
            await gateway.close()
            raise
        return gateway

    async def _begin(self) -> None:
        self.warnings = await declare(self.setup, self.service)
        self.warnings += await prove(self.setup, self.service)
        self._sight.begin(sleep)
        self._tasks = (
            create_task(self.observer.run(sleep)),
            create_task(self.logbook.run(sleep)),
        )
        if self.setup.role.steered:
            await self.asynchronous.resume()
            moving = self.rollouts.run(in_the_lead(self._store, sleep))
            self._tasks += (create_task(moving),)

    async def close(self) -> None:
        """Finish the changes that are being made, and let go of everything."""
        self.events.close()
        for task in self._tasks:
            task.cancel()
        await self.service.runs.close()
        await self.writer.drain()
        await self.asynchronous.close()
        await self.plane.close()
        await self.forwarder.close()
        self.runtime.close()
        await self.runtime.web.closed()
        await self._sight.close()
        await self._store.close()
        self._folders.close()
        self._objects.close()
