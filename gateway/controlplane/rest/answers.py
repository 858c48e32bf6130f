"""What is answered: the models behind the OpenAPI document; tests hold every answer against it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gateway.controlplane.rest.answers_apis import (
    Answer,
    Api,
    Apis,
    Edition,
    Gate,
    Key,
    Names,
    UsagePlan,
)
from gateway.core.split import Mode

__all__ = ["Answer", "Apis"]
"""What else belongs to this module; the rest is defined here."""


class Rule(Answer):
    """One rule."""

    when: str
    version: str


class Alias(Answer):
    """A movable name for versions."""

    version: str
    weights: dict[str, float]
    rules: list[Rule]
    split: Mode
    sticky_by: str | None
    description: str


class Version(Answer):
    """One version with its code and configuration."""

    version: str
    description: str
    code: str = Field(description="A package's digest, or the folder of `$LATEST`.")
    handler: str
    timeout: float
    memory: int
    concurrency: int
    environment: dict[str, str]
    isolation: str
    type: str


class Latency(Answer):
    """How a latency is spread: one of the three, in seconds."""

    uniform: list[float] | None = Field(None, description="The shortest and the longest.")
    exponential: float | None = Field(None, description="The mean.")
    normal: list[float] | None = Field(None, description="The mean and its deviation.")


class Fault(Answer):
    """What a version is told to get wrong."""

    errors: float
    status: int
    latency: float | Latency | None


class Breaker(Answer):
    """When versions of a function are left alone."""

    errors: float
    requests: int
    window: float
    pause: float
    trials: int


class Function(Answer):
    """A function with its versions, in ascending order, its aliases, faults and breaker."""

    name: str
    versions: list[Version]
    aliases: dict[str, Alias]
    faults: dict[str, Fault]
    breaker: Breaker | None = None


class FunctionSummary(Answer):
    """A function at a glance."""

    name: str
    versions: Names
    latest: Version
    aliases: dict[str, Alias]


class Functions(Answer):
    """Every function."""

    functions: list[FunctionSummary]


class Versions(Answer):
    """Every version of a function."""

    versions: list[Version]


class Aliases(Answer):
    """Every alias of a function."""

    aliases: dict[str, Alias]


class Stage(Gate):
    """A published environment: what was released to it."""

    service: str
    stage: str
    qualifiers: dict[str, str] = Field(description="Qualifiers by function.")
    variables: dict[str, str]
    apis: list[Api]


class Stages(Answer):
    """Every stage."""

    stages: list[Stage]


class Released(Gate):
    """A stage inside a service."""

    variables: dict[str, str]
    apis: list[Api]
    edition: Edition | None = None


class Service(Answer):
    """A service with its APIs and the stages they were released to."""

    name: str
    apis: list[Api]
    stages: dict[str, Released]
    keys: dict[str, Key] = Field({})
    plans: dict[str, UsagePlan] = Field({})


class Snapshot(Answer):
    """Everything that routes, at one revision."""

    revision: int
    functions: dict[str, Function]
    services: dict[str, Service]


class Bucket(Answer):
    """The stretch of [0, 1) whose draws go to one version."""

    version: str
    low: float
    high: float
    share: float


class RuleTrace(Answer):
    """One rule and what became of it."""

    number: int
    when: str
    version: str
    value: str | None
    outcome: Literal["hit", "miss", "not reached"]


class Explanation(Answer):
    """Why a request goes where it goes."""

    revision: int
    stage: str
    api: str
    method: str
    path: str
    parameters: dict[str, str]
    backend: Literal["function", "http", "mock"]
    function: str | None
    qualifier: str | None
    rules: list[RuleTrace]
    split: Mode | None
    buckets: list[Bucket]
    sticky_key: str | None
    draw: float | None
    version: str | None
    reason: str | None
    fault: Fault | None
