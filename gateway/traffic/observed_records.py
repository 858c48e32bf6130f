"""Lines become records of named fields, whatever their format; a bad line is counted, not fatal.

A record is a mapping that a field's name is looked up in: `answer.version` reaches into objects,
`headers.User` into a list of pairs. Nothing is held but the line at hand.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gateway.traffic import observed_formats as formats

Record = Mapping[str, Any]
"""The fields of one line."""

Read = Callable[[Iterable[str]], Iterator["Record | str"]]
"""Gives the record of every line, or what is wrong with it; empty lines are nothing at all."""

LONGEST: Final = 1 << 20
"""Characters of a line; a longer one is unreadable."""

_PAIR: Final = re.compile(r'([A-Za-z_][\w.-]*)=("(?:[^"\\]|\\.)*+"|[^\s"]*+)(?:\s|$)')
_DELIMITERS: Final = {"csv": ",", "tsv": "\t"}


@dataclass(frozen=True, slots=True)
class Format:
    """A format that lines may be in.

    Attributes:
        name: What it is called.
        read: How its lines are read.
        written: The format string behind it; empty where it has none.
    """

    name: str
    read: Read
    written: str = ""


FORMATS: Final = (
    "json", "csv", "tsv", "keyvalue", "combined", "common", "envoy",
)  # fmt: skip
"""The formats that have a name."""


def named(name: str) -> Format:
    """The format of a name in `FORMATS`."""
    if name == "json":
        return Format(name, _json_lines)
    if name in _DELIMITERS:
        return Format(name, _table(_DELIMITERS[name]))
    if name == "keyvalue":
        return Format(name, _each(_pairs, "no field=value pairs"))
    text = getattr(formats, name.upper())
    return Format(name, _each(formats.parser(text, extra=True), f"not in {name}"), text)


def written(text: str) -> Format:
    """The format that a format string describes, to the end of the line.

    Raises:
        UnreadableFormat: No line could be read by it.
    """
    return Format("the log format", _each(formats.parser(text), "not in the log format"), text)


def recognised(line: str) -> Format | None:
    """The format that a line is in; `None` where it is in none that can be told by a line.

    A table's first line names its columns, and looks like anything.
    """
    for name in ("json", "combined", "common", "envoy", "keyvalue"):
        found = named(name)
        if isinstance(next(found.read([line]), ""), dict):
            return found
    return None


def _each(parse: Callable[[str], Record | None], wrong: str) -> Read:
    def read(lines: Iterable[str]) -> Iterator[Record | str]:
        for line in lines:
            text = line.strip()
            if text:
                yield (
                    "longer than a million characters"
                    if len(text) > LONGEST
                    else (parse(text) or wrong)
                )

    return read


def _json(text: str) -> Record | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


_json_lines: Final = _each(_json, "no JSON object")


def _pairs(text: str) -> Record | None:
    fields = {}
    for match in _PAIR.finditer(text):
        name, value = match.groups()
        fields[name] = _unquoted(value) if value.startswith('"') else value
    return fields


def _unquoted(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1])


def _table(delimiter: str) -> Read:
    def read(lines: Iterable[str]) -> Iterator[Record | str]:
        rows = csv.reader(_plain(lines), delimiter=delimiter)
        columns: list[str] | None = None
        while True:
            try:
                row = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                yield f"no row: {error}"
                continue
            if columns is None:
                columns = [name.strip().removeprefix("\ufeff") for name in row]
            elif row:
                right = len(row) == len(columns)
                yield (
                    dict(zip(columns, row, strict=True))
                    if right
                    else (f"{len(row)} cells where there are {len(columns)} columns")
                )

    return read


def _plain(lines: Iterable[str]) -> Iterator[str]:
    return (line.replace("\0", "\ufffd") for line in lines)


def getter(name: str) -> Callable[[Record], str | None]:
    """What finds a field in records: its text, or `None` where it is absent, empty or `-`.

    Args:
        name: The field's name; where no field is called so, its part before a dot is that of an
            object, or of a list of pairs, that holds the rest.
    """
    path = name.split(".")

    def get(record: Record) -> str | None:
        value = record.get(name)
        if value is None and len(path) > 1:
            value = _inside(record, path)
        if type(value) is str:
            return value if value not in {"", "-"} else None
        return None if value is None else _text(value)

    return get


def _inside(value: Any, path: list[str]) -> Any:  # noqa: ANN401 - JSON is any value
    for number, part in enumerate(path):
        if isinstance(value, list):
            return _paired(value, ".".join(path[number:]))
        if not isinstance(value, dict):
            return None
        value = value.get(part)
    return value


def _paired(pairs: list[Any], name: str) -> Any:  # noqa: ANN401 - JSON is any value
    """The value of the first pair of a name; header names have no case."""
    for pair in pairs:
        if isinstance(pair, list) and len(pair) == 2 and str(pair[0]).lower() == name.lower():
            return pair[1]
    return None


def _text(value: Any) -> str | None:  # noqa: ANN401 - JSON is any value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{value:.15g}" if isinstance(value, float) else str(value)
    return None
