"""Zip archives of every kind of malice: what an archive says of itself is not believed."""

from __future__ import annotations

import struct
import tracemalloc
import zlib
from collections.abc import Callable
from io import BytesIO
from random import Random
from stat import S_IFCHR, S_IFDIR, S_IFLNK, S_IFREG
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_LZMA, ZIP_STORED, ZipFile, ZipInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import Refused
from gateway.store import contents
from gateway.store.packages import Package, read_files, read_zip, to_zip

Row = tuple[str | ZipInfo, bytes]


def archive(*rows: Row, method: int = ZIP_DEFLATED, comment: bytes = b"") -> bytes:
    """A zip archive as the standard library makes it."""
    buffer = BytesIO()
    with ZipFile(buffer, "w", method) as made:
        made.comment = comment
        for name, content in rows:
            made.writestr(name, content)
    return buffer.getvalue()


def member(name: str, mode: int = 0, **fields: int) -> ZipInfo:
    """What an archive says of one file."""
    made = ZipInfo(name)
    made.external_attr = mode << 16
    for field, value in fields.items():
        setattr(made, field, value)
    return made


class Forged:
    """A zip archive made by hand, in which every number may lie."""

    def __init__(self) -> None:
        self.body = b""
        self.directory = b""
        self.count = 0

    def add(
        self,
        name: bytes,
        packed: bytes,
        *,
        size: int,
        crc: int,
        method: int = ZIP_DEFLATED,
        at: int | None = None,
        packed_size: int | None = None,
        local_name: bytes | None = None,
        mark: bytes = b"PK\3\4",
    ) -> Forged:
        """Add a file with its header, and what the directory says of it."""
        said = len(packed) if packed_size is None else packed_size
        offset = len(self.body) if at is None else at
        own = name if local_name is None else local_name
        numbers = (crc, said, size)
        if at is None:
            header = struct.pack("<4s5H3L2H", mark, 20, 0, method, 0, 0, *numbers, len(own), 0)
            self.body += header + own + packed
        self.directory += struct.pack(
            "<4s6H3L5H2L",
            *(b"PK\1\2", 20, 20, 0, method, 0, 0, *numbers, len(name), 0, 0, 0, 0, 0, offset),
        )
        self.directory += name
        self.count += 1
        return self

    def data(self) -> bytes:
        """The archive."""
        sizes = (self.count, self.count, len(self.directory), len(self.body))
        end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, *sizes, 0)
        return self.body + self.directory + end


def deflated(content: bytes) -> bytes:
    """Content as an archive holds it."""
    return zlib.compress(content, 9, -zlib.MAX_WBITS)


def lying(content: bytes = b"content", **lies: object) -> bytes:
    """An archive of one file `a`, honest but for the lies."""
    honest = {"packed": deflated(content), "size": len(content), "crc": zlib.crc32(content)}
    return Forged().add(b"a", **(honest | lies)).data()  # type: ignore[arg-type]


def nested() -> bytes:
    """Two files of one body: what the first holds as it is, is the second with its header."""
    zeros = bytes(1_000_000)
    packed, crc = deflated(zeros), zlib.crc32(zeros)
    inner = Forged().add(b"b", packed, size=len(zeros), crc=crc).body
    forged = Forged().add(b"a", inner, size=len(inner), crc=zlib.crc32(inner), method=ZIP_STORED)
    return forged.add(b"b", packed, size=len(zeros), crc=crc, at=31).data()


