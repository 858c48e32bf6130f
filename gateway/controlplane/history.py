"""Records of the journal as the control plane tells them: one spelling for reads and for events."""

from __future__ import annotations

from datetime import UTC, datetime

from gateway.core.diff import Difference
from gateway.core.journal import change_shown
from gateway.store.protocol import Record


def moment(at: float) -> str:
    """Seconds since 1970 as ISO 8601 in UTC, to the millisecond: `2025-01-31T12:00:00.000Z`."""
    text = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z"


def difference_plain(difference: Difference) -> dict[str, object]:
    """One altered part, before and after."""
    return {
        "path": list(difference.path),
        "before": difference.before,
        "after": difference.after,
    }


def record_plain(record: Record) -> dict[str, object]:
    """Who altered what, and when."""
    return {
        "revision": record.revision,
        "at": moment(record.at),
        "who": record.author.who,
        "origin": record.author.origin,
        "differences": [difference_plain(difference) for difference in record.differences],
        "restores": record.restores,
    }


def audit_plain(record: Record) -> dict[str, object]:
    """The same with what was asked for."""
    return {**record_plain(record), "change": change_shown(record.change)}


def move_plain(record: Record, path: tuple[str, ...]) -> dict[str, object]:
    """What a record did to one part: to an alias, say."""
    ours = next(d for d in record.differences if d.path == path)
    plain = {**record_plain(record), "before": ours.before, "after": ours.after}
    del plain["differences"]
    return plain
