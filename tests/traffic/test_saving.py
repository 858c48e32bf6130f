"""A recording is there whole, or what was there before still is."""

from __future__ import annotations

import gzip
import io
import os
import sys
from pathlib import Path

import pytest

from gateway.traffic.opening import open_lines
from gateway.traffic.saving import saving


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.jsonl.zst"])
def test_what_was_written_is_read(tmp_path: Path, name: str) -> None:
    """Compressed as the name says."""
    path = tmp_path / name
    with saving(path) as sink:
        sink.write(b"one\n")
        sink.write(b"two\n")
        assert not path.exists()
    with open_lines(path) as lines:
        assert list(lines) == [b"one", b"two"]
    assert list(tmp_path.iterdir()) == [path]
    assert (path.read_bytes() == b"one\ntwo\n") is (name == "a.jsonl")


def test_the_same_recording_is_the_same_file(tmp_path: Path) -> None:
    """No time is in it."""
    for name in ("a.gz", "b.gz"):
        with saving(tmp_path / name) as sink:
            sink.write(b"one\n")
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()
    assert gzip.decompress((tmp_path / "a.gz").read_bytes()) == b"one\n"


@pytest.mark.parametrize("name", ["a.jsonl", "a.gz", "a.zst"])
def test_what_was_there_stays_where_something_fails(tmp_path: Path, name: str) -> None:
    """And nothing is left beside it."""
    path = tmp_path / name
    path.write_bytes(b"before")

    def fail() -> None:
        with saving(path) as sink:
            sink.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"before"


def test_a_device_stays_one() -> None:
    """Nothing is put in the place of what is no file."""
    with saving(os.devnull) as sink:
        sink.write(b"one\n")
    assert not Path(os.devnull).is_file()


def test_a_link_stays_one(tmp_path: Path) -> None:
    """What it leads to is written."""
    (tmp_path / "b").write_bytes(b"before")
    (tmp_path / "a").symlink_to(tmp_path / "b")
    with saving(tmp_path / "a") as sink:
        sink.write(b"one\n")
    assert (tmp_path / "a").is_symlink()
    assert (tmp_path / "b").read_bytes() == b"one\n"


def test_a_folder_that_is_not_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    """Which says so."""
    with pytest.raises(FileNotFoundError), saving(tmp_path / "x" / "a"):
        pass


def test_standard_output_is_written_for_a_dash(monkeypatch: pytest.MonkeyPatch) -> None:
    """And stays open."""
    stream = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr(sys, "stdout", stream)
    with saving("-") as sink:
        sink.write(b"one\n")
    assert stream.buffer.getvalue() == b"one\n"
