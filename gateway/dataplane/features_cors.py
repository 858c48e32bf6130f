"""Pages of other origins: what a browser is told when it asks first, and with every answer.

The values are those that the cloud's switch has (CONTRACT 5.4). Headers that a page asks for are
allowed beside the cloud's list, because rules of aliases read headers of any name.
"""

from __future__ import annotations

import re
from typing import Final

from gateway.dataplane.answer import Answer, Header, line

_HEADERS: Final = (
    "X-Api-ID,X-Service-RateLimit,X-UsagePlan-RateLimit,X-UsagePlan-Quota,Cache-Control,"
    "Connection,Content-Disposition,Date,Keep-Alive,Pragma,Via,Accept,Accept-Charset,"
    "Accept-Encoding,Accept-Language,Authorization,Cookie,Expect,From,Host,If-Match,"
    "If-Modified-Since,If-None-Match,If-Range,If-Unmodified-Since,Range,Origin,Referer,"
    "User-Agent,X-Forwarded-For,X-Forwarded-Host,X-Forwarded-Proto,Age,Content-Range,"
    "ETag,Expires,Last-Modified,Location,Server,Trailer,Transfer-Encoding,Vary,Allow,"
    "Content-Encoding,Content-Language,Content-Length,Content-Location,Content-Type"
)
_OWN: Final = (
    "X-Api-RequestId,X-Gateway-Stage,X-Gateway-Function,X-Gateway-Alias,X-Gateway-Version,"
    "X-Gateway-Reason,X-Gateway-Revision"
)
_LISTED: Final = frozenset(_HEADERS.lower().split(","))
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

ASKED: Final = "access-control-request-method"
"""The header that makes an `OPTIONS` request a question of a browser."""

ORIGIN: Final[Header] = (b"access-control-allow-origin", b"*")
EXPOSED: Final[Header] = (b"access-control-expose-headers", f"{_HEADERS},{_OWN}".encode())

_ALLOWED: Final = b"".join(
    (
        line("access-control-allow-origin", "*"),
        line("access-control-allow-methods", "GET,POST,PUT,DELETE,HEAD,OPTIONS,PATCH"),
        line("access-control-allow-credentials", "true"),
    )
)


def is_preflight(method: str, headers: dict[str, str]) -> bool:
    """Whether a browser asks if a page may send a request."""
    return method == "OPTIONS" and "origin" in headers and ASKED in headers


def preflight(headers: dict[str, str]) -> Answer:
    """The answer to a browser that asks first; no back end hears of it."""
    wanted = headers.get("access-control-request-headers", "").split(",")
    names = (name.strip() for name in wanted)
    others = [n for n in names if _TOKEN.fullmatch(n) and n.lower() not in _LISTED]
    allowed = line("access-control-allow-headers", ",".join((_HEADERS, *others)))
    vary = line("vary", "Access-Control-Request-Headers")
    return 204, _ALLOWED + allowed + vary, b""


def with_origin(headers: list[Header]) -> list[Header]:
    """The headers of an answer as a page of another origin needs them; its own words win."""
    said = {name.lower() for name, _ in headers}
    return [*headers, *(pair for pair in (ORIGIN, EXPOSED) if pair[0] not in said)]
