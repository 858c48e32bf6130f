"""Where every key and every value of a TOML text stands: tree-sitter-toml knows, tomllib does not.

Values come from the standard library's tomllib, which is strict and fast but gives no positions;
tomlkit gives none either and is slow. tree-sitter-toml (MIT, of the tree-sitter-grammars
organisation) comes as wheels, reads broken texts as well, and has the bytes of each node. Its
import and its parsing cost 5 ms for a small file and 30 ms for a thousand APIs, so nothing here
is touched before there is a mistake to show.

A position is an aid for people, never a condition: a place that is not found is shown where the
nearest place around it stands.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, NamedTuple

from gateway.core.errors import Place

if TYPE_CHECKING:
    from tree_sitter import Node

_KEYS = frozenset({"bare_key", "quoted_key", "dotted_key"})
_VALUELESS = frozenset({"comment", "[", "]", ",", "ERROR"})


class Span(NamedTuple):
    """A stretch of bytes, the end not included."""

    start: int
    end: int


class Positions:
    """The keys and values of one text, by place.

    Args:
        data: The text in UTF-8, without a byte order mark.

    Attributes:
        keys: Where each key stands; for an element of a list, the element itself.
        values: Where each value stands; for a table with a header, the header's name.
        repeated: Places that the text gives a second time, with the key that does, in order.
        broken: Where the grammar first lost its way.
    """

    def __init__(self, data: bytes) -> None:
        self.keys: dict[Place, Span] = {}
        self.values: dict[Place, Span] = {}
        self.repeated: list[tuple[Place, Span]] = []
        self.broken: Span | None = None
        self._implied: set[Place] = set()
        self._sizes: dict[Place, int] = {}
        root = _parse(data)
        self._statements(root)
        if root.has_error:
            self.broken = _first_error(root)

    def find(self, place: Place, *, on_key: bool = False) -> Span | None:
        """Where a place stands, or the nearest one around it; `None` for the whole file."""
        while place:
            span = (self.keys if on_key else self.values).get(place)
            if span is not None:
                return span
            place, on_key = place[:-1], False
        return None

    def _statements(self, root: Node) -> None:
        for node in root.named_children:
            header = next((child for child in node.named_children if child.type in _KEYS), None)
            if node.type == "pair":
                self._pair((), node)
            elif header is not None and node.type == "table":
                self._pairs(self._table(header), node)
            elif header is not None and node.type == "table_array_element":
                self._pairs(self._element(header), node)

    def _pairs(self, outer: Place, node: Node) -> None:
        for child in node.named_children:
            if child.type == "pair":
                self._pair(outer, child)

    def _table(self, header: Node) -> Place:
        """`[a.b]`: the place that it opens."""
        place = self._down((), header)
        self._declare(place, _span(_parts(header)[-1]), _span(header))
        return place

    def _element(self, header: Node) -> Place:
        """`[[a.b]]`: the place of the element that it adds."""
        *outer, last = _parts(header)
        place: Place = ()
        for part in outer:
            place = self._step(place, part)
        place = (*place, _key(last))
        if place in self.keys and place not in self._sizes:
            self.repeated.append((place, _span(last)))
        self.keys.setdefault(place, _span(last))
        self.values.setdefault(place, _span(header))
        index = self._sizes.get(place, 0)
        self._sizes[place] = index + 1
        self._declare((*place, index), _span(header), _span(header))
        return (*place, index)

    def _pair(self, outer: Place, node: Node) -> None:
        """`key = value` and everything inside the value."""
        pending = [(outer, node)]
        while pending:
            outer, node = pending.pop()
            children = [child for child in node.named_children if child.type not in _VALUELESS]
            if len(children) < 2:
                continue  # a key without a value; tomllib tells
            key, value = children[0], children[-1]
            place = self._down(outer, key)
            self._implied.discard(place)  # tables may be opened again, but not by a value
            self._declare(place, _span(_parts(key)[-1]), _span(value))
            pending += self._inside(place, value)

    def _inside(self, place: Place, value: Node) -> list[tuple[Place, Node]]:
        """Record the elements of a list; give back the pairs of every inline table."""
        pairs = []
        pending = [(place, value)]
        while pending:
            place, value = pending.pop()
            if value.type == "inline_table":
                inner = [(place, node) for node in value.named_children if node.type == "pair"]
                pairs += inner[::-1]
            elif value.type == "array":
                elements = [node for node in value.named_children if node.type not in _VALUELESS]
                for index, element in enumerate(elements):
                    self._declare((*place, index), _span(element), _span(element))
                    pending.append(((*place, index), element))
        return pairs

    def _down(self, place: Place, key: Node) -> Place:
        """Follow a dotted key; tables that it implies stand where it names them first."""
        *outer, last = _parts(key)
        for part in outer:
            place = self._step(place, part)
        return (*place, _key(last))

    def _step(self, place: Place, part: Node) -> Place:
        place = (*place, _key(part))
        if place not in self.keys:
            self.keys[place] = self.values[place] = _span(part)
            self._implied.add(place)
        size = self._sizes.get(place)
        return place if size is None else (*place, size - 1)

    def _declare(self, place: Place, key: Span, value: Span) -> None:
        if place in self._implied:
            self._implied.discard(place)
        elif place in self.keys:
            self.repeated.append((place, key))
            return
        self.keys[place], self.values[place] = key, value


def _parse(data: bytes) -> Node:
    import tree_sitter_toml
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_toml.language())).parse(data).root_node


def _span(node: Node) -> Span:
    return Span(node.start_byte, node.end_byte)


def _parts(key: Node) -> list[Node]:
    """The parts of a key from left to right; the grammar nests dotted keys to the left."""
    parts = []
    while key.type == "dotted_key" and key.named_child_count == 2:
        key, last = key.named_children
        parts.append(last)
    return [key, *reversed(parts)]


def _key(part: Node) -> str:
    """What a part of a key means, quotes and escapes resolved."""
    text = (part.text or b"").decode()
    if part.type != "quoted_key":
        return text
    if "\\" not in text:
        return text[1:-1]
    try:
        return next(iter(tomllib.loads(f"{text} = 0")))
    except tomllib.TOMLDecodeError:
        return text


def _first_error(root: Node) -> Span | None:
    pending = [root]
    while pending:
        node = pending.pop()
        if node.is_error or node.is_missing:
            return _span(node)
        pending += [child for child in reversed(node.children) if child.has_error]
    return None
