"""A master waits for its workers, says how many are there, and gives up in one sentence.

Locust itself waits in silence, for ever or until it ends as if something had crashed.
"""

from __future__ import annotations

import socket
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import gevent
from locust.runners import STATE_INIT, MasterRunner

from loadtests import output
from loadtests.exits import Exit
from loadtests.gate import Refusal

if TYPE_CHECKING:
    from loadtests.conductor import Conductor

_ANYWHERE: Final = ("*", "0.0.0.0")  # noqa: S104 - compared with, not listened on
_BEAT: Final = 0.1
"""Seconds between two looks."""


def watch_arrivals(conductor: Conductor, runner: MasterRunner) -> None:
    """Watch workers come, until a test is started.

    Args:
        conductor: Is told when it takes too long.
        runner: Locust's.
    """
    gevent.spawn(_watch, conductor, runner, gevent.getcurrent())


def _watch(conductor: Conductor, runner: MasterRunner, locust: object) -> None:
    options: Any = conductor.options
    wanted, patience = options.expect_workers, options.workers_within
    begun, there = monotonic(), -1
    while runner.state == STATE_INIT:
        if len(runner.clients.ready) != there:
            there = len(runner.clients.ready)
            output.say(f"workers: {there} of {wanted}")
        if patience and there < wanted and monotonic() - begun > patience:
            sentence = f"{there} of {wanted} workers came within {patience:g} seconds"
            conductor.refuse(Refusal(Exit.UNREACHABLE, "no-workers", sentence, _how(options)))
            runner.quit()
            gevent.kill(locust, SystemExit(int(Exit.UNREACHABLE)))
            return
        gevent.sleep(_BEAT)


def _how(options: Any) -> str:  # noqa: ANN401 - a namespace of options
    host, port = options.master_bind_host, options.master_bind_port
    if host in _ANYWHERE:
        host = socket.gethostname()
    return (
        f"on each worker machine: python -m locust -f - --worker --master-host {host}"
        f" --master-port {port}"
    )
