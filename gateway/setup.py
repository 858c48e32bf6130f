"""What a gateway is built from; values only."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from platform import node
from time import time
from typing import Final

from gateway.controlplane.attempts import Policy
from gateway.observe.batch import Sender
from gateway.store.exchange import Exchange
from gateway.store.exchange_file import FileExchange
from gateway.store.invocation_log import InvocationLog
from gateway.store.logged import Origin, Retention
from gateway.store.protocol import Store
from gateway.store.sqlite import SqliteStore
from gateway.store.sqlite_log import SqliteLog

MEMORY: Final = ":memory:"
"""The state of a gateway that forgets everything in the end."""


MAIN: Final = "main"
"""The name of the process of a gateway that is one process."""


class Role(Enum):
    """What a process does of what a gateway does."""

    ALL = "all"
    """Answers callers and is steered."""

    DATA = "data"
    """The same, and serves what others declare: it reads no stages.toml."""

    CONTROL = "control"
    """Is steered; others answer callers."""

    WORKER = "worker"
    """Answers callers beside others of its machine, and leaves everything else to them: it applies
    no file, moves no rollout, resumes no invocation, and forgets no package."""

    @property
    def answers(self) -> bool:
        """Whether it answers callers."""
        return self is not Role.CONTROL

    @property
    def steered(self) -> bool:
        """Whether it has a control plane, and does what only that should do."""
        return self is not Role.WORKER


@dataclass(frozen=True, slots=True)
class Setup:
    """What a gateway is built from.

    Attributes:
        file: The stages.toml that is applied at the start; `None` for the remembered state alone.
        state: The file of the journal; `None` to forget everything in the end. What this machine
            alone needs, such as unpacked code and the invocation log, is beside it.
        database: The address of the PostgreSQL database that keeps the journal in place of the
            file; `None` for the file.
        seed: Seeds the dice; `None` takes a seed from the system.
        token: What the control plane asks for; `None` for nothing.
        control_hosts: Names, beside this machine's loopback, under which the control plane answers.
        policy: How asynchronous invocations are tried again.
        keys: Secret keys of clients of the cloud, by secret id; `None` for the one documented
            pair, whose key is the token where there is one.
        accept_any_signature: Whether clients of the cloud are answered whatever they sign with.
        traced: The share of requests that OpenTelemetry is told of; `None` for no traces at all.
        retention: What the invocation log keeps.
        role: What the process does of what a gateway does.
        joined: Whether others share the state: always where it is a database.
        node: The machine's name among several.
        process: The process's name among those of its machine.
        again: Whether it takes the place of one that ran: what stages.toml has become meanwhile is
            an edit, and one with mistakes is told and changes nothing.
    """

    file: Path | None = None
    state: Path | None = None
    database: str | None = None
    seed: int | None = None
    token: str | None = None
    control_hosts: tuple[str, ...] = ()
    policy: Policy = field(default_factory=Policy)
    keys: Mapping[str, str] | None = None
    accept_any_signature: bool = False
    traced: float | None = None
    retention: Retention = field(default_factory=Retention)
    role: Role = Role.ALL
    joined: bool = False
    node: str = field(default_factory=node)
    process: str = MAIN
    again: bool = False

    def __post_init__(self) -> None:
        """Nobody has a database for himself."""
        if self.database is not None:
            object.__setattr__(self, "joined", True)

    @property
    def follows(self) -> bool:
        """Whether it serves what others declare, and cannot mend what does not load here."""
        return self.role is Role.WORKER or (self.database is not None and self.file is None)


def log_of(state: Path | None) -> Path | str:
    """Where the invocation log of a state is: beside it."""
    return MEMORY if state is None else state.with_name(f"{state.stem}.log.db")


def sender_of(setup: Setup) -> Sender:
    """Which process this is, for those that share its state.

    Workers and who steers them are children of one process; a gateway that is one process is its
    own.
    """
    family = os.getpid() if setup.process == MAIN else os.getppid()
    return Sender(setup.node, setup.process, family, time())


def exchange_of(setup: Setup, sender: Sender) -> Exchange | None:
    """Where processes that share the state tell each other what they answered; none has no others.

    Nothing is opened yet: a gateway can do without.
    """
    name = f"{sender.node}/{sender.process}/{sender.family}/{sender.started!r}"
    if setup.database is not None:
        from gateway.store.postgres_exchange import PostgresExchange  # its driver is an extra

        return PostgresExchange(setup.database, name)
    if not setup.joined or setup.state is None:
        return None
    return FileExchange(setup.state.with_name(f"{setup.state.stem}.seen.db"), name)


async def open_store(setup: Setup) -> Store:
    """Open what keeps the journal.

    Raises:
        StateUnusable: It cannot be opened, or is damaged.
    """
    if setup.database is None:
        return await SqliteStore.open(setup.state or MEMORY)
    from gateway.store.postgres import PostgresStore  # its driver is an extra

    return await PostgresStore.open(setup.database)


async def open_log(setup: Setup) -> InvocationLog:
    """Open the invocation log: beside the journal's file, or in its database.

    Raises:
        StateUnusable: It cannot be opened.
    """
    origin = Origin(setup.node, setup.process)
    if setup.database is None:
        return await SqliteLog.open(log_of(setup.state), setup.retention, origin)
    from gateway.store.postgres_log import PostgresLog  # its driver is an extra

    return await PostgresLog.open(setup.database, setup.retention, origin)
