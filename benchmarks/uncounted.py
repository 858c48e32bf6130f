"""The locustfile that `verdict_cost` compares with: the same requests, and nothing is counted."""

from __future__ import annotations

import os
import sys
from time import monotonic
from typing import Any, Final

import gevent
from locust import FastHttpUser, events, task

from loadtests.catalogue import TESTS
from loadtests.course import Course, Part, parse_mix
from loadtests.source import SAMPLE, read_log

REQUESTS: Final = int(os.environ["UNCOUNTED_REQUESTS"])
"""How many requests are sent."""

_COURSE: Final = Course(
    read_log(str(SAMPLE)).steps, parse_mix(TESTS["distribution"].mix), Part(0, 1, REQUESTS)
)
_events: Any = events


class Plain(FastHttpUser):
    """What a user of Locust would write without any verdict."""

    connection_timeout = 10.0
    network_timeout = 30.0
    settled = 0
    begun = 0.0

    @task
    def send_next(self) -> None:
        """Send the next request; after the last, end."""
        turn = _COURSE.next()
        if turn is None:
            gevent.sleep(0.1)
            return
        stage, step = turn
        client: Any = self.client
        client.request(
            step.method,
            f"/{stage}{step.path}",
            name=f"/{stage}{step.name}",
            data=step.body,
            headers=step.headers,
            allow_redirects=False,
        )
        Plain.settled += 1
        if Plain.settled == REQUESTS:
            print(f"rate={REQUESTS / (monotonic() - Plain.begun):.1f}", file=sys.stdout, flush=True)
            gevent.spawn(self.environment.runner.quit)


def begin(**_kwargs: object) -> None:
    """Note the time."""
    Plain.begun = monotonic()


_events.test_start.add_listener(begin)
