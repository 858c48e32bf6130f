"""Points in time as logs spell them, as seconds since 1970; what is no time is an error."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from math import isfinite, nan
from typing import Final

_MONTHS: Final = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1
    )
}
_MOST_DAYS: Final = 4096
_LATEST: Final = 253_402_300_800.0  # the year 10000
_days: Final[dict[tuple[str, str], int]] = {}


@lru_cache(maxsize=1024)  # a busy log has many lines of one second
def log_time(text: str) -> float:
    """`17/May/2015:10:05:03 +0000`, as access logs write it; ISO 8601 as well.

    Raises:
        ValueError: It is neither.
    """
    if text[2:3] != "/" or text[20:21] != " ":
        return iso_time(text)
    day = text[:11], text[21:]
    midnight = _days.get(day)
    if midnight is None:
        midnight = _midnight(*day)
        if len(_days) >= _MOST_DAYS:
            _days.clear()
        _days[day] = midnight
    hour, minute, second = int(text[12:14]), int(text[15:17]), int(text[18:20])
    if not (0 <= hour < 24 and 0 <= minute < 60 and 0 <= second <= 60):
        raise ValueError(text)
    return float(midnight + hour * 3600 + minute * 60 + second)


def iso_time(text: str) -> float:
    """`2015-05-17T10:05:03.123Z`, also with a space for the T; UTC unless it says otherwise.

    Raises:
        ValueError: It is none.
    """
    moment = datetime.fromisoformat(text.strip())
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.timestamp()


def any_time(value: object, unit: float = 1.0) -> float:
    """A number of units since 1970 or since anything, or a text in a spelling of logs.

    Args:
        value: What stands there.
        unit: Seconds of one unit.

    Raises:
        ValueError: It is neither.
    """
    if isinstance(value, str):
        text = value.strip()
        try:
            number = float(text)
        except ValueError:
            return log_time(text)
    else:
        known = isinstance(value, int | float) and not isinstance(value, bool)
        number = float(value) if known else nan  # type: ignore[arg-type]
    number *= unit
    if not (isfinite(number) and -_LATEST < number < _LATEST):
        raise ValueError(str(value))
    return number


def _midnight(day: str, zone: str) -> int:
    """Seconds since 1970 of the start of a day in a zone such as `+0200`."""
    month = _MONTHS.get(day[3:6])
    if month is None or day[6] != "/" or len(zone) != 5 or zone[0] not in "+-":
        raise ValueError(day)
    start = datetime(int(day[7:11]), month, int(day[:2]), tzinfo=UTC)
    offset = int(zone[1:3]) * 3600 + int(zone[3:5]) * 60
    return int(start.timestamp()) - (offset if zone[0] == "+" else -offset)
