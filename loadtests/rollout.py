"""The locustfile: weights move while requests are sent, and a verdict on every revision.

The alias is moved over the control plane and gets its routing back in the end.

    locust -f loadtests/rollout.py --headless -u 20 -r 20 --control http://127.0.0.1:8081
"""

from __future__ import annotations

from loadtests.family import Visitor, connect


class Customer(Visitor):
    """A connection that does not know that anything moves."""


connect("rollout")
