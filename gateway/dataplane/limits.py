"""What a listener takes: how large a request may be, how it may be written, how long it may take.

The defaults refuse whatever two readers could read differently. What may be allowed all the same
has a name, one a rule; what could hide a request from somebody in between has none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from gateway.dataplane.deadlines import Deadlines

ABSOLUTE_FORM: Final = "absolute-form"
FRAGMENT: Final = "fragment"
HOST_SYNTAX: Final = "host-syntax"
NO_HOST: Final = "no-host"

LENIENCIES: Final = {
    ABSOLUTE_FORM: "take a target such as http://host/path; the Host header decides all the same",
    FRAGMENT: "take a target with a fragment, and drop that",
    HOST_SYNTAX: "take a Host of any text, an empty one included",
    NO_HOST: "take a request of HTTP/1.1 without a Host",
}
"""What a listener can be told to take, by the rule that it then does not hold callers to."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a request may be.

    Attributes:
        line: Bytes of the request line; beyond it the answer is 414.
        head: Bytes of the head; beyond it the answer is 431. Trailers may have as many.
        headers: How many headers; beyond it the answer is 431.
        body: Bytes of the body; beyond it the answer is 413. `None` where the application sees to
            it.
    """

    line: int = 8 * 1024
    head: int = 16 * 1024
    headers: int = 100
    body: int | None = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Edge:
    """What a listener takes from its callers.

    Attributes:
        limits: How large requests may be.
        deadlines: How long callers may take.
        lenient: The rules of `LENIENCIES` that callers are not held to.
        requests: How many requests may be answered at the same time.
    """

    limits: Limits = field(default_factory=Limits)
    deadlines: Deadlines = field(default_factory=Deadlines)
    lenient: frozenset[str] = frozenset()
    requests: int = 1000


STRICT: Final = Edge()
"""The defaults."""

STEERING: Final = Edge(Limits(body=None), lenient=frozenset({ABSOLUTE_FORM, HOST_SYNTAX}))
"""For applications that bound bodies and check the host themselves, as the control plane does:
clients of the cloud write their endpoint's scheme into the host, or take it for their proxy."""

FRONT: Final = Edge(Limits(body=None), lenient=frozenset({ABSOLUTE_FORM, HOST_SYNTAX, NO_HOST}))
"""For an application that is asked as proxies are, and judges itself which host it is for."""
