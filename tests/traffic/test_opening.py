"""Files of traffic are seen through their compression, and never held by more than a line."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sys
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from gateway.traffic.failures import Unreadable
from gateway.traffic.opening import open_bytes, open_lines

TEXT = b"one\ntwo\r\n\nfour"
LINES = [b"one", b"two", b"", b"four"]


def zipped(data: bytes) -> bytes:
    """An archive with one file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a", data)
    return buffer.getvalue()


def zstd(data: bytes) -> bytes:
    """One frame."""
    return zstandard.ZstdCompressor().compress(data)


COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": gzip.compress,
    "zstd": zstd,
    "gzip of two members": lambda data: gzip.compress(data[:5]) + gzip.compress(data[5:]),
    "zstd of two frames": lambda data: zstd(data[:5]) + zstd(data[5:]),
}


def lines_of(path: Path | str, limit: int = 1000) -> list[bytes]:
    """Every line of a file."""
    with open_lines(path, limit) as lines:
        return list(lines)


@pytest.mark.parametrize("compress", COMPRESSIONS.values(), ids=COMPRESSIONS)
def test_lines_come_without_their_ends(tmp_path: Path, compress: Callable[[bytes], bytes]) -> None:
    """Whatever the file is called."""
    path = tmp_path / "access.log"
    path.write_bytes(compress(TEXT))
    assert lines_of(path) == LINES


@pytest.mark.parametrize("compress", COMPRESSIONS.values(), ids=COMPRESSIONS)
def test_the_beginning_may_be_looked_at(tmp_path: Path, compress: Callable[[bytes], bytes]) -> None:
    """And is read again afterwards."""
    path = tmp_path / "access.log"
    path.write_bytes(compress(TEXT))
    with open_bytes(path) as opened:
        assert opened.head(6) == b"one\ntw"
        assert list(opened.lines()) == LINES
    with open_bytes(path) as opened:
        assert opened.head(100) == TEXT
        assert opened.read(4) + opened.read(100) == TEXT


@pytest.mark.parametrize("compress", [gzip.compress, zstd], ids=["gzip", "zstd"])
@pytest.mark.parametrize("cut", [5, 12, -1])
def test_a_file_that_is_cut_off_says_so(
    tmp_path: Path, compress: Callable[[bytes], bytes], cut: int
) -> None:
    """After everything that could be read of it."""
    path = tmp_path / "cut"
    path.write_bytes(compress(TEXT)[:cut])
    with pytest.raises(Unreadable, match="it ends in the middle of its compression") as refused:
        lines_of(path)
    assert refused.value.file == str(path)
    assert str(refused.value).startswith(f"{path}: ")


def test_lines_before_the_cut_are_read(tmp_path: Path) -> None:
    """The damage comes last."""
    path = tmp_path / "cut"
    path.write_bytes(gzip.compress(TEXT) + gzip.compress(TEXT)[:12])
    with open_lines(path) as lines:
        assert [next(lines) for _ in range(3)] == LINES[:3]
        with pytest.raises(Unreadable):
            next(lines)


@pytest.mark.parametrize(
    ("compress", "place"),
    [(gzip.compress, -6), (gzip.compress, 12), (zstd, 4)],
    ids=["checksum of gzip", "block of gzip", "block of zstd"],
)
def test_a_damaged_file_says_so(
    tmp_path: Path, compress: Callable[[bytes], bytes], place: int
) -> None:
    """With what the decompression says."""
    data = bytearray(compress(b"abcdefgh" * 2 + bytes(range(256)) * 8))
    data[place : place + 2 or None] = b"\xff\xff"
    path = tmp_path / "damaged"
    path.write_bytes(data)
    with pytest.raises(Unreadable, match="its compression is damaged: "):
        lines_of(path)


@pytest.mark.parametrize(
    ("compress", "name"),
    [(bz2.compress, "bzip2"), (lzma.compress, "xz"), (zipped, "zip")],
    ids=["bzip2", "xz", "zip"],
)
def test_other_compressions_are_named(
    tmp_path: Path, compress: Callable[[bytes], bytes], name: str
) -> None:
    """With what is allowed, and a way out."""
    path = tmp_path / "log"
    path.write_bytes(compress(TEXT))
    with pytest.raises(Unreadable, match=f"it is compressed with {name}; allowed: gzip") as refused:
        lines_of(path)
    assert "pipe" in refused.value.hint


@pytest.mark.parametrize("name", ["missing", "."], ids=["missing", "a folder"])
def test_what_is_no_file_is_told(tmp_path: Path, name: str) -> None:
    """In the system's words."""
    with pytest.raises(Unreadable, match="it cannot be read: "):
        lines_of(tmp_path / name)


