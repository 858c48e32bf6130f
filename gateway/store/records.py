"""Records as rows and back: texts that any program can read, and a checksum over all of them.

A disk that gives back other bytes than it took is noticed; a row is either what was written or
`Damaged`, never a change that nobody made.
"""

from __future__ import annotations

import json
from typing import NamedTuple
from zlib import crc32

from gateway.core.changes import Batch, Change
from gateway.core.diff import Difference, Path
from gateway.core.errors import GatewayError
from gateway.core.journal import UnknownChange, change_plain, read_change
from gateway.store.protocol import Author, Record


class Damaged(GatewayError):
    """A row is not what was written."""


class Row(NamedTuple):
    """A record as the database keeps it; everything but numbers is JSON.

    Attributes:
        revision: The revision it made.
        at: When, in seconds since 1970.
        author: Who asked for it, and from where.
        restores: For a roll-back, the revision whose state it brought back.
        change: What was asked for.
        differences: What it altered: path, before and after of each part.
        declared: For an applied stages.toml, everything that the file declared.
        checksum: Over all the others.
    """

    revision: int
    at: float
    author: str
    restores: int | None
    change: str
    differences: str
    declared: str | None
    checksum: int


def write(record: Record) -> Row:
    """A record as a row.

    Raises:
        UnknownChange: The row could not be read again, and so must not be kept.
    """
    parts = [[part.path, part.before, part.after] for part in record.differences]
    fields = (
        record.revision,
        float(record.at),
        _text([record.author.who, record.author.origin]),
        record.restores,
        _text(change_plain(record.change)),
        _text(parts),
        None if record.declared is None else write_batch(record.declared),
    )
    row = Row(*fields, checksum(*fields))
    for text in (row.change, row.declared):
        if text is not None:
            read_change(json.loads(text))
    return row


def read(row: Row) -> Record:
    """The record that `write` wrote.

    Raises:
        Damaged: The row is not what was written, or was written by a newer program.
    """
    change = read_row_change(row)
    who, origin = json.loads(row.author)
    parts = json.loads(row.differences)
    return Record(
        revision=row.revision,
        at=row.at,
        author=Author(who, origin),
        change=change,
        differences=tuple(Difference(tuple(path), *sides) for path, *sides in parts),
        restores=row.restores,
        declared=None if row.declared is None else read_batch(row.declared, _named(row)),
    )


def read_row_change(row: Row) -> Change:
    """The change of a row alone; recovery needs no more.

    Raises:
        Damaged: The row is not what was written, or was written by a newer program.
    """
    if checksum(*row[:-1]) != row.checksum:
        raise Damaged(f"{_named(row)} is not what was written")
    return _read_change(row.change, _named(row))


def write_batch(batch: Batch) -> str:
    """What a file declared, or a checkpoint, as a text."""
    return _text(change_plain(batch))


def read_batch(text: str, what: str) -> Batch:
    """The batch that `write_batch` wrote.

    Args:
        text: What it wrote.
        what: What it is, for messages: `"revision 7"`.

    Raises:
        Damaged: It was written by a newer program.
    """
    batch = _read_change(text, what)
    if not isinstance(batch, Batch):
        raise Damaged(f"{what} holds no batch of changes: {text[:80]}")
    return batch


def checksum(*fields: object) -> int:
    """Over fields of a row, one after the other."""
    return crc32("\0".join(map(str, fields)).encode())


def path_key(path: Path) -> str:
    """A path as a text under which all paths below it are found: each begins with it.

    Every name ends with a slash, so that `a` does not begin `ab`; a slash inside is escaped.
    """
    names = (json.dumps(name)[1:-1].replace("~", "~0").replace("/", "~1") for name in path)
    return "".join(f"{name}/" for name in names)


def _read_change(text: str, what: str) -> Change:
    try:
        return read_change(json.loads(text))
    except UnknownChange as error:
        raise Damaged(f"{what} cannot be read: {error}") from error


def _named(row: Row) -> str:
    return f"revision {row.revision}"


def _text(plain: object) -> str:
    """JSON in ASCII: any text that a user may send has a spelling in it."""
    return json.dumps(plain, separators=(",", ":"))
