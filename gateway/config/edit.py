"""Editing a TOML text: what stays the same stays as it is written, byte for byte.

tomlkit writes keys and values; where they go is told by the positions of the text, because a text
may spell one table in many ways (headers, dotted keys, inline tables, out of order) and comments
belong to the line below them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from itertools import groupby
from typing import Any

from gateway.config.positions import Positions, Span
from gateway.config.statements import statements
from gateway.core.errors import Place

Table = Mapping[str, Any]

_BLOCK = "\x00"  # a line where a new block begins or ends; no TOML text holds control characters
_GONE = "\x01"  # a line in place of those that were taken out


def value_text(value: object) -> str:
    """A value as TOML on one line."""
    import tomlkit

    if isinstance(value, Mapping):
        inner = ", ".join(f"{key_text(key)} = {value_text(item)}" for key, item in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(value_text, value))}]"
    if isinstance(value, Decimal):
        return f"{value:f}"
    return tomlkit.item(value).as_string()


def key_text(*parts: str | int) -> str:
    """A key as TOML: in quotes where it needs them, and where it looks like a number."""
    from tomlkit.items import KeyType, SingleKey

    keys = [part for part in parts if isinstance(part, str)]
    return ".".join(
        SingleKey(key, KeyType.Basic if key.isdigit() else None).as_string() for key in keys
    )


class Editor:
    """Edits one text.

    Args:
        text: Valid TOML with single line feeds as line ends; may be empty.
        section: Whether a table at a place has a header of its own where it is new.
    """

    def __init__(self, text: str, section: Callable[[Place], bool]) -> None:
        self._section = section
        whole = text if text.endswith("\n") or not text else f"{text}\n"
        self._data = whole.encode()
        self._positions = Positions(self._data)
        self._statements = statements(self._data, self._positions)
        self._edits: list[tuple[int, int, str]] = []
        self._blocks: dict[Place, dict[str, object]] = {}

    def result(self) -> str:
        """The edited text."""
        for table, pairs in self._blocks.items():
            self.block(f"[{key_text(*table)}]", pairs, self.behind(table))
        self._blocks.clear()
        parts, at = [], 0
        for start, end, text in sorted(self._edits, key=_order):
            parts += [self._data[at : max(at, start)].decode(), text]
            at = max(at, end)
        text = "".join([*parts, self._data[at:].decode()])
        return _tidied(text)

    def update(self, place: Place, old: Table, new: Table) -> None:
        """Make a table that has statements of its own hold what another one does."""
        for key in old.keys() - new.keys():
            self.remove((*place, key))
        for key, value in new.items():
            at = (*place, key)
            if key not in old:
                self.add(place, key, value)
            elif same(old[key], value):
                continue
            elif self.inline(at):
                self.replace(at, old[key], value)
            elif isinstance(value, Mapping) and _extends(old[key], value):
                self.update(at, old[key], value)
            else:
                self.remove(at)
                self.add(place, key, value)

    def inline(self, place: Place) -> bool:
        """Whether a place is behind a key, or in what is; else it has statements of its own."""
        return any(not s.header and place[: len(s.place)] == s.place for s in self._statements)

    def remove(self, place: Place) -> None:
        """Take out every statement of a place, with the comments right above it."""
        for statement in self._statements:
            if statement.below(place):
                self._edits.append((statement.first, statement.end, f"{_GONE}\n"))

    def add(self, table: Place, key: str, value: object) -> None:
        """Add a pair to a table that has statements of its own, or none; not to the root."""
        if isinstance(value, Mapping) and self._section((*table, key)):
            self._add_section((*table, key), value)
            return
        home = next((s for s in self._statements if s.header and s.place == table), None)
        dotted = [s for s in self._statements if not s.header and s.below(table)]
        if home is not None:
            here = [s.end for s in dotted if s.outer == table]
            self._line(here[-1] if here else home.end, (key,), value)
        elif around := [s for s in dotted if len(s.outer) < len(table)]:
            # A table that dotted keys have made may have no header any more.
            self._line(around[-1].end, (*table[len(around[-1].outer) :], key), value)
        else:
            self._blocks.setdefault(table, {})[key] = value

    def block(self, header: str, pairs: Table, at: int) -> None:
        """Add a header with pairs, as a block of its own, here or behind the pairs that follow."""
        for statement in self._statements:
            if statement.first >= at:
                if statement.header:
                    break
                at = statement.end
        lines = [header, *(f"{key_text(key)} = {value_text(v)}" for key, v in pairs.items())]
        text = "".join(f"{line}\n" for line in (_BLOCK, *lines, _BLOCK))
        self._edits.append((at, at, text))

    def before(self, place: Place) -> int:
        """Where the first statement of a place starts."""
        return next(s.first for s in self._statements if s.below(place))

    def behind(self, place: Place) -> int:
        """Where the last statement of a place ends, or of the nearest one around it."""
        ends = [s.end for s in self._statements if s.below(place)]
        return ends[-1] if ends else self.behind(place[:-1]) if place else 0

    def _add_section(self, place: Place, value: Table) -> None:
        inner = {
            key: item
            for key, item in value.items()
            if isinstance(item, Mapping) and self._section((*place, key))
        }
        pairs = {key: item for key, item in value.items() if key not in inner}
        if pairs:
            self.block(f"[{key_text(*place)}]", pairs, self.behind(place[:-1]))
        for key, item in inner.items():
            self._add_section((*place, key), item)

    def _line(self, at: int, key: Place, value: object) -> None:
        self._edits.append((at, at, f"{key_text(*key)} = {value_text(value)}\n"))

    def replace(self, place: Place, old: object, new: object) -> None:
        """Give a value another content, as deep inside as it differs."""
        if same(old, new):
            return
        if isinstance(old, Mapping) and isinstance(new, Mapping) and self._alike(place, old, new):
            for key in new:
                self.replace((*place, key), old[key], new[key])
        elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
            for index, item in enumerate(new):
                self.replace((*place, index), old[index], item)
        else:
            span = self._positions.values[place]
            self._edits.append((span.start, span.end, self._rewritten(place, old, new)))

    def _rewritten(self, place: Place, old: object, new: object) -> str:
        """A value anew, with the parts that stay as they are written."""
        if same(old, new) and not self._dotted(place):
            return self._slice(self._positions.values[place])
        if not isinstance(old, Mapping) or not isinstance(new, Mapping) or not new:
            return value_text(new)
        pairs = []
        for key, item in new.items():
            at = (*place, key)
            name, text = key_text(key), value_text(item)
            if key in old:
                name = name if self._dotted(at) else self._slice(self._positions.keys[at])
                text = self._rewritten(at, old[key], item)
            pairs.append(f"{name} = {text}")
        return f"{{ {', '.join(pairs)} }}"

    def _alike(self, place: Place, old: Table, new: Table) -> bool:
        """Whether two tables have the same keys, each with a value of its own in the text."""
        return list(old) == list(new) and not any(self._dotted((*place, key)) for key in old)

    def _dotted(self, place: Place) -> bool:
        """Whether a table only exists as the first part of a dotted key."""
        return self._positions.keys[place] == self._positions.values[place]

    def _slice(self, span: Span) -> str:
        return self._data[span.start : span.end].decode()


def same(old: object, new: object) -> bool:
    """Whether two values are the same, and tables have them in the same order."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return list(old) == list(new) and all(same(old[key], new[key]) for key in old)
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(same, old, new))
    return old == new


