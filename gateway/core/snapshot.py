"""The frozen state of everything that routes. What the data plane reads never changes.

A new snapshot shares every part that a change did not touch with the one before it; compiled
tables and entries come with the parts they were compiled from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from gateway.core import names
from gateway.core.access import NO_ACCESS, Access
from gateway.core.alias import Alias
from gateway.core.breaker import Breaker
from gateway.core.entries import Entry, Target
from gateway.core.errors import StageNotFound
from gateway.core.faults import Fault
from gateway.core.features import (
    NO_API_FEATURES,
    NO_STAGE_FEATURES,
    ApiFeatures,
    StageFeatures,
)
from gateway.core.functions import Configuration, FunctionVersion
from gateway.core.resources import Group
from gateway.core.routes import Path, Table


@dataclass(frozen=True, slots=True)
class Function:
    """A function with its versions and aliases.

    Attributes:
        name: Its name.
        versions: Every version by number, `$LATEST` included.
        aliases: Every alias by name, `$DEFAULT` included.
        last: The highest number ever published; numbers are never used twice.
        faults: What versions are told to get wrong, by number; empty unless somebody asked.
        breaker: When a version that fails is left alone for a while; `None` for never.
    """

    name: str
    versions: Mapping[str, FunctionVersion]
    aliases: Mapping[str, Alias]
    last: int = 0
    faults: Mapping[str, Fault] = field(default_factory=dict)
    breaker: Breaker | None = None

    @property
    def configuration(self) -> Configuration:
        """The configuration of `$LATEST`."""
        return self.versions[names.LATEST].configuration


@dataclass(frozen=True, slots=True)
class FunctionBackend:
    """An API answered by a function.

    Attributes:
        function: The function's name.
        qualifier: A version, `$LATEST` or an alias; resolved at every request.
        integrated: Whether the function answers `{statusCode, headers, body}`, or any value that
            is passed through as JSON.
    """

    function: str
    qualifier: str
    integrated: bool = True

    @property
    def target(self) -> Target:
        """Whom `decide` is asked for."""
        return Target(self.function, self.qualifier)


@dataclass(frozen=True, slots=True)
class HttpBackend:
    """An API answered by another HTTP server; what the API's path leaves over is appended.

    Attributes:
        url: `http://host[:port][/path]`.
        timeout: Seconds the answer may take.
    """

    url: str
    timeout: float = 15.0


@dataclass(frozen=True, slots=True)
class MockBackend:
    """An API answered with a fixed text.

    Attributes:
        body: The text.
        status: The HTTP status.
        headers: Headers of the answer.
    """

    body: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Backend = FunctionBackend | HttpBackend | MockBackend


@dataclass(frozen=True, slots=True)
class Edition:
    """What a release is called, by whoever gives releases names.

    Attributes:
        version: Its name; no two releases share one.
        description: The words of whoever released.
    """

    version: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Api:
    """One API of a service: a method, a path and who answers.

    Attributes:
        id: Its name in the service.
        method: An HTTP method or `ANY`.
        path: Its checked path pattern.
        backend: Who answers.
        features: What it does besides routing.
    """

    id: str
    method: str
    path: Path
    backend: Backend
    features: ApiFeatures = NO_API_FEATURES


@dataclass(frozen=True, slots=True)
class Stage:
    """A published environment: the APIs as they were released to it, with their qualifiers.

    Attributes:
        name: `dev`, `prepub` or `release`.
        apis: The released APIs.
        variables: The stage's variables.
        features: What it does besides routing.
        edition: What the release is called; `None` where it has no name.
        table: The APIs compiled for look-up.

    Raises:
        Refused: When two APIs have the same method and path.
    """

    name: str
    apis: tuple[Api, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    features: StageFeatures = NO_STAGE_FEATURES
    edition: Edition | None = None
    table: Table[Api] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        entries = ((api.method, api.path, api) for api in self.apis)
        object.__setattr__(self, "table", Table(entries))

    def targets(self) -> set[Target]:
        """Every function and qualifier that the stage's APIs name."""
        backends = (api.backend for api in self.apis)
        return {backend.target for backend in backends if isinstance(backend, FunctionBackend)}


@dataclass(frozen=True, slots=True)
class Service:
    """API Gateway's word for a set of APIs that are published together.

    Attributes:
        id: Its name in addresses.
        name: Its name for people.
        stages: The stages it was released to, by name.
        apis: Its APIs as they would be released next; nobody is answered by them before.
        access: Who may call those that ask for a key.
    """

    id: str
    name: str
    stages: Mapping[str, Stage] = field(default_factory=dict)
    apis: tuple[Api, ...] = ()
    access: Access = NO_ACCESS

    def stage(self, name: str) -> Stage:
        """The stage that a name reaches; `test` reaches `dev`.

        Raises:
            StageNotFound: The service was not released to it.
        """
        stages = self.stages
        stage = stages.get(name) or stages.get(names.stage_name(name))
        if stage is None:
            raise StageNotFound(name, stages)
        return stage


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that routes, at one revision.

    Attributes:
        revision: Counts the changes that led here.
        functions: Functions by name.
        services: Services by id; the first one answers on addresses that name no service.
        resources: What clients' APIs keep beside what routes, by kind and id.
        entries: Compiled qualifiers by function and qualifier.
    """

    revision: int = 0
    functions: Mapping[str, Function] = field(default_factory=dict)
    services: Mapping[str, Service] = field(default_factory=dict)
    resources: Mapping[str, Group] = field(default_factory=dict)
    entries: Mapping[str, Mapping[str, Entry]] = field(
        default_factory=dict, compare=False, repr=False
    )

    @property
    def default_service(self) -> Service | None:
        """The service of addresses that name none."""
        return next(iter(self.services.values()), None)

    def versions(self) -> Iterable[FunctionVersion]:
        """Every version of every function."""
        for function in self.functions.values():
            yield from function.versions.values()


EMPTY: Final = Snapshot()
"""The state before the first change."""