def encrypted() -> bytes:
    """An archive whose file is marked as encrypted, in both places."""
    data = bytearray(archive(("a", b"secret")))
    data[6] |= 1
    data[data.index(b"PK\1\2") + 8] |= 1
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "code", "sentence"),
    [
        pytest.param(b"", "not-a-zip", "the 0 bytes are no zip archive", id="nothing"),
        pytest.param(b"x" * 999, "not-a-zip", "the 999 bytes are no zip archive", id="a text"),
        pytest.param(archive(("a", b"x"))[:-9], "not-a-zip", "no zip archive", id="cut off"),
        pytest.param(archive(), "empty-package", "has no files", id="empty"),
        pytest.param(archive(("a/", b"")), "empty-package", "has no files", id="only a folder"),
        pytest.param(encrypted(), "encrypted-file", "'a' in the zip is encrypted", id="encrypted"),
        pytest.param(archive(("../a", b"")), "bad-path", "by '..'", id="leads out"),
        pytest.param(archive(("a/../../b", b"")), "bad-path", "by '..'", id="leads out deeper"),
        pytest.param(archive(("../", b""), ("a", b"")), "bad-path", "'..'", id="folder leads out"),
        pytest.param(archive(("/etc/passwd", b"")), "bad-path", "is absolute", id="absolute"),
        pytest.param(archive(("/", b""), ("a", b"")), "bad-path", "is empty", id="the root"),
        pytest.param(archive(("C:/a", b"")), "bad-path", "names a drive", id="a drive"),
        pytest.param(archive(("a\\b", b"")), "bad-path", "has a backslash", id="a backslash"),
        pytest.param(
            Forged().add(b"a.py\0.txt", b"\3\0", size=0, crc=0).data(),
            "bad-path",
            "the path 'a.py\\x00.txt' has a control character",
            id="NUL",
        ),
        pytest.param(
            archive(("a", b""), ("A", b"")), "clashing-paths", "'a' and 'A' are the same", id="case"
        ),
        pytest.param(
            archive(("a/", b""), ("a", b"")), "clashing-paths", "'a' a folder", id="file and folder"
        ),
        pytest.param(
            archive(("a", b""), ("a/b/", b""), ("c", b"")),
            "clashing-paths",
            "'a' a folder",
            id="a folder below a file",
        ),
        pytest.param(
            Forged().add(b"a", b"\3\0", size=0, crc=0).add(b"a", b"\3\0", size=0, crc=0).data(),
            "duplicate-path",
            "the path 'a' is there twice; allowed: once",
            id="twice",
        ),
        pytest.param(
            archive((member("a", S_IFLNK | 0o777), b"/etc/passwd")),
            "not-a-file",
            "'a' in the zip is a link or a device; allowed: files and folders",
            id="a link",
        ),
        pytest.param(
            archive((member("a", S_IFCHR | 0o666), b"")), "not-a-file", "a device", id="a device"
        ),
        pytest.param(
            archive((member("a", S_IFDIR | 0o777), b"")),
            "not-a-file",
            "a link",
            id="a folder",
        ),
        pytest.param(
            archive((member("a/", S_IFLNK | 0o777), b""), ("b", b"")),
            "not-a-file",
            "'a/' in the zip",
            id="a link as a folder",
        ),
        pytest.param(
            archive(("a", b"x"), method=ZIP_BZIP2),
            "unknown-compression",
            "compressed by method 12; allowed: stored, deflated",
            id="bzip2",
        ),
        pytest.param(
            archive(("a", b"x"), method=ZIP_LZMA), "unknown-compression", "method 14", id="lzma"
        ),
        pytest.param(
            archive(("a", bytes(2 * 1024**2))),
            "compression-bomb",
            "'a' in the zip has 2,097,152 bytes, compressed to",
            id="a bomb",
        ),
        pytest.param(
            archive(*((f"{n}", bytes(1024**2)) for n in range(3))),
            "compression-bomb",
            "everything in the zip has 3,145,728 bytes, compressed to",
            id="many small bombs",
        ),
        pytest.param(
            lying(packed=b"x" * 3_000_000, size=10**9),
            "package-too-large",
            "with 'a' the code package has more than 250 MB",
            id="says it is too large",
        ),
        pytest.param(
            lying(size=6), "damaged-zip", "does not have the 6 bytes", id="larger than it says"
        ),
        pytest.param(
            lying(size=8), "damaged-zip", "does not have the 8 bytes", id="smaller than it says"
        ),
        pytest.param(
            lying(bytes(50_000_000), size=7, crc=zlib.crc32(bytes(7))),
            "damaged-zip",
            "does not have the 7 bytes",
            id="a bomb that says it is small",
        ),
        pytest.param(
            lying(packed=b"content", size=6, method=ZIP_STORED),
            "damaged-zip",
            "does not have the 6 bytes",
            id="stored and larger than it says",
        ),
        pytest.param(lying(crc=7), "damaged-zip", "its checksum is wrong", id="checksum"),
        pytest.param(
            lying(packed=b"\xff" * 9), "damaged-zip", "invalid block type", id="not compressed"
        ),
        pytest.param(
            lying(packed=deflated(b"content") + b"more"),
            "damaged-zip",
            "its compressed bytes end elsewhere",
            id="compressed bytes left over",
        ),
        pytest.param(
            lying(packed=deflated(b"content")[:-2]),
            "damaged-zip",
            "its compressed bytes end elsewhere",
            id="compressed bytes missing",
        ),
        pytest.param(
            lying(packed_size=10**6),
            "damaged-zip",
            "behind the last file's place",
            id="too far",
        ),
        pytest.param(lying(at=10**6), "damaged-zip", "has no header at byte", id="outside"),
        pytest.param(lying(local_name=b"b"), "damaged-zip", "its header is of 'b'", id="two names"),
        pytest.param(lying(mark=b"PK\7\7"), "damaged-zip", "its header is of", id="no header"),
        pytest.param(nested(), "damaged-zip", "'b' in the zip is damaged: it shares", id="overlap"),
    ],
)
def test_bad_archives_are_refused(data: bytes, code: str, sentence: str) -> None:
    """With the file and what is wrong with it."""
    with pytest.raises(Refused) as caught:
        read_zip(data)
    assert caught.value.code == code
    assert sentence in str(caught.value)


