"""What a line of a recording may say: one type, checked when it is read, shown as JSON Schema."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Required

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict

from gateway.traffic.failures import suggestion

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails, SchemaValidator

METHOD: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
PATH: Final = r'/[!"$->@-~]*'
QUERY: Final = r'[!"$-~]*'
VALUE: Final = r"[\t -~\x80-\xff]*"
"""What may stand in a method (and in the name of a header), a path, a query, a header's value."""

_Name = Annotated[str, Field(pattern=f"^{METHOD}$")]
_Value = Annotated[str, Field(pattern=f"^{VALUE}$")]
_STRICT: Final = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


@with_config(_STRICT)
class OriginLine(TypedDict):
    """Where a request was written down."""

    file: str
    line: Annotated[int, Field(ge=1)]


@with_config(_STRICT)
class AnswerLine(TypedDict, total=False):
    """How a request was answered when it was recorded."""

    status: Annotated[int, Field(ge=100, le=999)]
    seconds: Annotated[float, Field(ge=0)]
    version: str
    reason: str
    revision: Annotated[int, Field(ge=0)]


@with_config(_STRICT)
class Line(TypedDict, total=False):
    """One line of a recording: one request."""

    v: Required[Annotated[Literal[1], Field(description="The version of this format.")]]
    at: Required[Annotated[float, Field(ge=0, description="Seconds since the recording began.")]]
    method: Required[Annotated[_Name, Field(description="The HTTP method.")]]
    path: Required[
        Annotated[
            str,
            Field(pattern=f"^{PATH}$", description="The path without the stage, percent-encoded."),
        ]
    ]
    query: Annotated[
        str,
        Field(pattern=f"^{QUERY}$", description="What follows the '?', percent-encoded."),
    ]
    headers: Annotated[
        list[tuple[_Name, _Value]],
        Field(description="Names with values, in order; one character for each byte."),
    ]
    body: Annotated[str, Field(description="The body, where it is UTF-8 text.")]
    body64: Annotated[str, Field(description="Any other body, as base64.")]
    user: Annotated[str, Field(description="Who sent the request.")]
    origin: Annotated[OriginLine, Field(description="Where the request was written down.")]
    stage: Annotated[str, Field(description="The stage that the request was sent to.")]
    answer: Annotated[AnswerLine, Field(description="How the request was answered then.")]


def schema() -> dict[str, Any]:
    """The JSON Schema of a line."""
    made = TypeAdapter(Line).json_schema()
    about = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line of a recording",
        "not": {"required": ["body", "body64"]},
    }
    return {**made, **about}


@cache
def validator() -> SchemaValidator:
    """What checks a line; made once, for it takes a while."""
    return TypeAdapter(Line).validator  # type: ignore[return-value] # no plug-in wraps it


def sentence(error: ValidationError) -> str:
    """The first mistake of a line, in words."""
    return _words(error.errors(include_url=False)[0])


def _words(found: ErrorDetails) -> str:
    kind, place = found["type"], ".".join(map(str, found["loc"]))
    if not place:
        why = found.get("ctx", {}).get("error")
        return f"it is no JSON: {why}" if why else "it is no JSON object"
    if kind == "missing":
        return f"it has no {place!r}"
    if kind == "extra_forbidden":
        known = (*Line.__annotations__, *AnswerLine.__annotations__)
        return f"it has an unknown key {place!r}{suggestion(str(found['loc'][-1]), known)}"
    value = repr(found["input"])
    shown = value if len(value) <= 80 else value[:77] + "..."
    if place == "v":
        return f"it is of version {shown}; this gateway reads version 1"
    if kind == "string_pattern_mismatch":
        return f"its {place!r} is {shown}; allowed: {_ALLOWED[str(found['loc'][0])]}"
    return f"its {place!r} is {shown}: {found['msg'][:1].lower()}{found['msg'][1:]}"


_ALLOWED: Final = {
    "method": "a method of HTTP, such as GET",
    "path": "a path from '/' on, percent-encoded ASCII without its query",
    "query": "percent-encoded ASCII without '#'",
    "headers": "names and values of HTTP, one character for each byte",
}
