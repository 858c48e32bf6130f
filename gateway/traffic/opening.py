"""Files of traffic are read as they come: plain, gzip or zstd, and never more of one than a line.

What a file is compressed with is told by its first bytes, never by its name. A line that is longer
than the limit comes cut to one byte more than the limit, so that whoever reads it can tell; what
is left of it is read past and not kept.
"""

from __future__ import annotations

import gzip
import io
import os
import stat
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from gateway.traffic.failures import Unreadable

STDIN: Final = "-"
"""The name of standard input."""

MAX_LINE: Final = 16 * 1024 * 1024
"""Bytes a line may have: room for the largest body that the cloud takes, as base64."""

_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_OTHERS: Final = {
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"PK\x03\x04": "zip",
}
_BUFFER: Final = 256 * 1024

# zstd may blow 4 bytes up to 128 KiB: in pieces of this size no piece becomes more than 8 MiB.
_PIECE: Final = 256


class Opened:
    """An open file of traffic.

    Attributes:
        file: The file as it was named.
        stream: What is in it, decompressed.
    """

    def __init__(self, file: str, raw: io.BufferedReader, stream: io.BufferedIOBase) -> None:
        self.file = file
        self.stream = stream
        self._raw = raw
        details = os.fstat(raw.fileno()) if _has_descriptor(raw) else None
        self._size = details.st_size if details and stat.S_ISREG(details.st_mode) else 0

    def share(self) -> float | None:
        """How much of the file has been read, from 0 to 1; `None` where its size is not known."""
        return min(self._raw.tell() / self._size, 1.0) if self._size else None

    def lines(self, limit: int = MAX_LINE) -> Iterator[bytes]:
        """The lines without their ends; one that is too long is cut to `limit + 1` bytes.

        Raises:
            Unreadable: The file is damaged or ends in the middle of its compression.
        """
        readline = self.stream.readline
        with _told(self.file):
            while line := readline(limit + 1):
                if line.endswith(b"\n"):
                    yield line[:-2] if line.endswith(b"\r\n") else line[:-1]
                    continue
                yield line
                if len(line) > limit:
                    _skip_line(readline)

    def pieces(self, end: bytes, limit: int = MAX_LINE) -> Iterator[tuple[int, bytes]]:
        """What stands between the ends of pieces, with the number of the line that it begins in.

        Args:
            end: The line that ends a piece.
            limit: A longer piece is cut to `limit + 1` bytes.

        Raises:
            Unreadable: As for `lines`.
        """
        number, kept, room = 1, bytearray(), limit + 1
        begin = number
        with _told(self.file):
            while line := self.stream.readline(_BUFFER):
                number += line.endswith(b"\n")
                if line.rstrip(b"\r\n") == end:
                    yield begin, bytes(kept)
                    begin, room = number, limit + 1
                    kept.clear()
                elif room > 0:
                    kept += line[:room]
                    room -= len(line)
        if kept.strip():
            yield begin, bytes(kept)

    def head(self, size: int) -> bytes:
        """The first bytes, at most so many; they are read again after this."""
        begin, failure = bytearray(), None
        try:
            while len(begin) < size and (part := self.stream.read1(size - len(begin))):
                begin += part
        except (EOFError, zlib.error, OSError) as error:
            failure = error  # told when what comes before it has been read
        self.stream = io.BufferedReader(_Chained(bytes(begin), self.stream, failure), _BUFFER)
        return bytes(begin)

    def read(self, size: int) -> bytes:
        """The next bytes, at most so many; empty at the end.

        Raises:
            Unreadable: As for `lines`.
        """
        with _told(self.file):
            return self.stream.read(size)


@contextmanager
def open_bytes(path: Path | str) -> Iterator[Opened]:
    """Open a file, or standard input for `-`, and see through its compression.

    Raises:
        Unreadable: There is no such file, it may not be read, or its compression is another one.
    """
    file = str(path)
    with _told(file):
        raw = _raw(file)
    try:
        with _told(file):
            head = raw.peek(len(max(_OTHERS, key=len)))
        stream = _decompressed(file, raw, head)
        yield Opened(file, raw, stream)
    finally:
        if file != STDIN:
            raw.close()


