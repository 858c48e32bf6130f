"""Breakers: when versions of a function that fail are left alone, and how their circuits stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import Field

from gateway.controlplane.problems import rejected
from gateway.controlplane.rest.answers import Breaker as BreakerAnswer
from gateway.controlplane.rest.answers_apis import Answer
from gateway.controlplane.rest.bodies import Body
from gateway.controlplane.rest.changes import changed, made
from gateway.controlplane.rest.naming import function_named
from gateway.controlplane.rest.operation import Asked, Reply
from gateway.core.breaker import LONGEST, REQUESTS, TRIALS, USUAL, Breaker, parse_breaker
from gateway.core.changes import PutBreaker

Seconds = Annotated[float, Field(gt=0, le=LONGEST)]


_STATES: Final = ("closed", "half-open", "open")


class BreakerBody(Body):
    """When versions are left alone, all of it."""

    errors: Annotated[float, Field(gt=0, le=1)] = Field(
        description="The share of errors from which on a version is left alone.", examples=[0.5]
    )
    requests: Annotated[int, Field(ge=REQUESTS[0], le=REQUESTS[-1])] = Field(
        USUAL.requests, description="How many requests the share needs to count."
    )
    window: Seconds = Field(USUAL.window, description="The seconds that are looked at.")
    pause: Seconds = Field(USUAL.pause, description="The seconds for which it is left alone.")
    trials: Annotated[int, Field(ge=TRIALS[0], le=TRIALS[-1])] = Field(
        USUAL.trials, description="How many requests then try it."
    )


class Circuit(Answer):
    """How the circuit of one version stands."""

    version: str
    state: Literal["closed", "half-open", "open"]
    opened: int = Field(description="How often it has opened since the gateway started.")
    wait: float = Field(description="Seconds until a request is let through to try.")


class BreakerWithCircuits(BreakerAnswer):
    """When versions are left alone, and how each of them stands."""

    circuits: list[Circuit]


async def get_breaker(asked: Asked) -> Reply:
    """When versions are left alone, and how each of them stands."""
    name = asked.names["f"]
    plain = _breaker(asked).to_dict()
    circuits = [
        {
            "version": standing.version,
            "state": standing.state.value,
            "opened": standing.opened,
            "wait": round(standing.wait, 3),
        }
        for standing in asked.control.standings(asked.snapshot)
        if standing.function == name
    ]
    return Reply({**plain, "circuits": circuits}, asked.snapshot.revision)


def gauges(asked: Asked) -> dict[tuple[str, str], int]:
    """What breakers do, as Prometheus is told it: 0 closed, 1 half-open, 2 open."""
    return {
        (each.function, each.version): _STATES.index(each.state.value)
        for each in asked.control.standings(asked.snapshot)
    }


def read_breaker(raw: object, named: Mapping[str, str]) -> Breaker:
    """The body as stages.toml is read: the same law, the same sentences."""
    return parse_breaker(raw, f"the breaker of function {named['f']!r}")


async def put_breaker(asked: Asked) -> Reply:
    """Say when versions are left alone."""
    name = asked.names["f"]
    change = PutBreaker(name, read_breaker(asked.raw, asked.names))
    done = await asked.control.change(change, asked.author, expected=asked.expected)
    return made(done, ("functions", name, "breaker"))


async def delete_breaker(asked: Asked) -> Reply:
    """Leave no version alone any more."""
    _breaker(asked)
    change = PutBreaker(asked.names["f"], None)
    return changed(await asked.control.change(change, asked.author, expected=asked.expected))


def _breaker(asked: Asked) -> Breaker:
    function = function_named(asked.snapshot, asked.names["f"])
    if function.breaker is None:
        raise rejected(404, "unknown-breaker", f"function {function.name!r} has no breaker")
    return function.breaker
