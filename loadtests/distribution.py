"""The locustfile: traffic of an access log at all stages of a running gateway, and a verdict.

locust -f loadtests/distribution.py                                 # web UI, this machine only
locust -f loadtests/distribution.py --headless -u 20 -r 20 --host http://127.0.0.1:8080
locust -f loadtests/distribution.py --headless -u 20 -r 20 --expect release=1:0.5,2:0.5
locust -f loadtests/distribution.py --headless -u 20 -r 20 --processes 2 --requests 100000
"""

from __future__ import annotations

from loadtests.family import Visitor, connect


class Caller(Visitor):
    """A connection that sends to every stage."""


connect("distribution")
