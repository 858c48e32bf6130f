"""When parts were made and altered last: read from the journal, each record once.

The journal is the only place that knows. What it holds already is read at the first question, and
from then on only what is new.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from gateway.core.diff import Path
from gateway.store.protocol import Record, Store

PAGE: Final = 500
"""How many records are read at a time."""


class Times:
    """The times of all parts.

    Args:
        store: Keeps the journal.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known = 0
        self._times: dict[Path, tuple[float, float]] = {}

    async def up_to(self, revision: int) -> None:
        """Read every record that is new, as far as a revision."""
        fresh: list[Record] = []
        before: int | None = None
        while self._known < revision:
            page = await self._store.records(before=before, limit=PAGE)
            fresh += (record for record in page if record.revision > self._known)
            if len(page) < PAGE or page[-1].revision <= self._known:
                break
            before = page[-1].revision
        self._take(reversed(fresh))

    def added(self, *path: str) -> str:
        """When a part was made, as the cloud writes it; empty where the journal does not say."""
        return _text(self._times.get(path, (0.0, 0.0))[0])

    def altered(self, *path: str) -> str:
        """When a part was altered last."""
        return _text(self._times.get(path, (0.0, 0.0))[1])

    def seconds(self, path: Path) -> tuple[float, float]:
        """When a part was made and altered last, in seconds since 1970; 0 where nothing says so."""
        return self._times.get(path, (0.0, 0.0))

    def _take(self, records: Iterable[Record]) -> None:
        for record in records:
            if record.revision <= self._known:  # another question was faster
                continue
            self._known = record.revision
            for difference in record.differences:
                if difference.after is None:
                    self._times.pop(difference.path, None)
                else:
                    added, _ = self._times.get(difference.path, (record.at, 0.0))
                    self._times[difference.path] = (added, record.at)


def _text(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S") if at else ""
