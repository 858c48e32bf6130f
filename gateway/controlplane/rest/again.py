"""Sending a request of the invocation log again: as its caller sent it, to the same place.

It is a new request with an id of its own, and meets the state as it is now. What was not kept
cannot be sent: a body that was cut is refused, and headers whose values are hidden are left out.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from pydantic import Field

from gateway.controlplane.entries import HIDDEN
from gateway.controlplane.problems import Rejected, rejected
from gateway.controlplane.rest.answers import Answer
from gateway.controlplane.rest.logged import entry_named
from gateway.controlplane.rest.operation import Asked, Operation, Reply
from gateway.core.entries import Target

if TYPE_CHECKING:
    from gateway.core.snapshot import Snapshot
    from gateway.store.logged import Entry

PATIENCE: Final = 30.0
"""Seconds that the answer, or its next piece, may take."""

_FRAMING: Final = frozenset(
    (
        "connection", "content-length", "expect", "host", "keep-alive", "te", "trailer",
        "transfer-encoding", "upgrade",
    )
)  # fmt: skip
"""Headers that belong to the connection, which is another one now."""

_ID: Final = "x-api-requestid"
_AS_IT_IS: Final = "%/:@!$&'()*+,;=~?[]"


class Again(Answer):
    """What came of a request that was sent again."""

    request_id: str = Field(description="Its own id; empty where the gateway gave it none.")
    status: int
    left_out: list[str] = Field(description="Headers that were not sent: their values are hidden.")


async def send_again(asked: Asked) -> Reply:
    """Send a request again that is in the invocation log."""
    entry = await entry_named(asked)
    if entry.body_cut:
        kept = len(entry.body)
        message = f"only the first {kept:,} characters of the body of {entry.request_id!r} are kept"
        raise rejected(409, "body-not-kept", message)
    shown = {name: value for name, value in entry.headers.items() if value != HIDDEN}
    if entry.source == "http":
        request_id, status = await _requested(entry, shown, asked)
    else:
        target = Target(entry.function, entry.qualifier)
        found = await asked.control.invoke(target, shown or None, json.loads(entry.body))
        request_id, status = found.request_id, found.status
    left_out = sorted(entry.headers.keys() - shown.keys())
    plain = {"request_id": request_id, "status": status, "left_out": left_out}
    return Reply(plain, asked.control.live.snapshot.revision)


async def _requested(entry: Entry, shown: dict[str, str], asked: Asked) -> tuple[str, int]:
    """The id and the status of the new request."""
    import httpx  # a tenth of a second that starting does not pay

    _check_stage(entry, asked.snapshot)
    url = f"{asked.control.data_url}/{entry.stage}{quote(entry.path, safe=_AS_IT_IS)}"
    headers = [
        (name.encode("latin-1"), value.encode("latin-1"))
        for name, value in shown.items()
        if name not in _FRAMING
    ]
    body = entry.body.encode()
    try:
        async with (
            httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as client,
            client.stream(entry.method, url, headers=headers, content=body) as answer,
        ):
            async for _ in answer.aiter_raw():
                pass
    except httpx.HTTPError as error:
        raise _unanswered(asked.control.data_url, error) from None
    return answer.headers.get(_ID, ""), answer.status_code


def _check_stage(entry: Entry, snapshot: Snapshot) -> None:
    """The request was for a stage that can be named in a path."""
    service = snapshot.default_service
    if service is None or entry.stage not in service.stages:
        where = f"the stage {entry.stage!r}" if entry.stage else "no stage"
        message = f"the request {entry.request_id!r} was for {where}, which the service has not"
        raise rejected(409, "stage-gone", message)


def _unanswered(url: str, error: Exception) -> Rejected:
    said = str(error) or type(error).__name__
    return rejected(409, "not-answered", f"the data plane at {url} did not answer: {said}")


AGAIN_OPERATIONS: Final = (
    Operation(
        id="sendAgain",
        method="POST",
        path="/api/invocations/{i}/again",
        summary="Send a request of the invocation log again",
        run=send_again,
        answer=Again,
        asks=True,
        errors=(409, 503),
    ),
)
"""The one operation that sends what was sent before."""