@given(
    lengths=st.lists(st.sampled_from([0, 1, 9, 10, 11, 25]), max_size=8),
    ended=st.booleans(),
)
def test_a_line_beyond_the_limit_is_cut_to_one_byte_more(
    tmp_path_factory: pytest.TempPathFactory, lengths: list[int], ended: bool
) -> None:
    """And the lines after it are whole."""
    path = tmp_path_factory.mktemp("lines") / "log"
    text = b"\n".join(b"x" * length for length in lengths)
    path.write_bytes(text + b"\n" if ended and text else text)
    found = [len(line) for line in lines_of(path, 10)]
    wanted = [min(length, 11) for length in lengths]
    if not ended and wanted[-1:] == [0]:
        wanted.pop()  # the end of the file is no line
    assert found == wanted or (not text and found == [])


def test_an_endless_line_is_not_held(tmp_path: Path) -> None:
    """A hundred million bytes without an end, from a few hundred thousand."""
    path = tmp_path / "bomb.zst"
    with path.open("wb") as file, zstandard.ZstdCompressor().stream_writer(file) as writer:
        for _ in range(100):
            writer.write(b"x" * 1_000_000)
        writer.write(b"\nlast\n")
    tracemalloc.start()
    try:
        found = lines_of(path, 1000)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [len(line) for line in found] == [1001, 4]
    assert most < 12_000_000


def test_pieces_stand_between_their_ends(tmp_path: Path) -> None:
    """Each with the number of the line that it begins in; one that is too long is cut."""
    path = tmp_path / "pieces"
    path.write_bytes(b"a\nb\n--\n" + b"x" * 20 + b"\ny\n--\r\n--\nrest\n")
    with open_bytes(path) as opened:
        assert list(opened.pieces(b"--", 10)) == [
            (1, b"a\nb\n"),
            (4, b"x" * 11),
            (7, b""),
            (8, b"rest\n"),
        ]


def test_a_piece_of_nothing_in_the_end_is_none(tmp_path: Path) -> None:
    """Files end with an end."""
    path = tmp_path / "pieces"
    path.write_bytes(b"a\n--\n\n")
    with open_bytes(path) as opened:
        assert list(opened.pieces(b"--")) == [(1, b"a\n")]


def test_how_far_a_file_is_read(tmp_path: Path) -> None:
    """In bytes of the file as it lies there."""
    path = tmp_path / "log"
    path.write_bytes(b"line\n" * 200_000)
    with open_bytes(path) as opened:
        lines = opened.lines()
        next(lines)
        first = opened.share()
        assert first is not None
        assert 0 < first < 0.5
        assert sum(1 for _ in lines) == 199_999
        assert opened.share() == 1.0


def test_an_empty_file_has_no_share(tmp_path: Path) -> None:
    """Nothing can be divided by it."""
    path = tmp_path / "empty"
    path.touch()
    with open_bytes(path) as opened:
        assert (list(opened.lines()), opened.share()) == ([], None)


class _Piped:
    """Standard input without a file behind it."""

    def __init__(self, data: bytes) -> None:
        self.buffer = io.BytesIO(data)


@pytest.mark.parametrize("compress", COMPRESSIONS.values(), ids=COMPRESSIONS)
def test_standard_input_is_read_for_a_dash(
    monkeypatch: pytest.MonkeyPatch, compress: Callable[[bytes], bytes]
) -> None:
    """And seen through as well."""
    monkeypatch.setattr(sys, "stdin", _Piped(compress(TEXT)))
    with open_bytes("-") as opened:
        assert (opened.file, opened.share()) == ("-", None)
        assert list(opened.lines()) == LINES


def test_standard_input_stays_open(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It belongs to the process."""
    path = tmp_path / "log"
    path.write_bytes(TEXT)
    with path.open(encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        assert lines_of("-") == LINES
        assert not stream.closed


@pytest.mark.parametrize("compress", [gzip.compress, zstd], ids=["gzip", "zstd"])
def test_the_beginning_of_a_file_that_is_cut_off(
    tmp_path: Path, compress: Callable[[bytes], bytes]
) -> None:
    """Is read like any other, and the cut is told after it."""
    path = tmp_path / "cut"
    path.write_bytes(compress(TEXT) + compress(TEXT)[:-3])
    with open_bytes(path) as opened:
        assert opened.head(1000).startswith(TEXT)
        lines = opened.lines()
        assert [next(lines) for _ in range(3)] == LINES[:3]
        with pytest.raises(Unreadable, match="it ends in the middle of its compression"):
            list(lines)
