"""Recordings are written whole or not at all: beside their place first, then moved to it.

What ends in `.gz` or `.zst` is compressed so.
"""

from __future__ import annotations

import gzip
import os
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol, cast

from gateway.traffic.opening import STDIN


class Sink(Protocol):
    """What lines are written to."""

    def write(self, data: bytes, /) -> int:
        """Take some bytes."""


@contextmanager
def saving(path: Path | str) -> Iterator[Sink]:
    """Open a file for a recording; `-` is standard output.

    Raises:
        OSError: It cannot be written; what was there before still is.
    """
    if str(path) == STDIN:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    place = Path(path).resolve()  # what a link leads to is written, not the link
    if place.exists() and not place.is_file():
        with place.open("wb") as device:  # or a pipe: nothing can take its place
            yield device
        return
    beside = place.with_name(f".{place.name}.{os.getpid()}.part")
    try:
        with beside.open("xb") as file, closing(_compressed(place.suffix, file)) as sink:
            yield sink
        beside.replace(place)
    finally:
        beside.unlink(missing_ok=True)


class _Closable(Sink, Protocol):
    def close(self) -> None:
        """Write what is left."""


def _compressed(suffix: str, file: Sink) -> _Closable:
    if suffix == ".gz":
        return cast("_Closable", gzip.GzipFile("", "wb", 6, file, mtime=0))  # type: ignore[call-overload]
    if suffix == ".zst":
        import zstandard  # most recordings are not compressed with it

        return cast("_Closable", zstandard.ZstdCompressor().stream_writer(file, closefd=False))  # type: ignore[arg-type]
    return cast("_Closable", file)
