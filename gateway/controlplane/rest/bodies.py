"""What requests may bring: bodies and query parameters. A key that no model has is a mistake.

Limits are those of stages.toml: what the file refuses is refused here as well.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Final, Literal, NoReturn

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, WithJsonSchema
from pydantic_core import PydanticCustomError

from gateway.config.fields import LONGEST
from gateway.config.functions import MAX_ENVIRONMENT
from gateway.core import names
from gateway.core.split import Mode
from gateway.store.invocations import Status

_MEMORY: Final = (64, *range(128, 3073, 128))
_MEMORY_TEXT: Final = "64, or 128 to 3072 in steps of 128"
_HANDLER: Final = r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)+"
_HANDLER_TEXT: Final = "'file.function': a file without '.py', a dot, a function"
_METHOD: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_METHOD_TEXT: Final = "a method of HTTP, such as GET"
_PATH: Final = "/(.|\\n)*"
_PATH_TEXT: Final = "a path with its query and without the stage, beginning with '/'"
_VARIABLE: Final = r"[A-Za-z_][A-Za-z0-9_]*"
_VARIABLE_TEXT: Final = "letters, digits and '_', not starting with a digit"


def refuse_value(code: str, allowed: str) -> NoReturn:
    """A mistake with a code of ours; pydantic knows it as the error's type."""
    raise PydanticCustomError(code, "allowed: {allowed}", {"allowed": allowed})


def _memory(value: int) -> int:
    if value not in _MEMORY:
        refuse_value("out-of-range", _MEMORY_TEXT)
    return value


def _handler(value: str) -> str:
    if re.fullmatch(_HANDLER, value) is None:
        refuse_value("bad-handler", _HANDLER_TEXT)
    return value


def _variable(value: str) -> str:
    if re.fullmatch(_VARIABLE, value) is None:
        refuse_value("bad-name", _VARIABLE_TEXT)
    return value


def _method(value: str) -> str:
    if re.fullmatch(_METHOD, value) is None:
        refuse_value("bad-name", _METHOD_TEXT)
    return value


def _path(value: str) -> str:
    if not value.startswith("/"):
        refuse_value("bad-path", _PATH_TEXT)
    return value


def _pattern(pattern: str, text: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^{pattern}$", "description": text})


def _environment(value: dict[str, str]) -> dict[str, str]:
    size = sum(len(name.encode()) + len(text.encode()) for name, text in value.items())
    if size > MAX_ENVIRONMENT:
        refuse_value("out-of-range", f"{MAX_ENVIRONMENT} bytes; it has {size}")
    return value


def _absolute(value: str) -> str:
    if "\0" in value or not Path(value).is_absolute():
        refuse_value("bad-path", "an absolute path")
    return value


Seconds = Annotated[float, Field(gt=0, le=LONGEST)]
Memory = Annotated[
    int,
    AfterValidator(_memory),
    WithJsonSchema({"type": "integer", "enum": list(_MEMORY), "description": _MEMORY_TEXT}),
]
Concurrency = Annotated[int, Field(ge=1, le=10_000)]
Handler = Annotated[str, AfterValidator(_handler), _pattern(_HANDLER, _HANDLER_TEXT)]
VariableName = Annotated[str, AfterValidator(_variable), _pattern(_VARIABLE, _VARIABLE_TEXT)]
Variables = dict[VariableName, str]
Environment = Annotated[Variables, AfterValidator(_environment)]
Revision = Annotated[int, Field(ge=1)]
Limit = Annotated[int, Field(ge=1, le=1000)]
Share = Annotated[float, Field(ge=0, le=1)]
RoutingKey = Annotated[
    JsonValue,
    WithJsonSchema(
        {
            "anyOf": [
                {
                    "type": "object",
                    "additionalProperties": {"type": ["string", "number", "boolean"]},
                },
                {"type": "string", "contentMediaType": "application/json"},
                {"type": "null"},
            ]
        }
    ),
]


class Body(BaseModel):
    """What all bodies share: no unknown key, and no value that is silently made another one."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, defer_build=True)


class Query(BaseModel):
    """What all query parameters share: they are text, and read as what they stand for."""

    model_config = ConfigDict(extra="forbid", defer_build=True)


class ConfigurationBody(Body):
    """Fields of `$LATEST`; what is not named stays as it is."""

    handler: Handler = "index.main_handler"
    timeout: Seconds = 3.0
    memory: Memory = 128
    concurrency: Concurrency = 128
    environment: Environment = {}
    isolation: Literal["auto", "inline", "thread", "process"] = "auto"
    type: Literal["event", "web"] = "event"
    description: str = ""


class PublishBody(Body):
    """What is told about the new version."""

    description: str = ""


class RuleBody(Body):
    """One rule: tried in list order, the first hit wins."""

    when: str = Field(examples=["invoke.headers.User exact Bob"])
    version: str = Field(examples=["4"])


class AliasBody(Body):
    """Where an alias leads, as a whole: what is not named is cleared."""

    version: str = Field(description="The main version.", examples=["1"])
    weights: dict[str, Share] = Field({}, description="Shares of additional versions.")
    rules: list[RuleBody] = []
    split: Mode = "random"
    sticky_by: str | None = Field(None, examples=["invoke.headers.User"])
    description: str = ""


class RollbackBody(Body):
    """What a roll-back brings back: the state at a revision, or the last undivided one."""

    to_revision: Revision | None = None


class InvokeBody(Body):
    """One invocation."""

    qualifier: str = names.DEFAULT
    routing_key: RoutingKey = Field(None, description="What rules see in place of headers.")
    event: JsonValue = None
    type: Literal["sync", "event"] = Field("sync", description="`event`: answered at once.")
    log: Literal["none", "tail"] = Field("none", description="`tail`: with the end of its log.")


class StageBody(Body):
    """How the service's APIs are released to the stage; variables not named are cleared."""

    alias: str | None = Field(None, description="The qualifier of functions not in `aliases`.")
    aliases: dict[str, str] = Field({}, description="Qualifiers by function.")
    variables: Variables = {}


class ExplainBody(Body):
    """The request that is explained."""

    stage: str
    method: Annotated[str, AfterValidator(_method), _pattern(_METHOD, _METHOD_TEXT)] = "GET"
    path: Annotated[str, AfterValidator(_path), _pattern(_PATH, _PATH_TEXT)] = "/"
    headers: dict[str, str] = {}
    body: str = ""
    draw: Annotated[float, Field(ge=0, lt=1)] | None = Field(
        None, description="Settles a weighted choice."
    )


class ApplyBody(Body):
    """The file that is applied; by default the one that the gateway was started with."""

    file: Annotated[str, AfterValidator(_absolute)] | None = None
    dry_run: bool = False


class VersionQuery(Query):
    """Which version."""

    version: str = names.LATEST


class UploadQuery(Query):
    """What a new function is given beside its code."""

    handler: Handler = "index.main_handler"


class HistoryQuery(Query):
    """Which part of a history, newest first."""

    before: Revision | None = Field(None, description="Only earlier revisions.")
    limit: Limit = 100


class InvocationsQuery(Query):
    """Which asynchronous invocations, newest first."""

    status: Status | None = None
    before: str | None = Field(None, description="Only those accepted before the one of this id.")
    limit: Limit = 100


class ChangesQuery(HistoryQuery):
    """Which part of the audit log, newest first."""

    path: str = Field("", description="Only what altered this part.", examples=["functions/orders"])
