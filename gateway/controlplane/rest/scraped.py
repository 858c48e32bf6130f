"""What Prometheus scrapes: of one gateway on one machine, so that nothing is counted twice.

Other nodes are scraped for themselves. Processes of one gateway are told apart: each counts from
its own beginning, and a sum of them would go back when one takes the place of another.
"""

from __future__ import annotations

from gateway.controlplane.peers import Process
from gateway.controlplane.rest.breakers import gauges
from gateway.controlplane.rest.operation import Asked, Reply
from gateway.observe.prometheus import MEDIA, Part, Told, exposition


async def prometheus(asked: Asked) -> Reply:
    """The same for Prometheus: of this process, and of those of its gateway on this machine."""
    control = asked.control
    control.observer.settle()
    beside = control.peers.beside()
    parts = [_part(each, each.sender.process if len(beside) > 1 else "") for each in beside]
    told = Told(asked.snapshot, parts, control.store.age, gauges(asked))
    return Reply(exposition(told), media=MEDIA)


def _part(process: Process, name: str) -> Part:
    lag, told = process.longest_lag(), process.gauges
    seen = process.counters, process.latency, process.activity
    return Part(name, *seen, lag, told.dropped, told.left_out)
