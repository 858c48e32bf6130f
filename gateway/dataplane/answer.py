"""From what a function returned to what the caller gets (CONTRACT 5.4).

An integrated answer is `{isBase64Encoded, statusCode, headers, body}`; anything malformed is the
cloud's 403. A passthrough answer is the value as JSON. A function error answers with the function
status code as HTTP status: the documents say 200 and a captured answer says otherwise, and an
error that looks like a success helps nobody.

Headers become lines once and are remembered as bytes, because answers repeat themselves.
"""

from __future__ import annotations

import binascii
import json
import re
from base64 import b64decode
from collections.abc import Mapping
from typing import Any, Final

from gateway.core.snapshot import MockBackend
from gateway.dataplane.request import OWN_PREFIXES

Header = tuple[bytes, bytes]

JSON_LINE: Final = b"content-type: application/json\r\n"
_TEXT_LINE: Final = b"content-type: text/plain; charset=utf-8\r\n"
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")  # RFC 9110 5.5
_FRAMING: Final = frozenset(
    (
        "connection",
        "content-length",
        "date",
        "keep-alive",
        "transfer-encoding",
        "upgrade",
        "x-api-requestid",
    )
)
_HEADS_LIMIT: Final = 1024
_heads: dict[tuple[tuple[object, object], ...], bytes | None] = {}


Answer = tuple[int, bytes, bytes]
"""What goes back to the caller: HTTP status, the answer's own header lines, the whole body."""

MALFORMED: Final[Answer] = (
    403,
    JSON_LINE,
    b'{"errno":403,"error":"Invalid scf response format. please check your scf response format."}',
)
"""The cloud's answer to a function whose integrated answer has no usable form."""


def line(name: str, value: str) -> bytes:
    """A header line of the gateway's own."""
    return f"{name}: {value}\r\n".encode("latin-1", "replace")


def pairs(head: bytes) -> list[Header]:
    """Header lines as ASGI wants them."""
    return [(name, value) for name, _, value in (row.partition(b": ") for row in head.splitlines())]


def integrated_answer(value: Any) -> Answer:  # noqa: ANN401 - a handler returns what it likes
    """The answer that a function spells out itself; `MALFORMED` where it cannot be read."""
    if type(value) is not dict and not isinstance(value, Mapping):
        return MALFORMED
    status, body = value.get("statusCode"), value.get("body")
    if type(status) is not int or not 200 <= status <= 599:
        return MALFORMED
    if body is None:
        body = ""
    elif not isinstance(body, str):
        return MALFORMED
    fields: Any = value.get("headers")
    try:
        head = _heads[tuple(fields.items())]
    except (AttributeError, KeyError, TypeError):
        head = _head(fields)
    content = _content(body, value.get("isBase64Encoded", False))
    if head is None or content is None:
        return MALFORMED
    return status, head, content


def passthrough(value: Any) -> Answer | None:  # noqa: ANN401 - a handler returns what it likes
    """The value as JSON; `None` where it has none."""
    try:
        return 200, JSON_LINE, json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError):
        return None


def mock(backend: MockBackend) -> Answer:
    """The fixed answer of a mock back end."""
    return backend.status, _head(backend.headers) or _TEXT_LINE, backend.body.encode()


def function_error(status: int, error: Mapping[str, object]) -> Answer:
    """The answer to a caller whose invocation failed."""
    text = json.dumps(error, ensure_ascii=False)
    # Half a surrogate pair, as a message may hold one, becomes the escape that JSON has for it.
    return status, JSON_LINE, text.encode(errors="backslashreplace")


def _content(body: str, encoded: object) -> bytes | None:
    if encoded is False:
        try:
            return body.encode()
        except UnicodeEncodeError:  # a lone surrogate, as json.loads makes of a broken escape
            return body.encode(errors="surrogatepass")
    if encoded is not True:
        return None
    try:
        return b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        return None


def _head(fields: object) -> bytes | None:
    if fields is None:
        return _TEXT_LINE
    if not isinstance(fields, Mapping):
        return None
    head = b""
    for name, value in fields.items():
        for single in value if isinstance(value, list) else (value,):
            row = _line(name, single)
            if row is None:
                return None
            head += row
    if not head.startswith(b"content-type: ") and b"\ncontent-type: " not in head:
        head = _TEXT_LINE + head
    _remember(tuple(fields.items()), head)
    return head


def _remember(fields: tuple[tuple[object, object], ...], head: bytes) -> None:
    """Only texts are remembered: `1`, `1.0` and `True` are equal and read differently."""
    if len(_heads) >= _HEADS_LIMIT:
        _heads.clear()
    if all(type(value) is str for pair in fields for value in pair):
        _heads[fields] = head


def _line(name: object, value: object) -> bytes | None:
    """One header line; empty where it is not the function's to set, `None` where malformed."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    value = str(value)
    if not isinstance(name, str):
        return None
    if _NAME.fullmatch(name) is None or _VALUE.fullmatch(value) is None:
        return None
    folded = name.lower()
    if folded in _FRAMING or folded.startswith(OWN_PREFIXES):
        return b""
    return _encoded(f"{folded}: {value}\r\n")


def _encoded(row: str) -> bytes | None:
    for encoding in ("latin-1", "utf-8"):
        try:
            return row.encode(encoding)
        except UnicodeEncodeError:
            pass
    return None  # half a surrogate pair
