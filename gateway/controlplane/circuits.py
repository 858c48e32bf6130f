"""How breakers stand, as the control plane knows it: the data plane asks them, and tells."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum
from typing import Protocol

from gateway.core.snapshot import Snapshot


class Standing(Protocol):
    """How the circuit of one version stands."""

    @property
    def function(self) -> str:
        """Its function."""

    @property
    def version(self) -> str:
        """The version."""

    @property
    def state(self) -> Enum:
        """`closed`, `half-open` or `open`."""

    @property
    def opened(self) -> int:
        """How often it has opened."""

    @property
    def wait(self) -> float:
        """Seconds until a request is let through to try."""


Standings = Callable[[Snapshot], Iterable[Standing]]
"""Tells how every circuit stands, of versions that have a breaker in a snapshot."""


def nobody(_: Snapshot) -> tuple[Standing, ...]:
    """What a process tells that answers no callers: it has no circuits."""
    return ()
