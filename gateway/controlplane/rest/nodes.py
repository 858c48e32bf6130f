"""Which processes share the state, and what was heard of each."""

from __future__ import annotations

from pydantic import Field

from gateway.controlplane.history import moment
from gateway.controlplane.peers import Peers, Process
from gateway.controlplane.rest.answers import Answer
from gateway.controlplane.rest.operation import Asked, Reply


class Node(Answer):
    """One process."""

    node: str = Field(description="Its machine.")
    process: str = Field(description="Its name there.")
    own: bool = Field(description="Whether it is the one that answers this.")
    started: str
    revision: int = Field(description="Its live revision.")
    age: float = Field(description="Seconds since its last word.")
    state_age: float | None = Field(
        description="Seconds since that was known to be the newest; `null` where it always is."
    )
    requests: int = Field(description="Its answers since it started.")
    lag: float = Field(description="The longest delay of its event loop lately, in seconds.")
    gone: bool = Field(description="Whether it has ended, or is silent for too long.")


class Nodes(Answer):
    """Every process that was seen in the last quarter of an hour."""

    nodes: list[Node]


async def nodes(asked: Asked) -> Reply:
    """Which processes share the state."""
    peers = asked.control.peers
    found = [_node(peers, each) for each in peers.processes()]
    return Reply({"nodes": found}, asked.snapshot.revision)


def _node(peers: Peers, process: Process) -> dict[str, object]:
    sender, gauges = process.sender, process.gauges
    return {
        "node": sender.node,
        "process": sender.process,
        "own": sender == peers.sender,
        "started": moment(sender.started),
        "revision": gauges.revision,
        "age": round(peers.age(process), 3),
        "state_age": gauges.age,
        "requests": process.counters.total(),
        "lag": gauges.lag,
        "gone": peers.is_gone(process),
    }