def test_a_bomb_is_not_unpacked_to_be_refused() -> None:
    """Not further than to the first byte above what it claims."""
    data = lying(bytes(50_000_000), size=7, crc=zlib.crc32(bytes(7)))
    tracemalloc.start()
    try:
        with pytest.raises(Refused):
            read_zip(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000


@pytest.mark.parametrize(
    ("data", "files"),
    [
        pytest.param(archive(("a", b"x"), method=ZIP_STORED), {"a": b"x"}, id="stored"),
        pytest.param(archive(("a", b"x"), comment=b"said of it"), {"a": b"x"}, id="a comment"),
        pytest.param(b"#!/bin/sh\n" + archive(("a", b"x")), {"a": b"x"}, id="behind a script"),
        pytest.param(
            archive(("d/", b""), ("d/a", b"x"), ("e/", b"")), {"d/a": b"x"}, id="with folders"
        ),
        pytest.param(archive(("ü/é.py", b"x")), {"ü/é.py": b"x"}, id="other letters"),
        pytest.param(
            Forged().add("é".encode("cp437"), deflated(b"x"), size=1, crc=zlib.crc32(b"x")).data(),
            {"é": b"x"},
            id="letters of old",
        ),
        pytest.param(archive(("a", bytes(1024**2))), {"a": bytes(1024**2)}, id="small but dense"),
        pytest.param(archive(("a", b"")), {"a": b""}, id="an empty file"),
    ],
)
def test_good_archives_are_read(data: bytes, files: dict[str, bytes]) -> None:
    """Whoever made them."""
    assert dict(read_zip(data).files) == files


def test_who_may_be_executed_is_kept() -> None:
    """Where the archive says so."""
    rows = ((member("a", S_IFREG | 0o755), b""), (member("b", S_IFREG | 0o644), b""), ("c", b""))
    assert read_zip(archive(*rows)).executable == {"a"}


def test_a_streamed_archive_is_read() -> None:
    """Its headers leave the sizes to the directory."""

    class Stream(BytesIO):
        def seekable(self) -> bool:
            return False

        def tell(self) -> int:
            raise OSError

    stream = Stream()
    with ZipFile(stream, "w", ZIP_DEFLATED) as made:
        made.writestr("a", b"content")
        with made.open("b", "w", force_zip64=True) as file:
            file.write(b"more")
    assert dict(read_zip(stream.getvalue()).files) == {"a": b"content", "b": b"more"}


@pytest.mark.parametrize("kind", ["files", "folders"])
def test_too_many_are_refused(kind: str) -> None:
    """Folders are counted for themselves: they cost as much."""
    many = [(f"{n}/" if kind == "folders" else f"{n}", b"") for n in range(1001)]
    with pytest.raises(Refused, match="has 1,001 files; allowed: at most 1,000") as caught:
        read_zip(archive(*many, ("a", b"")) if kind == "folders" else archive(*many))
    assert caught.value.code == "too-many-files"


def test_far_too_many_are_refused_before_each_costs_memory() -> None:
    """The directory is not even read."""
    with pytest.raises(Refused, match="has 100,001 files; allowed: at most 1,000"):
        read_zip(b"PK\1\2" * 100_001)


def test_the_size_limit_holds_for_what_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over all files together."""
    monkeypatch.setattr(contents, "MAX_SIZE", 1024**2)
    half = Random(1).randbytes(1024**2 // 2)
    assert read_zip(archive(("a", half), ("b", half))).size == 1024**2
    with pytest.raises(Refused, match="with 'c' the code package has more than 1 MB"):
        read_zip(archive(("a", half), ("b", half), ("c", b"x")))


def test_what_looks_like_a_bomb_is_not_compressed() -> None:
    """What was accepted as a folder is accepted as the zip of it."""
    package = read_files({"zeros": bytes(5_000_000), "more": bytes(900_000), "text": b"ab" * 999})
    data = to_zip(package)
    assert 5_900_000 < len(data) < 5_902_000
    assert read_zip(data) == package


@given(
    data=st.data(),
    source=st.sampled_from(
        [
            archive(("a", b"content" * 20), ("d/b", b""), comment=b"said"),
            archive(("a", b"content"), method=ZIP_STORED),
            lying(),
            nested(),
        ]
    ),
)
def test_whatever_the_bytes_are_they_are_a_package_or_refused(
    data: st.DataObject, source: bytes
) -> None:
    """Never another error; and what is read is read the same again."""
    forged = bytearray(source)
    edit: Callable[[int], int] = lambda at: at % len(forged)  # noqa: E731 - read once
    for at, value in data.draw(
        st.lists(st.tuples(st.integers(0, 400) | st.integers(-120, -1), st.integers(0, 255)))
    ):
        forged[edit(at)] = value
    cut = data.draw(st.none() | st.integers(1, len(forged)))
    try:
        package = read_zip(bytes(forged[:cut]))
    except Refused as refused:
        assert all(problem.code and problem.message for problem in refused.problems)  # noqa: PT017
    else:
        assert isinstance(package, Package)
        assert read_zip(to_zip(package)) == package
