"""A recorded request as rules read one, so that users are told by the keys that rules have."""

from __future__ import annotations

import json
from typing import Final
from urllib.parse import parse_qsl

from gateway.traffic.recording import Recorded

ADDRESS: Final = "address"
"""What the client's address is called where a key is asked for."""

FORWARDED: Final = "X-Forwarded-For"
"""The header in which recordings keep the client's address, as proxies do."""


class RecordedView:
    """A `RequestView` of a recorded request; nothing is read before it is asked for."""

    __slots__ = ("_recorded",)

    def __init__(self, recorded: Recorded) -> None:
        self._recorded = recorded

    def header(self, _name: str, folded: str) -> str | None:
        """The value of a header; those of a repeated one joined."""
        values = [value for name, value in self._recorded.headers if name.lower() == folded]
        return ("; " if folded == "cookie" else ", ").join(values) if values else None

    def query(self, name: str) -> str | None:
        """The last value of a query parameter."""
        return dict(parse_qsl(self._recorded.query, keep_blank_values=True)).get(name)

    def path_parameter(self, _name: str) -> str | None:
        """Nothing: no API is known."""
        return None

    def cookie(self, name: str) -> str | None:
        """The value of a cookie, without quotes around it."""
        for part in (self.header("Cookie", "cookie") or "").split(";"):
            key, separator, value = part.strip().partition("=")
            if separator and key == name:
                return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value
        return None

    def json(self) -> object:
        """The body as JSON, or `None` where it is none."""
        try:
            return json.loads(self._recorded.body)
        except (ValueError, RecursionError):
            return None


def address_of(recorded: Recorded) -> str | None:
    """The client's address: the first that proxies wrote down."""
    value = RecordedView(recorded).header(FORWARDED, FORWARDED.lower())
    return (value.partition(",")[0].strip() or None) if value else None
