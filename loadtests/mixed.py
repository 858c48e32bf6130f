"""The locustfile: every stage has users of its own, all at the same time, and a verdict on each.

Developers, testers and customers do not share connections: each belongs to one stage, as many as
the mix has for it, and every stage gets the whole traffic.

    locust -f loadtests/mixed.py --headless -u 20 -r 20 --mix dev=1,prepub=1,release=2
"""

from __future__ import annotations

from loadtests.family import Visitor, connect


class StageUser(Visitor):
    """A connection that belongs to one stage."""


connect("mixed")