def _order(edit: tuple[int, int, str]) -> tuple[int, int, bool]:
    """By place; at the same one a line comes before a block, which would swallow it."""
    start, end, text = edit
    return start, end, text.startswith(_BLOCK)


def _extends(old: object, new: Table) -> bool:
    """Whether removing keys and adding others at the end gives a table its order."""
    if not isinstance(old, Mapping):
        return False
    left = [key for key in old if key in new]
    return [*left, *(key for key in new if key not in old)] == list(new)


def _tidied(text: str) -> str:
    """The text without marks: a blank line around new blocks, and no more where lines were."""
    lines: list[str] = []
    groups = [(gap, list(found)) for gap, found in groupby(text.split("\n")[:-1], _in_gap)]
    for number, (gap, group) in enumerate(groups):
        if gap and (_BLOCK in group or _GONE in group):
            at_end = number in {0, len(groups) - 1}
            lines += [] if at_end else _gap(group)
        else:
            lines += group
    return "".join(f"{line}\n" for line in lines)


def _in_gap(line: str) -> bool:
    return line in {_BLOCK, _GONE} or not line.strip(" \t\r")


def _gap(group: list[str]) -> list[str]:
    """What is left of blank lines around marks: of those around a removal, one side."""
    if _BLOCK in group:
        return [""]
    before = group[: group.index(_GONE)]
    return before or group[len(group) - group[::-1].index(_GONE) :]
