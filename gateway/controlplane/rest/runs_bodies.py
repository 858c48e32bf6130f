"""What may be asked of a run: a closed list of options, each an argument of its own.

There is no way to name an address or a file outside the project: a run sends to this gateway alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, ConfigDict, Field, RootModel, WithJsonSchema

from gateway.controlplane.problems import Rejected
from gateway.controlplane.rest.bodies import Body, refuse_value
from gateway.controlplane.rest.reading import validate
from gateway.controlplane.runs import KINDS, Kind
from gateway.controlplane.runs_files import inside
from gateway.core import names
from gateway.core.errors import Problem, Refused, listed, nearest
from gateway.core.snapshot import Snapshot

_LONGEST: Final = 500
_TEXT: Final = f"1 to {_LONGEST} printable characters"


def _text(value: str) -> str:
    if not 0 < len(value) <= _LONGEST or not value.isprintable():
        refuse_value("bad-value", _TEXT)
    return value


Text = Annotated[
    str,
    AfterValidator(_text),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": _LONGEST}),
]
Texts = Annotated[list[Text], Field(max_length=20)]
Rate = Annotated[float, Field(gt=0, lt=1)]
PerSecond = Annotated[float, Field(gt=0, le=100_000)]


class VerifyBody(Body):
    """Whether splits are right: of requests that are sent, or of a log."""

    kind: Literal["verify"]
    stages: Texts = Field([], description="The stages; with a log, those of its records.")
    expect: Texts = Field([], examples=[["1=0.9,2=0.1"]], description="Else what aliases say.")
    function: Text | None = None
    requests: Annotated[int, Field(ge=1, le=2_000_000)] | None = None
    users: Annotated[int, Field(ge=1, le=500)] | None = None
    rate: PerSecond | None = Field(None, description="Requests a second.")
    until_decided: bool = False
    false_alarm: Rate | None = None
    miss: Rate | None = None
    tolerance: Rate | None = None
    max_errors: Annotated[float, Field(ge=0, le=1)] | None = None
    source: Text | None = Field(None, description="Requests to send, a file of the project.")
    log: Text | None = Field(None, description="A log to judge, a file of the project.")
    log_format: Text | None = None
    version_field: Text | None = None
    map: Texts = Field([], examples=[["127.0.0.1:9001=1"]])
    sticky_key: Text | None = None
    where: Texts = Field([])


class ReplayBody(Body):
    """A recording that is played again, against this gateway."""

    kind: Literal["replay"]
    recording: Text = Field(description="A file of the project.")
    stage: Text | None = None
    speed: PerSecond | None = None
    rate: PerSecond | None = Field(None, description="Requests a second, on average.")
    as_fast_as_possible: bool = False
    concurrency: Annotated[int, Field(ge=1, le=10_000)] | None = None
    timeout: Annotated[float, Field(gt=0, le=3600)] | None = None
    set_header: Texts = Field([], examples=[["User: {user}"]])
    map_path: Texts = Field([], examples=[["/old -> /new"]])
    sample: Annotated[float, Field(gt=0, le=1)] | None = None
    loop: Annotated[int, Field(ge=1, le=10_000)] | None = None


class RunBody(RootModel[Annotated[VerifyBody | ReplayBody, Field(discriminator="kind")]]):
    """What is to be done."""

    model_config = ConfigDict(defer_build=True)


_MODELS: Final[Mapping[Kind, type[Body]]] = {"verify": VerifyBody, "replay": ReplayBody}
_FILES: Final = ("source", "log", "recording")
_SPELLED: Final = {"stages": "stage", "source": "from"}


def check_run(raw: object, _named: Mapping[str, str]) -> None:
    """Hold what is asked against the options of its kind.

    Raises:
        Rejected: With every mistake, each at its place.
    """
    kind = raw.get("kind") if isinstance(raw, dict) else None
    model = next((model for known, model in _MODELS.items() if known == kind), None)
    if isinstance(raw, dict) and model is None:
        code = "missing-key" if kind is None else "bad-value"
        message = f"kind of the body is {kind!r:.80}; allowed: {listed(KINDS)}"
        raise Rejected(422, code, [Problem(code, message, ("kind",))])
    validate(model or VerifyBody, raw, "the body")


def arguments_of(body: VerifyBody | ReplayBody, folder: Path, snapshot: Snapshot) -> list[str]:
    """The arguments of the command.

    Args:
        body: What is asked.
        folder: The project's folder.
        snapshot: The live state, which knows the stages.

    Raises:
        Refused: It names a stage or a file that there is not, or asks for nothing.
    """
    files = {
        name: inside(folder, given, (name,))
        for name in _FILES
        if (given := getattr(body, name, None)) is not None
    }
    _check(body, snapshot)
    given = body.model_dump(exclude_defaults=True, exclude={"kind", "recording"})
    found = [spelled for name, value in given.items() for spelled in _option(name, value, files)]
    return [*found, "--", files["recording"]] if isinstance(body, ReplayBody) else found


def _option(name: str, value: object, files: Mapping[str, str]) -> Iterator[str]:
    """An option with its value in one argument: no value is ever taken for an option."""
    option = f"--{_SPELLED.get(name, name).replace('_', '-')}"
    if value is True:
        yield option
    elif isinstance(value, list):
        yield from (f"{option}={each}" for each in value)
    else:
        shown = repr(value).removesuffix(".0") if isinstance(value, float) else value
        yield f"{option}={files.get(name, shown)}"


def _check(body: VerifyBody | ReplayBody, snapshot: Snapshot) -> None:
    problems = [*_stages(body, snapshot)]
    if isinstance(body, VerifyBody):
        if not body.stages and body.log is None:
            message = "a verification needs a stage, or a log to judge"
            problems.append(Problem("missing-key", message, ("stages",)))
    elif sum((body.speed is not None, body.rate is not None, body.as_fast_as_possible)) > 1:
        message = "only one of speed, rate, as_fast_as_possible can be used"
        problems.append(Problem("bad-value", message, ("rate",)))
    if problems:
        raise Refused(problems)


def _stages(body: VerifyBody | ReplayBody, snapshot: Snapshot) -> Iterator[Problem]:
    """What is wrong with the stages: they must be there where requests are sent to them."""
    service = snapshot.default_service
    known: Mapping[str, Any] = service.stages if service else {}
    asked = body.stages if isinstance(body, VerifyBody) else filter(None, [body.stage])
    if isinstance(body, VerifyBody) and body.log is not None:
        return
    for index, name in enumerate(asked):
        if names.stage_name(name) not in known:
            at = ("stages", index) if isinstance(body, VerifyBody) else ("stage",)
            message = f"there is no stage {name!r}; there are {listed(known)}"
            yield Problem("unknown-stage", message, at, nearest(name, known))
