"""The composition root: builds every object, and hands out the clock and the dice.

Nothing below this module makes its own collaborators, and nothing but this module knows all of
them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random, SystemRandom
from time import time
from typing import Final

from gateway.controlplane import Control, control_app
from gateway.controlplane.code import Code
from gateway.controlplane.declaring import Declaring
from gateway.controlplane.events import Events
from gateway.controlplane.writer import Writer
from gateway.dataplane.explaining import explain_request
from gateway.dataplane.forward import HttpForwarder
from gateway.dataplane.plane import DataPlane
from gateway.dice import Dice
from gateway.live import Live
from gateway.observe import Counters
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
    """

    file: Path | None = None
    state: Path | None = None
    seed: int | None = None
    token: str | None = None
    control_hosts: tuple[str, ...] = ()


class Gateway:
    """A gateway that is ready to be served. `open` builds one; `close` lets go of it.

    Attributes:
        live: The live snapshot.
        seed: The seed in use.
        counters: Counts of answers.
        events: The hub of everything that happens.
        service: Everything that can be asked of the control plane.
        plane: The data plane, an ASGI application.
        control: The control plane, an ASGI application.
        warnings: What the file may say and hardly means.
    """

    warnings: tuple[str, ...] = ()

    def __init__(self, setup: Setup, store: Store, recovered: Recovered) -> None:
        self.setup = setup
        self.seed = SystemRandom().getrandbits(32) if setup.seed is None else setup.seed
        self.live = Live(recovered.snapshot)
        self.counters = Counters()
        self.events = Events()
        self.forwarder = HttpForwarder()
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
        self.service = Control(
            live=self.live,
            runtime=self.runtime,
            store=store,
            code=self._code,
            events=self.events,
            counters=self.counters,
            writer=self.writer,
            declaring=Declaring(self.writer, self.live, self._code, setup.file),
            explain=explain_request,
            draw=dice,
            what_if=Dice(self.seed),  # a question must not move the sequences of requests
            new_id=new_id,
        )
        self.plane = DataPlane(
            live=self.live,
            invoker=self.runtime,
            draw=dice,
            observer=self.counters,
            new_id=new_id,
            forwarder=self.forwarder,
        )
        self.control = control_app(self.service, hosts=setup.control_hosts, token=setup.token)

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

    async def close(self) -> None:
        """Finish the changes that are being made, and let go of everything."""
        self.events.close()
        await self.writer.drain()
        await self.forwarder.close()
        self.runtime.close()
        await self._store.close()
        self._folders.close()


def request_ids() -> Callable[[], str]:
    """Ids of 32 hexadecimal digits, from dice of their own: a seed must not repeat them."""
    bits = Random(SystemRandom().getrandbits(128)).getrandbits  # noqa: S311 - ids are no secrets
    return lambda: f"{bits(128):032x}"
