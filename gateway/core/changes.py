"""Changes: everything that can be asked of a snapshot, as values.

Everything that alters what routes is one of these values, whoever asks for it: stages.toml, the
API, the cloud's SDK, a roll-back. Recovery replays the same values through `gateway.core.apply`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.core.access import Access
from gateway.core.alias import Route
from gateway.core.breaker import Breaker
from gateway.core.faults import Fault
from gateway.core.features import NO_STAGE_FEATURES, StageFeatures
from gateway.core.functions import Configuration
from gateway.core.resources import Content
from gateway.core.snapshot import Api, Edition


@dataclass(frozen=True, slots=True)
class PutFunction:
    """Create a function with `$LATEST` and `$DEFAULT`, or give `$LATEST` new code."""

    name: str
    code: str
    configuration: Configuration = field(default_factory=Configuration)
    description: str = ""


@dataclass(frozen=True, slots=True)
class DeleteFunction:
    """Remove a function that no released API names."""

    name: str


@dataclass(frozen=True, slots=True)
class Publish:
    """Freeze code and configuration into a new number.

    Attributes:
        function: Whose version it becomes.
        code: The frozen code; `None` means that of `$LATEST`.
        number: The number, above every earlier one; `None` means the next.
        description: The publisher's words.
        configuration: The frozen configuration; `None` means that of `$LATEST`.
    """

    function: str
    code: str | None = None
    number: str | None = None
    description: str = ""
    configuration: Configuration | None = None


@dataclass(frozen=True, slots=True)
class DeleteVersion:
    """Remove a published version that no alias and no released API names."""

    function: str
    number: str


@dataclass(frozen=True, slots=True)
class PutFault:
    """Tell a version what to get wrong, all of it.

    Attributes:
        function: Whose version.
        version: Its number, or `$LATEST`.
        fault: What it gets wrong; `None` for nothing any more.
    """

    function: str
    version: str
    fault: Fault | None


@dataclass(frozen=True, slots=True)
class PutBreaker:
    """Say when versions of a function are left alone, all of it.

    Attributes:
        function: Whose versions.
        breaker: When; `None` for never.
    """

    function: str
    breaker: Breaker | None


@dataclass(frozen=True, slots=True)
class PutAlias:
    """Create an alias or replace its whole routing; what is not named is cleared."""

    function: str
    name: str
    route: Route
    description: str = ""


@dataclass(frozen=True, slots=True)
class DeleteAlias:
    """Remove an alias that no released API names; `$DEFAULT` stays."""

    function: str
    name: str


@dataclass(frozen=True, slots=True)
class PutService:
    """Create a service, or give it another name and other APIs; its stages stay as they are.

    Attributes:
        id: Its id.
        name: Its name for people.
        apis: Its APIs, to be released next.
        access: Its keys and usage plans, in force at once; `None` for those that it has.
    """

    id: str
    name: str
    apis: tuple[Api, ...] = ()
    access: Access | None = None


@dataclass(frozen=True, slots=True)
class DeleteService:
    """Remove a service that is released to no stage."""

    id: str


@dataclass(frozen=True, slots=True)
class PutResource:
    """Keep something that routes nothing, all of it.

    Attributes:
        group: What it is, in the words of whoever keeps it.
        id: Its id among those.
        content: What it is made of; `None` for nothing any more.
    """

    group: str
    id: str
    content: Content | None


@dataclass(frozen=True, slots=True)
class Release:
    """Publish APIs, each with its qualifier, to one stage of a service."""

    service: str
    stage: str
    apis: tuple[Api, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    features: StageFeatures = NO_STAGE_FEATURES
    edition: Edition | None = None


@dataclass(frozen=True, slots=True)
class Unrelease:
    """Take a stage of a service off the air."""

    service: str
    stage: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Several changes that become one revision, all of them or none."""

    changes: tuple[Change, ...]


Change = (
    PutFunction
    | DeleteFunction
    | Publish
    | DeleteVersion
    | PutFault
    | PutBreaker
    | PutAlias
    | DeleteAlias
    | PutService
    | DeleteService
    | PutResource
    | Release
    | Unrelease
    | Batch
)