@contextmanager
def open_lines(path: Path | str, limit: int = MAX_LINE) -> Iterator[Iterator[bytes]]:
    """Open a file, or standard input for `-`, as lines.

    Raises:
        Unreadable: As `open_bytes` does, and while the lines are read.
    """
    with open_bytes(path) as opened:
        yield opened.lines(limit)


def _raw(file: str) -> io.BufferedReader:
    if file != STDIN:
        return io.BufferedReader(io.FileIO(file), _BUFFER)
    binary = sys.stdin.buffer
    if isinstance(binary, io.BufferedReader):
        return binary
    return io.BufferedReader(binary)  # type: ignore[arg-type] # a stand-in for it


def _decompressed(file: str, raw: io.BufferedReader, head: bytes) -> io.BufferedIOBase:
    if head.startswith(_GZIP):
        return gzip.GzipFile(fileobj=raw, mode="rb")
    if head.startswith(_ZSTD):
        return io.BufferedReader(_Zstd(raw), _BUFFER)
    for magic, name in _OTHERS.items():
        if head.startswith(magic):
            sentence = f"it is compressed with {name}; allowed: gzip, zstd or nothing"
            raise Unreadable(file, sentence, "decompress it into a pipe, and name the pipe '-'")
    return raw


class _Chained(io.RawIOBase):
    """Bytes that were read already, and then the rest."""

    def __init__(
        self, begin: bytes, rest: io.BufferedIOBase, failure: Exception | None = None
    ) -> None:
        self._begin = memoryview(begin)
        self._rest = rest
        self._failure = failure

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        if not self._begin:
            if self._failure is not None:
                raise self._failure
            # One piece: several would be lost together where the last cannot be read.
            return self._rest.readinto1(buffer)
        taken = min(len(self._begin), len(buffer))
        buffer[:taken] = self._begin[:taken]
        self._begin = self._begin[taken:]
        return taken


class _Zstd(io.RawIOBase):
    """Frames of zstd as bytes; unlike the library's own reader it tells when the last is cut."""

    def __init__(self, raw: io.BufferedReader) -> None:
        import zstandard  # most files are not compressed with it

        self._raw = raw
        self._library = zstandard
        self._frame: zstandard.ZstdDecompressionObj | None = None
        self._left = b""
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        while not self._ready and self._more():
            pass
        taken = min(len(self._ready), len(buffer))
        buffer[:taken] = self._ready[:taken]
        self._ready = self._ready[taken:]
        return taken

    def _more(self) -> bool:
        """Decompress one piece; whether there was one."""
        piece = self._left or self._raw.read(_PIECE)
        self._left = b""
        if not piece:
            if self._frame is not None:
                raise EOFError
            return False
        if self._frame is None:
            self._frame = self._library.ZstdDecompressor().decompressobj()
        self._ready = memoryview(b"")  # before the next piece is there, not after
        try:
            self._ready = memoryview(self._frame.decompress(piece))
        except self._library.ZstdError as error:
            raise zlib.error(str(error)) from None
        if self._frame.eof:
            self._left, self._frame = self._frame.unused_data, None
        return True


def _skip_line(readline: Callable[[int], bytes]) -> None:
    """Read past what is left of a line that is too long."""
    while (rest := readline(_BUFFER)) and not rest.endswith(b"\n"):
        pass


def _has_descriptor(raw: io.BufferedReader) -> bool:
    try:
        raw.fileno()
    except OSError:  # a stand-in for standard input
        return False
    return True


@contextmanager
def _told(file: str) -> Iterator[None]:
    """Errors of the system and of decompression as sentences."""
    try:
        yield
    except EOFError:
        raise Unreadable(file, "it ends in the middle of its compression") from None
    except (zlib.error, gzip.BadGzipFile) as error:
        raise Unreadable(file, f"its compression is damaged: {error}") from None
    except OSError as error:
        raise Unreadable(file, f"it cannot be read: {error.strerror or error}") from None
