"""A TOML text as statements, each with its lines: what an editor may remove or add to as a whole.

A statement is a header or a pair of a key and a value. What stands inside a value is no statement.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.config.positions import Positions
from gateway.core.errors import Place


@dataclass(frozen=True, slots=True)
class Statement:
    """A header or a pair.

    Attributes:
        place: The place that it opens or gives.
        header: Whether it is a header; otherwise it is a pair.
        first: Where its first line starts, comments right above it included.
        end: Where the line after it starts.
        outer: For a pair, the place of the header that it stands under.
    """

    place: Place
    header: bool
    first: int
    end: int
    outer: Place

    def below(self, place: Place) -> bool:
        """Whether it opens or gives a place, or one inside it."""
        return self.place[: len(place)] == place


def statements(data: bytes, positions: Positions) -> list[Statement]:
    """The statements of a text, in order.

    Args:
        data: The text, which is valid TOML.
        positions: Where its keys and values stand.
    """
    found: list[Statement] = []
    outer: Place = ()
    for place, header, end in _openings(data, positions):
        outer = place if header else outer
        start = data.rfind(b"\n", 0, positions.keys[place].start) + 1
        line_end = data.find(b"\n", end) + 1 or len(data)
        first = _with_comments(data, start, found[-1].end if found else 0)
        found.append(Statement(place, header, first, line_end, outer))
    return found


def _openings(data: bytes, positions: Positions) -> Iterator[tuple[Place, bool, int]]:
    """Each place that a statement opens or gives, whether it is a header, and where it ends."""
    last: tuple[int, Place, int] | None = None
    covered = 0
    for place, key in sorted(positions.keys.items(), key=lambda item: (item[1][0], len(item[0]))):
        if key.start < covered:
            continue  # inside a value
        start = data.rfind(b"\n", 0, key.start) + 1
        if last is not None and last[0] != start:
            yield last[1], True, last[2]
            last = None
        if data[start : key.start].lstrip()[:1] == b"[" or data[key.start : key.start + 1] == b"[":
            last = (start, place, key.end)
        elif (value := positions.values[place]).start >= key.end:
            covered = value.end
            yield place, False, value.end
    if last is not None:
        yield last[1], True, last[2]


def _with_comments(data: bytes, start: int, floor: int) -> int:
    """Where the comments right above a line start."""
    while start > floor:
        above = data.rfind(b"\n", 0, start - 1) + 1
        if data[above:start].lstrip()[:1] != b"#":
            break
        start = above
    return start
