"""What a gateway is built from; values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gateway.controlplane.attempts import Policy
from gateway.store.protocol import Store
from gateway.store.sqlite import SqliteStore

MEMORY: Final = ":memory:"
"""The state of a gateway that forgets everything in the end."""


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

    @property
    def follows(self) -> bool:
        """Whether it serves what others declare, and cannot mend what does not load here."""
        return self.database is not None and self.file is None


def log_of(state: Path | None) -> Path | str:
    """Where the invocation log of a state is: beside it."""
    return MEMORY if state is None else state.with_name(f"{state.stem}.log.db")


async def open_store(setup: Setup) -> Store:
    """Open what keeps the journal.

    Raises:
        StateUnusable: It cannot be opened, or is damaged.
    """
    if setup.database is None:
        return await SqliteStore.open(setup.state or MEMORY)
    from gateway.store.postgres import PostgresStore  # its driver is an extra

    return await PostgresStore.open(setup.database)
