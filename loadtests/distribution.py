"""The locustfile: traffic of an access log at all stages of a running gateway, and a verdict.

    locust -f loadtests/distribution.py                                 # web UI, this machine only
    locust -f loadtests/distribution.py --headless -u 20 -r 20 --host http://127.0.0.1:8080
    locust -f loadtests/distribution.py --headless -u 20 -r 20 --expect release=1:0.5,2:0.5
    locust -f loadtests/distribution.py --headless -u 20 -r 20 --processes 2 --requests 100000

Locust's web UI usually listens on all interfaces; here it listens on 127.0.0.1 unless
`--web-host` says otherwise, and so does the master of several processes (`--master-bind-host`).

This file only connects: nothing imports it, because Locust loads it under a name of its own.
"""

from __future__ import annotations

from typing import Any, ClassVar

import gevent
from locust import FastHttpUser, events, task
from locust.env import Environment
from locust.runners import LocalRunner, MasterRunner, WorkerRunner
from locust.web import WebUI

from loadtests import target
from loadtests.conductor import Conductor
from loadtests.options import add_options
from loadtests.sender import Sender
from loadtests.web import add_pages
from loadtests.worker import Worker


class Visitor(FastHttpUser):
    """A connection on which the log's clients take turns, in the order of its lines."""

    connection_timeout = 10.0
    network_timeout = 30.0
    sender: ClassVar[Sender | None] = None

    @task
    def send_next(self) -> None:
        """Send the next request of the log; after the last, wait to be sent home."""
        if Visitor.sender is None or not Visitor.sender.send_next(self.client):
            gevent.sleep(0.1)


def hand_over(sender: Sender | None) -> None:
    """Give the visitors what they send."""
    Visitor.sender = sender


def begin(
    environment: Environment,
    runner: LocalRunner | MasterRunner | WorkerRunner,
    web_ui: WebUI | None,
    **_kwargs: object,
) -> None:
    """Take the part that this process has: a worker's, or that of the one that judges."""
    environment.host = environment.host or target.USUAL
    if isinstance(runner, WorkerRunner):
        Worker(environment, runner, hand_over)
        return
    conductor = Conductor(environment, runner, hand_over)
    if web_ui is not None:
        add_pages(web_ui, conductor)


_events: Any = events  # Locust declares no types for its listeners
_events.init_command_line_parser.add_listener(add_options)
_events.init.add_listener(begin)
