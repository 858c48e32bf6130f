"""Which field of a record says what: the version above all, and beside it what else a log may tell.

A field that is named must be there; one that is not named is looked for under its usual names, and
the version of a log that has none is never guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, NamedTuple

from gateway.traffic.observed_records import Record, getter

USUAL: Final[Mapping[str, tuple[str, ...]]] = {
    "version": ("version", "answer.version", "x_gateway_version", "X-Gateway-Version"),
    "stage": ("stage", "x_gateway_stage", "X-Gateway-Stage"),
    "reason": ("reason", "answer.reason", "x_gateway_reason", "X-Gateway-Reason"),
    "revision": ("revision", "answer.revision", "x_gateway_revision", "X-Gateway-Revision"),
    "time": ("time", "at", "timestamp", "ts", "msec", "time_iso8601", "time_local", "start_time"),
    "status": ("status", "answer.status", "response_code", "status_code"),
    "latency": ("seconds", "answer.seconds", "request_time", "upstream_response_time"),
}
"""The names under which a field that nobody named is looked for, in this order."""

UNITS: Final = {"s": 1.0, "ms": 1e-3, "us": 1e-6}
"""Units of a latency, in seconds."""
_SHAPES: Final = 100
"""Sets of fields that are remembered; records of a log have few."""

_LOCAL: Final = "%d/%b/%Y:%H:%M:%S %z"  # as access logs write it
_MILLISECONDS: Final = 1e11
"""Greater numbers are milliseconds: as seconds they would be after the year 5000."""

Get = Callable[[Record], "str | None"]


class Sighting(NamedTuple):
    """What one record says of one request.

    Attributes:
        version: Who answered it; `None` where the record does not say.
        stage: The stage; empty where the record has none.
        reason: Why that version; empty where the record does not say.
        at: When, in seconds since 1970 or since the record's own beginning; `None` if unknown.
        status: The HTTP status; 0 if unknown.
        seconds: How long it took; `None` if unknown.
        key: The value of the sticky key; `None` if there is none.
        revision: The revision of the routing; empty if unknown.
        by: The values by which the splits are told apart.
    """

    version: str | None
    stage: str = ""
    reason: str = ""
    at: float | None = None
    status: int = 0
    seconds: float | None = None
    key: str | None = None
    revision: str = ""
    by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fields:
    """Names of fields.

    Attributes:
        named: The field of each thing in `USUAL` that somebody named.
        key: The field that holds the sticky key; empty for none.
        by: The fields by which the splits are told apart.
        unit: The unit of the latency: `s`, `ms` or `us`.
        versions: Versions by the values that stand for them; others stand for themselves.
    """

    named: Mapping[str, str] = field(default_factory=dict)
    key: str = ""
    by: tuple[str, ...] = ()
    unit: str = "s"
    versions: Mapping[str, str] = field(default_factory=dict)


class Looker:
    """Sees in a record what there is to see.

    Args:
        fields: The names.
    """

    def __init__(self, fields: Fields) -> None:
        names = {
            what: (fields.named[what],) if what in fields.named else USUAL[what] for what in USUAL
        }
        self._getters = {
            what: [(name.partition(".")[0], name, getter(name)) for name in names[what]]
            for what in USUAL
        }
        self._known: dict[tuple[str, ...], list[Get]] = {}
        self._key = getter(fields.key) if fields.key else _nothing
        self._by = tuple(map(getter, fields.by))
        self._scale = UNITS[fields.unit]
        self._versions = fields.versions

    def __call__(self, record: Record) -> Sighting:
        """What a record says."""
        shape = tuple(record)
        getters = self._known.get(shape) or self._getters_for(shape)
        version, stage, reason, revision, time, status, latency = [get(record) for get in getters]
        if version is not None and self._versions:
            version = self._version(version)
        seconds = number(latency)
        return Sighting(
            version,
            stage or "",
            reason or "",
            moment(time),
            _status(status),
            None if seconds is None else seconds * self._scale,
            self._key(record),
            revision or "",
            tuple([get_by(record) or "-" for get_by in self._by]) if self._by else (),
        )

    def _getters_for(self, shape: tuple[str, ...]) -> list[Get]:
        """What finds each thing of `USUAL` in records of these fields.

        Records of a log are alike: what their fields cannot hold is looked for once.
        """
        there = set(shape)
        found = [
            _first([get for outer, name, get in getters if name in there or outer in there])
            for getters in self._getters.values()
        ]
        if len(self._known) >= _SHAPES:
            self._known.clear()
        self._known[shape] = found
        return found

    def _version(self, value: str) -> str:
        """The version behind a value; of several servers that were tried, the last is meant."""
        if value in self._versions:
            return self._versions[value]
        last = value.replace(" : ", ", ").rpartition(", ")[2]
        return self._versions.get(last, value)


def _nothing(_record: Record) -> None:
    return None


def _first(getters: Sequence[Get]) -> Get:
    """What finds the first of several that is there."""
    if len(getters) == 1:
        return getters[0]

    def find(record: Record) -> str | None:
        for get in getters:
            value = get(record)
            if value is not None:
                return value
        return None

    return find if getters else _nothing


def number(text: str | None) -> float | None:
    """A number of 0 or more; `None` where it is none."""
    try:
        value = float(text) if text is not None else -1.0
    except ValueError:
        return None
    return value if 0 <= value < float("inf") else None


def moment(text: str | None) -> float | None:
    """When something was: seconds as a number, ISO 8601, or as access logs write it.

    What names no time zone is taken as UTC.
    """
    seconds = number(text)
    if text is None or seconds is not None:
        return seconds / 1000 if seconds is not None and seconds > _MILLISECONDS else seconds
    return _written(text)


@lru_cache(maxsize=1024)
def _written(text: str) -> float | None:
    """The same for a date, which many lines share."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        try:
            when = datetime.strptime(text, _LOCAL).astimezone(UTC)
        except ValueError:
            return None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def _status(text: str | None) -> int:
    return int(text) if text is not None and text.isascii() and text.isdigit() else 0
