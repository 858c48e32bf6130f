"""How an entry of the invocation log is written down, whoever keeps it.

There are columns for what is asked for, JSON for everything else, and one text that is searched.
What no database would take as text, a NUL and half of a surrogate pair, is replaced in columns and
questions alike; the JSON spells it out, and gives it back as it was.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Any, Final

from gateway.store.logged import Entry, Origin, Wanted

COLUMNS: Final = (
    "request_id", "at", "stage", "function", "qualifier", "version", "reason", "status", "kind",
    "seconds",
)  # fmt: skip
"""The columns of an entry; `detail` and the text that is searched follow."""

_DETAIL: Final = frozenset(each.name for each in fields(Entry)) - {*COLUMNS, "number"}
_LARGEST: Final = 2**63 - 1


def row_of(entry: Entry, origin: Origin) -> tuple[str | int | float, ...]:
    """An entry as it is written: its columns, its detail, and the text that is searched."""
    detail = {name: getattr(entry, name) for name in _DETAIL}
    detail |= {"node": origin.node, "process": origin.process}
    error = json.dumps(entry.error, ensure_ascii=False) if entry.error else ""
    text = f"{entry.path}\n{entry.body}\n{error}\n{entry.output}"
    columns = (_column(getattr(entry, name)) for name in COLUMNS)
    return (*columns, json.dumps(detail, ensure_ascii=True), searched(text))


def entry_of_row(row: Sequence[Any]) -> Entry:
    """The entry of a number, the columns and the detail; a newer program may have told more."""
    number, *columns, detail = row
    told = {name: value for name, value in json.loads(detail).items() if name in _DETAIL}
    return Entry(**dict(zip(COLUMNS, columns, strict=True)), **told, number=number)


def writable(text: str) -> str:
    """A text that every database takes."""
    return text.encode(errors="replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def searched(text: str) -> str:
    """A text as it is searched: case makes no difference."""
    return writable(text.casefold())


def terms(wanted: Wanted, holds: str) -> Iterator[tuple[str, Sequence[object]]]:
    """The conditions that entries must meet, each with its values where it has a `?`.

    Args:
        wanted: Which entries are looked for.
        holds: The condition that the searched text holds another one.
    """
    for column in ("stage", "function", "qualifier", "version", "reason"):
        value = getattr(wanted, column)
        if value:
            yield f"{column} = ?", (writable(value),)
    if wanted.status is not None:
        yield "status BETWEEN ? AND ?", wanted.status
    if wanted.errors:
        yield "kind <> ''", ()
    for term, bound in (
        # The sign keeps SQLite from sorting by number all that an index of times leads to.
        ("+at >= ?", wanted.since),
        ("+at < ?", wanted.until),
        ("seconds >= ?", wanted.slower),
        ("number < ?", wanted.before),
        ("number > ?", wanted.after),
    ):
        if bound is not None:
            yield term, (min(bound, _LARGEST),)
    if wanted.text:
        yield holds, (searched(wanted.text),)


def _column(value: str | float) -> str | int | float:
    return writable(value) if isinstance(value, str) else value
