"""The locustfile: a rule gives Bob what nobody else may get, and a verdict on both.

Beside Bob come users whose names only look like his, and Bob spells the header in every case.

    locust -f loadtests/rules.py --headless -u 20 -r 20
"""

from __future__ import annotations

from loadtests.family import Visitor, connect


class Tester(Visitor):
    """A connection of Bob, of the others, and of those who look like him."""


connect("rules")
