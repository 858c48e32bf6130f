"""What a program writes on its terminal, as the lines that are seen in the end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.controlplane.runs_lines import KEPT, LONGEST, Screen


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        (b"one\ntwo", ["one", "two"]),
        (b"one\r\ntwo\r\n", ["one", "two"]),
        (b"\r\x1b[K1 of 3\r\x1b[K2 of 3", ["2 of 3"]),
        (b"\r\x1b[K2 of 3\r\x1b[Kdone\r\n", ["done"]),
        (b"\r\x1b[K2 of 3\r\x1b[K", ["2 of 3"]),
        (b"\x1b[31mred\x1b[0m \x1b[1;4mbold\x1b[0m\n", ["red bold"]),
        (b"bell\x07 and \x1bM more\n\n\n", ["bell and  more"]),
        ("größer".encode(), ["größer"]),
        (b"\xff\n", ["\N{REPLACEMENT CHARACTER}"]),
        (b"", []),
    ],
    ids=[
        "lines",
        "returns",
        "again",
        "ended",
        "cleared",
        "colours",
        "steering",
        "utf8",
        "bad",
        "-",
    ],
)
def test_lines(written: bytes, seen: list[str]) -> None:
    """Overwritten, coloured, broken."""
    screen = Screen()
    screen.write(written)
    assert screen.lines() == seen


@given(st.lists(st.binary(max_size=20), max_size=20))
def test_pieces_do_not_matter(pieces: list[bytes]) -> None:
    """Wherever what was written is cut, the same is seen; and nothing that steers a terminal."""
    cut, whole = Screen(), Screen()
    for piece in pieces:
        cut.write(piece)
    whole.write(b"".join(pieces))
    assert cut.lines() == whole.lines()
    assert all(line.replace("\t", " ").isprintable() or "\x1b" not in line for line in cut.lines())


def test_it_does_not_grow() -> None:
    """Neither by lines nor by a line without an end."""
    screen = Screen()
    screen.write(b"".join(b"%d\n" % number for number in range(KEPT + 50)))
    assert (len(screen.lines()), screen.lines()[0]) == (KEPT, "50")
    for _ in range(10):
        screen.write(b"x" * 4 * LONGEST)
    assert len(screen.lines()[-1]) == LONGEST
