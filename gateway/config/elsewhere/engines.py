"""What each engine can say: the facts that decide which parts of the routing it is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine that configuration can be written for.

    Attributes:
        name: What it is called on the command line.
        title: What people call it.
        sources: Where its rules can read values.
        decimals: Decimals that a weight may have.
        sticky: Whether a header can settle a weighted choice.
        mocks: Whether it answers by itself.
        strips: Whether it can take the stage out of the path.
        most_rules: Rules that an alias may have.
        notes: How it differs, in sentences; told with everything that is written.
    """

    name: str
    title: str
    sources: frozenset[str]
    decimals: int
    sticky: bool = True
    mocks: bool = True
    strips: bool = True
    most_rules: int = 1000
    notes: tuple[str, ...] = ()


_EVERYWHERE: Final = (
    "stages are reached by the path's first segment, and not by host names; function URLs are not",
    "what no API takes is answered with 404 and one text",
)
_HASH: Final = (
    "sticky keys are hashed in the engine's own way: a key may have another version than here"
)

NGINX: Final = Engine(
    name="nginx",
    title="nginx",
    sources=frozenset({"headers", "query", "path", "cookies"}),
    decimals=4,
    notes=(
        *_EVERYWHERE,
        _HASH,
        "nginx before 1.23 reads the first of repeated headers only",
        "a header that is there and empty is absent for nginx",
        "nginx drops headers that have underscores in their names",
    ),
)
HAPROXY: Final = Engine(
    name="haproxy",
    title="HAProxy",
    sources=frozenset({"headers", "query", "path", "cookies"}),
    decimals=9,
    notes=(
        *_EVERYWHERE,
        _HASH,
        "HAProxy reads the last of repeated headers only",
        "a path with an encoded slash, or with . or .. segments, is answered with 400",
    ),
)
ENVOY: Final = Engine(
    name="envoy",
    title="Envoy",
    sources=frozenset({"headers", "query", "path", "cookies"}),
    decimals=9,
    notes=(
        *_EVERYWHERE,
        _HASH,
        "Envoy joins repeated headers with ',' and no space",
        "Envoy's hash is not salted: users that are first for one alias are first for all",
    ),
)
GATEWAY_API: Final = Engine(
    name="gateway-api",
    title="the Gateway API",
    sources=frozenset({"headers"}),
    decimals=6,
    sticky=False,
    mocks=False,
    strips=False,
    most_rules=15,
    notes=(
        *_EVERYWHERE,
        "RegularExpression is up to the implementation: it has to be RE2's, of the whole value",
    ),
)

ENGINES: Final = {each.name: each for each in (NGINX, HAPROXY, ENVOY, GATEWAY_API)}
"""Every engine by its name."""
