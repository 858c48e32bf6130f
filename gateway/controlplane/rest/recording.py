"""Recording over REST: a stage's requests as lines of JSON, for as long as somebody reads them."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from gateway.controlplane.recording import MEDIA, RecordingStream
from gateway.controlplane.rest.answers import Answer
from gateway.controlplane.rest.bodies import Query
from gateway.controlplane.rest.operation import Asked, Operation, Reply

SECRETS: Final = ("authorization", "cookie", "proxy-authorization", "set-cookie")
"""Headers whose values are left out unless somebody asks for them."""

MAX_RATE: Final = 10_000
MAX_BODY: Final = 6 * 1024 * 1024
"""How much a recording may take: requests a second, and bytes of a body."""


class RecordingQuery(Query):
    """What is recorded, and how much of it."""

    stage: str = Field(description="The stage, by any name that reaches it.", examples=["release"])
    rate: Annotated[float, Field(gt=0, le=MAX_RATE)] = 1000
    body_limit: Annotated[int, Field(ge=0, le=MAX_BODY)] = 64 * 1024
    redact: str = Field("", description="Further headers without their values, with commas.")
    keep: str = Field("", description="Headers that keep their values after all.")


class Addresses(Answer):
    """Where the gateway answers."""

    data: str = Field(description="The data plane's address, without a slash at its end.")


async def record(asked: Asked) -> RecordingStream:
    """Begin to record, and go on for as long as the lines are read."""
    query, control = asked.parsed(RecordingQuery), asked.control
    hidden = frozenset({*SECRETS, *_names(query.redact)}) - _names(query.keep)
    recording = control.recorder.open(
        query.stage, rate=query.rate, body=query.body_limit, hidden=hidden
    )
    return RecordingStream(recording, control.events, asked.snapshot.revision)


async def addresses(asked: Asked) -> Reply:
    """Where the data plane answers."""
    return Reply({"data": asked.control.data_url}, asked.snapshot.revision)


RECORDING_OPERATIONS: Final = (
    Operation(
        id="record",
        method="GET",
        path="/api/recording",
        summary="A stage's requests and answers, as they come",
        run=record,
        answer=MEDIA,
        query=RecordingQuery,
        errors=(422,),
    ),
    Operation(
        id="getAddresses",
        method="GET",
        path="/api/addresses",
        summary="Where callers reach the data plane",
        run=addresses,
        answer=Addresses,
    ),
)


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip().lower() for name in text.split(",") if name.strip())
