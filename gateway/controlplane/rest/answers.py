"""What is answered: the models behind the OpenAPI document; tests hold every answer against it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from gateway.core.split import Mode

Names = list[str]


class Answer(BaseModel):
    """What all answers share: they have no key beside those that are documented."""

    model_config = ConfigDict(extra="forbid", defer_build=True)


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


class Function(Answer):
    """A function with its versions, in ascending order, and its aliases."""

    name: str
    versions: list[Version]
    aliases: dict[str, Alias]


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


class HttpBackend(Answer):
    """An API answered by another HTTP server."""

    url: str
    timeout: float


class MockBackend(Answer):
    """An API answered with a fixed text."""

    body: str
    status: int
    headers: dict[str, str]


class Api(Answer):
    """One API and who answers it: a function with a qualifier, another server, or a fixed text."""

    id: str
    method: str
    path: str
    function: str | None = None
    qualifier: str | None = None
    integrated: bool | None = None
    http: HttpBackend | None = None
    mock: MockBackend | None = None


class ListedApi(Api):
    """One API with the qualifier that each stage has for it; `null` for any other back end."""

    service: str
    stages: dict[str, str | None]


class Apis(Answer):
    """Every API."""

    apis: list[ListedApi]


class Stage(Answer):
    """A published environment: what was released to it."""

    service: str
    stage: str
    qualifiers: dict[str, str] = Field(description="Qualifiers by function.")
    variables: dict[str, str]
    apis: list[Api]


class Stages(Answer):
    """Every stage."""

    stages: list[Stage]


class Released(Answer):
    """A stage inside a service."""

    variables: dict[str, str]
    apis: list[Api]


class Service(Answer):
    """A service with its APIs and the stages they were released to."""

    name: str
    apis: list[Api]
    stages: dict[str, Released]


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


class Invoked(Answer):
    """One invocation and its outcome."""

    request_id: str
    version: str
    reason: str
    revision: int
    status: int = Field(description="200, or the cloud's function status code.")
    value: JsonValue
    error: dict[str, Any] | None
