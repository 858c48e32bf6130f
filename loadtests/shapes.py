"""The locustfile: load that changes - a ramp, a spike, a soak - and a verdict on the splits.

locust -f loadtests/shapes.py --headless -u 50 --shape ramp --seconds 60 --rate 2000
locust -f loadtests/shapes.py --headless -u 50 --shape spike
"""

from __future__ import annotations

from typing import Any

from locust import LoadTestShape

from loadtests.curves import users_at
from loadtests.family import Visitor, connect


class Caller(Visitor):
    """A connection that sends to every stage."""


class Shape(LoadTestShape):
    """As many users as the curve has at this moment; it is the run that ends, and not the shape."""

    use_common_options = True

    def tick(self) -> tuple[int, float]:
        """The number of users, and how many come or go in a second: all of them at once."""
        shape: Any = self  # Locust declares its runner as one that may be missing
        options = shape.runner.environment.parsed_options
        users = options.num_users or 1
        seconds = options.seconds or 1.0
        return users_at(options.load_test, shape.get_run_time() / seconds, users), float(users)


connect("ramp")
