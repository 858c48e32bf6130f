"""How much a listener answers at the same time: what is above that is refused at once.

Requests are counted where they are read, and refused where answers are counted, so that every
refusal shows in what is observed.
"""

from __future__ import annotations

from gateway.core.errors import RoutingError


class Overloaded(RoutingError):
    """More requests are being answered than may be."""

    code = "overloaded"
    status = 503

    def __init__(self, most: int) -> None:
        self.most = most
        super().__init__(f"the gateway is answering {most} requests, as many as it may")


class Load:
    """What all connections of one listener share.

    Args:
        most: How many requests may be answered at the same time.

    Attributes:
        common: How many of the places anybody may take; the last quarter is for those who hold
            less than half of all.
        half: What half of them are.
        running: How many are being answered; those that are about to be refused count too.
        draining: Since when the listener is about to end, by the loop's clock; 0 while it is not.
    """

    __slots__ = ("common", "draining", "half", "most", "running")

    def __init__(self, most: int) -> None:
        self.most = most
        self.common = most - most // 4
        self.half = most // 2
        self.running = 0
        self.draining = 0.0
