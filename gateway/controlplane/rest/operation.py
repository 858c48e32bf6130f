"""One operation of the API: what it is called, what it takes, what it answers, and who does it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeVar

from pydantic import BaseModel
from starlette.types import Receive, Scope, Send

from gateway.controlplane.guard import JSON
from gateway.controlplane.rest.bodies import Query
from gateway.controlplane.rest.reading import MAX_JSON
from gateway.controlplane.service import Control
from gateway.core.snapshot import Snapshot
from gateway.store.packages import Package
from gateway.store.protocol import Author

M = TypeVar("M", bound=BaseModel)

ZIP: Final = "application/zip"
MULTIPART: Final = "multipart/form-data"
EVENTS: Final = "text/event-stream"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that was read and checked in itself.

    Attributes:
        control: Who is asked.
        snapshot: The live snapshot when the request was read.
        names: What the URL names.
        query: The query parameters, as the operation's model.
        body: The body, as the operation's model; `None` where it has none.
        raw: The same body as it was parsed.
        package: The uploaded code, for the operation that takes code.
        author: Who asks.
        expected: The revision that a change must be applied to; `None` when any will do.
        last_event: The last event that a reader of events has seen.
        since: When the gateway started, in seconds since 1970.
        sent: The body as it came, for the operation that needs its spelling.
    """

    control: Control
    snapshot: Snapshot
    names: Mapping[str, str]
    author: Author
    expected: int | None = None
    query: BaseModel | None = None
    body: BaseModel | None = None
    raw: object = None
    package: Package | None = None
    last_event: int | None = None
    since: float = 0.0
    sent: bytes = b""

    def parsed(self, model: type[M]) -> M:
        """The body, or the query, that is of this model."""
        for value in (self.body, self.query):
            if isinstance(value, model):
                return value
        raise TypeError(f"the operation takes no {model.__name__}")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer.

    Attributes:
        content: JSON values, or the bytes of another media type.
        revision: The revision it tells about; `None` for an answer that tells of no state.
        status: The HTTP status.
        media: The media type.
        headers: Further headers.
    """

    content: object
    revision: int | None = None
    status: int = 200
    media: str = JSON[0]
    headers: Mapping[str, str] = field(default_factory=dict)


class Stream(Protocol):
    """An answer that sends itself."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""


Run = Callable[[Asked], Awaitable[Reply | Stream]]
Law = Callable[[object, Mapping[str, str]], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One row of the table.

    Attributes:
        id: Its stable name.
        method: The HTTP method.
        path: The path, with `{f}`, `{a}`, `{v}`, `{i}` and `{s}` for what the URL names.
        summary: A short sentence.
        run: Does it.
        answer: The model of the answer, or its media type.
        status: The status of a success.
        created: Whether it answers with 201 where it creates what the URL names.
        body: The model of the body.
        optional: Whether the body may be left out.
        law: Checks the parsed body before the model does; raises `Refused`.
        query: The model of the query parameters; `None` where nobody looks at them.
        creates: What the URL may name although it does not exist: `f`, `a` or `s`.
        media: The media types of the body.
        asks: Whether it alters nothing although it has a body.
        errors: Further statuses that it may answer with.
        accepted: The model of the answer with 202, where it may be done later.
        limit: Bytes that a JSON body may have.
    """

    id: str
    method: str
    path: str
    summary: str
    run: Run
    answer: type[BaseModel] | str
    status: int = 200
    created: bool = False
    body: type[BaseModel] | None = None
    optional: bool = False
    law: Law | None = None
    query: type[BaseModel] | None = Query
    creates: str = ""
    media: tuple[str, ...] = JSON
    asks: bool = False
    errors: tuple[int, ...] = ()
    accepted: type[BaseModel] | None = None
    limit: int = MAX_JSON

    @property
    def alters(self) -> bool:
        """Whether it may alter the state: its answer has a new revision, and `If-Match` counts."""
        return self.method != "GET" and not self.asks

    @property
    def reads(self) -> bool:
        """Whether it looks at the state once, so that the newest one can be asked for."""
        return self.method == "GET" and self.path.startswith("/api/") and self.answer != EVENTS

    @property
    def uploads(self) -> bool:
        """Whether its body is code."""
        return ZIP in self.media

    def statuses(self) -> tuple[int, ...]:
        """Every status that it can answer with."""
        if not self.path.startswith("/api/"):
            return (200, 421, 500)
        found = {self.status, 400, 401, 421, 500, *self.errors}
        if self.created:
            found.add(201)
        if self.accepted is not None:
            found.add(202)
        if "{" in self.path:
            found.add(404)
        if self.method != "GET":
            found |= {403, 413, 415, 422}
        if self.alters:
            found |= {409, 412, 503}
        if self.reads:
            found.add(503)
        return tuple(sorted(found))
