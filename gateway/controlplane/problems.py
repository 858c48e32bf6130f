"""Errors as RFC 9457 problems: one status, one stable code, every mistake with its place.

Whoever finds something wrong raises; this is the only module that knows what becomes of it. What
nobody foresaw is told as `unexpected` and nothing more; the log has the rest.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.config import ConfigurationInvalid, render
from gateway.controlplane.limits import EventTooLarge
from gateway.core.errors import GatewayError, Place, Problem, Refused, RoutingError
from gateway.runtime import BrokenVersions
from gateway.store.invocations import InvocationNotFound
from gateway.store.protocol import StaleRevision, StateAway, StateUnusable

CONFLICTS: Final = frozenset(
    {
        "alias-fixed",
        "alias-in-use",
        "function-in-use",
        "invocation-ended",
        "no-configuration",
        "no-service",
        "nothing-to-roll-back",
        "nothing-to-roll-out",
        "rollout-ended",
        "rollout-in-the-way",
        "rollout-paused",
        "rollout-running",
        "run-in-the-way",
        "too-many-invocations",
        "traffic-divided",
        "version-fixed",
        "version-in-use",
    }
)
"""Codes of changes that are fine in themselves and cannot be made in the present state."""

_log: Final = logging.getLogger("gateway.control")

Headers = Mapping[str, str]
NO_HEADERS: Final[Headers] = {}

# RFC 9110 renamed these after Python 3.11 did.
_TITLES: Final = {413: "Content Too Large", 422: "Unprocessable Content"}


class Rejected(GatewayError):
    """A request that is wrong in itself, before anything was asked of the state.

    Attributes:
        status: The HTTP status.
        code: Stable name of the kind of mistake.
        problems: Every mistake; never empty.
        headers: Further headers of the answer.
    """

    def __init__(
        self, status: int, code: str, problems: Iterable[Problem], headers: Headers = NO_HEADERS
    ) -> None:
        self.status = status
        self.code = code
        self.problems = tuple(problems)
        self.headers = headers
        super().__init__(_sentence(self.problems))


def rejected(status: int, code: str, message: str, headers: Headers = NO_HEADERS) -> Rejected:
    """What to raise for a single mistake."""
    return Rejected(status, code, [Problem(code, message)], headers)


@dataclass(frozen=True, slots=True)
class Told:
    """What is answered to a request that failed.

    Attributes:
        status: The HTTP status.
        code: Stable name of the kind of mistake.
        problems: Every mistake.
        extras: Further members of the document.
        headers: Further headers.
    """

    status: int
    code: str
    problems: tuple[Problem, ...]
    extras: Mapping[str, object] = field(default_factory=dict)
    headers: Headers = field(default_factory=dict)

    def to_dict(self) -> dict[str, object]:
        """The document."""
        return {
            "type": f"urn:gateway:problem:{self.code}",
            "title": _TITLES.get(self.status) or HTTPStatus(self.status).phrase,
            "status": self.status,
            "code": self.code,
            "detail": _sentence(self.problems),
            "problems": [_problem_plain(problem) for problem in self.problems],
            **self.extras,
        }


def told(error: Exception) -> Told:
    """What is answered when this was raised."""
    tell = next((tell for kind, tell in _TELLERS if isinstance(error, kind)), None)
    if tell is not None:
        return tell(error)
    code = getattr(error, "code", "")
    if isinstance(error, GatewayError) and code in CONFLICTS:
        return _single(409, code, error)
    return Told(500, "unexpected", (Problem("unexpected", "something unexpected went wrong"),))


async def answer(error: Exception, send: Send) -> None:
    """Answer with the problem."""
    found = told(error)
    await send_json(send, found.status, found.to_dict(), found.headers, "application/problem+json")


async def send_json(
    send: Send,
    status: int,
    content: object,
    headers: Headers,
    media: str = "application/json",
) -> None:
    """Answer with JSON."""
    body = to_json(content)
    fields = {"content-type": media, "content-length": str(len(body)), **headers}
    raw = [(name.lower().encode(), value.encode()) for name, value in fields.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})


def to_json(content: object) -> bytes:
    """JSON in UTF-8; half a surrogate pair becomes the escape that JSON has for it.

    Raises:
        TypeError: A value has no form in JSON.
        ValueError: A number has none, or the value holds itself.
        RecursionError: It is too deep.
    """
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode(errors="backslashreplace")


def pointer(at: Place) -> str:
    """A place as JSON pointer (RFC 6901)."""
    return "".join("/" + str(key).replace("~", "~0").replace("/", "~1") for key in at)


class Problems:
    """ASGI: answers for whatever the application raises.

    Args:
        app: The application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application; an answer that has begun cannot be taken back, so it is cut off."""
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except ClientDisconnect:
            return  # there is nobody left to answer
        except Exception as error:
            if started:
                raise
            if not isinstance(error, GatewayError) or told(error).status >= 500:
                _log.exception("%s %s failed", scope["method"], scope["path"])
            await answer(error, send)


def _status(code: str) -> int:
    if code in {"unknown-revision", "unknown-rollout"}:
        return 404
    return 409 if code in CONFLICTS else 422


def _single(status: int, code: str, error: Exception, **extras: object) -> Told:
    return Told(status, code, (Problem(code, str(error)),), extras)


def _away(error: StateAway) -> Told:
    """What passes by itself: nothing but time is needed before it is tried again."""
    problems = (Problem("state-unusable", str(error)),)
    return Told(503, "state-unusable", problems, headers={"Retry-After": "1"})


def _broken(error: BrokenVersions) -> Told:
    problems = tuple(Problem(broken.code, str(broken)) for broken in error.errors)
    extras = {"broken": [broken.to_dict() for broken in error.errors]}
    return Told(422, "broken-version", problems, extras)


def _configuration(error: ConfigurationInvalid) -> Told:
    found = error.diagnostics
    problems = tuple(
        Problem(each.code, f"{each.file}:{each.line}:{each.column}: {each.message}", (), each.hint)
        for each in found
    )
    extras = {"diagnostics": [each.to_dict() for each in found], "text": render(found)}
    return Told(422, "configuration-invalid", problems, extras)


_TELLERS: Final[tuple[tuple[type[Exception], Callable[[Any], Told]], ...]] = (
    (Rejected, lambda e: Told(e.status, e.code, e.problems, headers=e.headers)),
    (Refused, lambda e: Told(_status(e.code), e.code, e.problems)),
    (StaleRevision, lambda e: _single(412, "stale-revision", e, revision=e.actual)),
    (BrokenVersions, _broken),
    (ConfigurationInvalid, _configuration),
    (EventTooLarge, lambda e: Told(413, e.code, (Problem(e.code, str(e), ("event",)),))),
    (InvocationNotFound, lambda e: _single(404, e.code, e)),
    (RoutingError, lambda e: _single(422, e.code, e)),
    (StateAway, _away),
    (StateUnusable, lambda e: _single(503, "state-unusable", e)),
)


def _sentence(problems: Iterable[Problem]) -> str:
    return "; ".join(problem.message for problem in problems)


def _problem_plain(problem: Problem) -> dict[str, str]:
    return {
        "code": problem.code,
        "message": problem.message,
        "pointer": pointer(problem.at),
        "hint": problem.hint,
    }
