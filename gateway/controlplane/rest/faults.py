"""Faults on purpose: what a version is told to get wrong, for rehearsals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from gateway.controlplane.problems import rejected
from gateway.controlplane.rest.bodies import Body, Share
from gateway.controlplane.rest.changes import changed, made
from gateway.controlplane.rest.naming import function_named
from gateway.controlplane.rest.operation import Asked, Reply
from gateway.core.changes import PutFault
from gateway.core.diff import Path
from gateway.core.errors import listed
from gateway.core.faults import LONGEST, STATUSES, Fault, parse_fault
from gateway.core.plain import faults_plain

Seconds = Annotated[float, Field(ge=0, le=LONGEST)]
Pair = Annotated[list[Seconds], Field(min_length=2, max_length=2)]
Time = Annotated[float, Field(gt=0, le=LONGEST)]


class UniformBody(Body):
    """The shortest and the longest time."""

    uniform: Pair = Field(examples=[[0.1, 0.5]])


class ExponentialBody(Body):
    """The mean time."""

    exponential: Time = Field(examples=[0.2])


class NormalBody(Body):
    """The mean time and its standard deviation; what would be negative is none."""

    normal: Pair = Field(examples=[[0.2, 0.05]])


class FaultBody(Body):
    """What a version gets wrong, all of it: errors, latency, or both."""

    errors: Share = Field(0, description="The share of requests that fail.", examples=[0.05])
    status: Annotated[int, Field(ge=STATUSES[0], le=STATUSES[-1])] = STATUSES[0]
    latency: Time | UniformBody | ExponentialBody | NormalBody | None = Field(
        None, description="Seconds before the handler runs.", examples=[0.2]
    )


async def get_fault(asked: Asked) -> Reply:
    """What a version gets wrong."""
    return Reply(_fault(asked).to_dict(), asked.snapshot.revision)


def read_fault(raw: object, named: Mapping[str, str]) -> Fault:
    """The body as stages.toml is read: the same law, the same sentences."""
    return parse_fault(raw, f"the fault of version {named['v']!r} of function {named['f']!r}")


async def put_fault(asked: Asked) -> Reply:
    """Tell a version what to get wrong."""
    change = PutFault(asked.names["f"], asked.names["v"], read_fault(asked.raw, asked.names))
    done = await asked.control.change(change, asked.author, expected=asked.expected)
    return made(done, _path(asked))


async def delete_fault(asked: Asked) -> Reply:
    """Let a version run as it is again."""
    _fault(asked)
    change = PutFault(asked.names["f"], asked.names["v"], None)
    return changed(await asked.control.change(change, asked.author, expected=asked.expected))


def _fault(asked: Asked) -> Fault:
    function, number = function_named(asked.snapshot, asked.names["f"]), asked.names["v"]
    found = function.faults.get(number)
    if found is None:
        there = listed(faults_plain(function))
        message = f"version {number!r} of function {function.name!r} has no fault; there is {there}"
        raise rejected(404, "unknown-fault", message)
    return found


def _path(asked: Asked) -> Path:
    return ("functions", asked.names["f"], "faults", asked.names["v"])
