"""The locustfile: many users on a sticky stage, and a verdict on whether each stays.

The share that is judged is one of users and not of requests.

    locust -f loadtests/sticky.py --headless -u 20 -r 20 --keys 10000 --requests 50000
"""

from __future__ import annotations

from loadtests.family import Visitor, connect


class Regular(Visitor):
    """A connection on which many users take turns."""


connect("sticky")
