"""The recording: one request a line, as JSON, in the order in which they came.

What a line may say is one type in `recording_line`; it is checked as it is read. Nothing here holds
more than one line.

Header names and values are text with one character for each byte, as HTTP has them, so that
whatever was recorded is sent again byte by byte. Paths and queries are percent-encoded ASCII.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from pydantic_core import ValidationError, to_json

from gateway.traffic.failures import BadLine
from gateway.traffic.opening import MAX_LINE
from gateway.traffic.recording_line import sentence, validator

Headers = tuple[tuple[str, str], ...]
"""Names with values, in order; a name may come again."""


class Origin(NamedTuple):
    """Where a request was written down.

    Attributes:
        file: The file as it was named.
        line: The line, counted from 1; the entry where a file has entries and no lines.
    """

    file: str
    line: int


class Answered(NamedTuple):
    """How a request was answered when it was recorded; `None` where nobody wrote it down.

    Attributes:
        status: The HTTP status.
        seconds: From the request to the end of its answer.
        version: The version that answered.
        reason: Why that one.
        revision: The snapshot that decided.
    """

    status: int | None = None
    seconds: float | None = None
    version: str | None = None
    reason: str | None = None
    revision: int | None = None


class Recorded(NamedTuple):
    """One recorded request. A copy with another value is made with `_replace`.

    Attributes:
        at: Seconds since the recording began.
        method: The HTTP method.
        path: The path without the stage, percent-encoded.
        query: What follows the question mark, percent-encoded; empty where there is none.
        headers: The headers.
        body: The body.
        user: Who sent it, where the traffic tells; what a sample of users keys on.
        origin: Where it was written down.
        stage: The stage that it was sent to.
        answer: How it was answered then.
    """

    at: float
    method: str
    path: str
    query: str = ""
    headers: Headers = ()
    body: bytes = b""
    user: str | None = None
    origin: Origin | None = None
    stage: str | None = None
    answer: Answered | None = None


def read(lines: Iterable[bytes], file: str = "-") -> Iterator[Recorded]:
    """The requests of a recording, one after another.

    Args:
        lines: Its lines, as `open_lines` gives them; empty ones say nothing.
        file: What to call it in errors.

    Raises:
        BadLine: A line is none of a recording.
    """
    for number, line in enumerate(lines, start=1):
        if line and not line.isspace():
            yield parse(line, number, file)


def parse(line: bytes, number: int = 1, file: str = "-") -> Recorded:
    """The request of one line.

    Args:
        line: The line.
        number: Its number, and
        file: the file that it stands in, for errors.

    Raises:
        BadLine: It is none of a recording.
    """
    if len(line) > MAX_LINE:
        raise BadLine(file, number, f"it is longer than {MAX_LINE} bytes")
    try:
        return _recorded(validator().validate_json(line))
    except ValidationError as error:
        raise BadLine(file, number, sentence(error)) from None
    except ValueError as error:
        raise BadLine(file, number, str(error)) from None


def write(recorded: Recorded) -> bytes:
    """The line of a request, with its end; what has nothing to say is left out."""
    at, method, path, query, headers, body, user, origin, stage, answer = recorded
    line: dict[str, object] = {"v": 1, "at": round(at, 6), "method": method, "path": path}
    if query:
        line["query"] = query
    if headers:
        line["headers"] = headers
    if body:
        _put_body(line, body)
    if user is not None:
        line["user"] = user
    if origin is not None:
        line["origin"] = {"file": origin[0], "line": origin[1]}
    if stage is not None:
        line["stage"] = stage
    if answer is not None:
        line["answer"] = _answer_line(answer)
    return to_json(line) + b"\n"


def _put_body(line: dict[str, object], body: bytes) -> None:
    try:
        line["body"] = body.decode()
    except UnicodeDecodeError:
        line["body64"] = b64encode(body).decode()


_STATUS_ONLY: Final = (None,) * (len(Answered._fields) - 1)


def _answer_line(answer: Answered) -> dict[str, object]:
    if answer[1:] == _STATUS_ONLY:  # as access logs have it, by the million
        return {"status": answer[0]}
    said = zip(Answered._fields, answer, strict=True)
    return {name: value for name, value in said if value is not None}


def _recorded(line: Any) -> Recorded:  # noqa: ANN401 - a `Line`, with less ado than its type makes
    get = line.get
    origin, answer = get("origin"), get("answer")
    return Recorded(
        line["at"],
        line["method"],
        line["path"],
        get("query", ""),
        tuple(get("headers", ())),
        _body(line) if "body" in line or "body64" in line else b"",
        get("user"),
        None if origin is None else Origin(origin["file"], origin["line"]),
        get("stage"),
        None if answer is None else Answered(**answer),
    )


def _body(line: dict[str, str]) -> bytes:
    if "body64" not in line:
        return line["body"].encode()
    if "body" in line:
        raise ValueError("it has both 'body' and 'body64'; allowed: one of them")
    try:
        return b64decode(line["body64"], validate=True)
    except ValueError:
        raise ValueError("its 'body64' is no base64") from None
