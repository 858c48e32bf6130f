"""What every locustfile shares: users that send what they are given, and a process that judges.

Locust's web UI usually listens on all interfaces; here it listens on 127.0.0.1 unless
`--web-host` says otherwise, and so does the master of several processes (`--master-bind-host`).
"""

from __future__ import annotations

import gc
from itertools import count
from typing import Any, ClassVar, Final

from locust import FastHttpUser, events, task
from locust.env import Environment
from locust.runners import LocalRunner, MasterRunner, WorkerRunner
from locust.web import WebUI

from loadtests import target
from loadtests.arrivals import watch_arrivals
from loadtests.catalogue import TESTS
from loadtests.conductor import Conductor
from loadtests.options import options_of
from loadtests.sender import Sender
from loadtests.web import add_pages
from loadtests.worker import Worker

_IDLE: Final = 0.1
"""Seconds to wait where there is nothing to send."""

_SETTLED_WITHIN: Final = 30.0
"""Seconds that a user who goes home has to get the answer that it waits for."""


class Visitor(FastHttpUser):
    """A connection on which the traffic's users take turns, in the order of its lines."""

    abstract = True
    connection_timeout = 10.0
    network_timeout = 30.0
    sender: ClassVar[Sender | None] = None
    places: ClassVar[count[int]] = count()

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self._place = next(Visitor.places)
        self._idle = self._leaving = False

    def stop(self, force: bool = False) -> bool:  # noqa: FBT001, FBT002 - as Locust declares it
        """Begin no request any more: one that Locust kills would be lost."""
        self._leaving = True
        stopped: bool = super().stop(force)
        return stopped

    @task
    def send(self) -> None:
        """Send the next request; after the last, wait to be sent home."""
        sender = Visitor.sender
        self._idle = (
            self._leaving or sender is None or not sender.send_next(self.client, self._place)
        )

    def wait_time(self) -> float:
        """How long to wait before the next request."""
        sender = Visitor.sender
        if self._idle or sender is None:
            return _IDLE
        return sender.pause(self.environment.runner.user_count) if sender.paced else 0.0


def hand_over(sender: Sender | None) -> None:
    """Give the visitors what they send."""
    gc.freeze()  # what was built so far stays; the collector need not look at it for each request
    Visitor.sender = sender
    Visitor.places = count()


def begin(
    environment: Environment,
    runner: LocalRunner | MasterRunner | WorkerRunner,
    web_ui: WebUI | None,
    **_kwargs: object,
) -> None:
    """Take the part that this process has: a worker's, or that of the one that judges."""
    environment.host = environment.host or target.USUAL
    environment.stop_timeout = environment.stop_timeout or _SETTLED_WITHIN
    if isinstance(runner, WorkerRunner):
        Worker(environment, runner, hand_over)
        return
    conductor = Conductor(environment, runner, hand_over)
    options: Any = environment.parsed_options
    if isinstance(runner, MasterRunner) and options.headless and not options.processes:
        watch_arrivals(conductor, runner)
    if web_ui is not None:
        add_pages(web_ui, conductor)


def connect(name: str) -> None:
    """Make the locustfile that calls this the load test of that name."""
    listeners: Any = events  # Locust declares no types for its listeners
    listeners.init_command_line_parser.add_listener(options_of(TESTS[name]))
    listeners.init.add_listener(begin)
