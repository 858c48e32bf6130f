"""What a control plane is put together from; the composition root names every part once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.controlplane.asynchronous import Asynchronous
from gateway.controlplane.circuits import Standings
from gateway.controlplane.code import Code
from gateway.controlplane.declaring import Declaring
from gateway.controlplane.events import Events
from gateway.controlplane.invoking import Invoking
from gateway.controlplane.logbook import Logbook
from gateway.controlplane.objects import Objects
from gateway.controlplane.peers import Peers
from gateway.controlplane.recent import Recent
from gateway.controlplane.recording import Recorder
from gateway.controlplane.rolling import Rollouts
from gateway.controlplane.runs import Runs
from gateway.controlplane.shares import Shares
from gateway.controlplane.writer import Writer
from gateway.core.explain import Explanation
from gateway.core.snapshot import Snapshot
from gateway.core.split import Draw
from gateway.live import Live
from gateway.observe import Observer
from gateway.runtime import Runtime
from gateway.store.protocol import Store

Explain = Callable[[Snapshot, Draw, str, tuple[str, str, list[tuple[str, str]], str]], Explanation]
"""Explains a request: snapshot, dice, stage, and method, path, headers and body."""


@dataclass(kw_only=True, eq=False)
class Parts:
    """Everything that is asked, and everyone who does what is asked for.

    Attributes:
        live: The cell that the data plane reads.
        runtime: Runs versions.
        store: Keeps the journal.
        code: Keeps code packages.
        objects: Keeps uploads of code packages.
        events: The hub of everything that happens.
        observer: Is told of every answer.
        logbook: Keeps single invocations.
        shares: Tells how aliases divide their traffic.
        peers: Has what all processes answered.
        writer: Makes changes.
        declaring: Applies stages.toml.
        explainer: Explains a request.
        what_if: Dice for questions.
        invoking: Runs a function once.
        asynchronous: Runs what nobody waits for.
        recent: Remembers what was waited for.
        standings: Tells how breakers stand.
        data_url: Where callers reach the data plane; whoever serves it elsewhere says so.
        control_url: Where the control plane itself is reached, likewise.
        recorder: Records what the data plane answers; set by who builds both.
        rollouts: Carries rollouts out; set by who builds both.
        runs: Verifies and replays, in processes of their own; set by who knows the project.
    """

    live: Live
    runtime: Runtime
    store: Store
    code: Code
    objects: Objects
    events: Events
    observer: Observer
    logbook: Logbook
    shares: Shares
    peers: Peers
    writer: Writer
    declaring: Declaring
    explainer: Explain
    what_if: Draw
    invoking: Invoking
    asynchronous: Asynchronous
    recent: Recent
    standings: Standings
    data_url: str = "http://127.0.0.1:8080"
    control_url: str = "http://127.0.0.1:8081"
    recorder: Recorder = field(init=False)
    rollouts: Rollouts = field(init=False)
    runs: Runs = field(init=False)
