"""Zip archives and code packages: nothing that an archive says of itself is believed.

An archive is read from its directory; what each file really holds is counted, compared with what
the directory claims, and refused when they differ. Two programs never see two contents in it.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from io import BytesIO
from stat import S_IFDIR, S_IFMT, S_IFREG, S_IXUSR
from typing import Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from gateway.core.errors import Problem, Refused
from gateway.store.contents import (
    MAX_FILES,
    Package,
    count_problems,
    package_of,
    refuse_any,
    size_problems,
)
from gateway.store.paths import path_problems, shown

MAX_RATIO: Final = 100
"""How many times larger than the archive its contents may be, once they are large at all."""

_SMALL: Final = 1024 * 1024
_LEVEL: Final = 1
_ENCRYPTED: Final = 0x1
_UTF8: Final = 0x800
_MARK: Final = b"PK\x01\x02"
_LOCAL: Final = struct.Struct("<4s22xHH")
_DATE: Final = (1980, 1, 1, 0, 0, 0)


def read_zip(data: bytes) -> Package:
    """The package in a zip archive.

    Args:
        data: The archive.

    Raises:
        Refused: It is no zip archive, is damaged or lies, or holds what no package may hold.
    """
    members, start = _members(data)
    folders = [member for member in members if member.orig_filename.endswith("/")]
    files = [member for member in members if not member.orig_filename.endswith("/")]
    refuse_any([*count_problems(len(files)), *count_problems(max(len(folders), 1))])
    names = [member.orig_filename.rstrip("/") for member in folders]
    paths = path_problems([member.orig_filename for member in files], dict.fromkeys(names))
    refuse_any([*paths, *(problem for member in members for problem in _kind_problems(member))])
    refuse_any(size_problems((member.filename, member.file_size) for member in files))
    refuse_any(_ratio_problems(files, len(data)))
    refuse_any(_overlap_problems(data, files, start))
    contents = {member.filename: _content(data, member) for member in files}
    marked = [member.filename for member in files if member.external_attr >> 16 & S_IXUSR]
    return package_of(contents, marked)


def to_zip(package: Package) -> bytes:
    """A zip archive of a package: the same bytes for the same package, and `read_zip` takes it."""
    buffer = BytesIO()
    with ZipFile(buffer, "w", compresslevel=_LEVEL) as archive:
        for path, content in package.files.items():
            member = ZipInfo(path, _DATE)
            member.create_system = 3
            mode = 0o755 if path in package.executable else 0o644
            member.external_attr = (S_IFREG | mode) << 16
            member.compress_type = _method(content)
            archive.writestr(member, content)
    return buffer.getvalue()


def _method(content: bytes) -> int:
    """Not to compress what would look like a bomb: whoever reads the archive would refuse it."""
    packed = len(zlib.compress(content, _LEVEL, -zlib.MAX_WBITS))
    return ZIP_STORED if packed * MAX_RATIO < len(content) else ZIP_DEFLATED


def _members(data: bytes) -> tuple[list[ZipInfo], int]:
    """The directory of an archive, and where it begins."""
    if data.count(_MARK) > 100 * MAX_FILES:  # before memory is spent on each of them
        refuse_any(count_problems(data.count(_MARK)))
    try:
        with ZipFile(BytesIO(data)) as archive:
            return archive.infolist(), int(archive.start_dir)
    except (BadZipFile, NotImplementedError, ValueError, OverflowError, struct.error) as error:
        message = f"the {len(data):,} bytes are no zip archive that can be read: {error}"
        raise Refused([Problem("not-a-zip", message)]) from None


def _kind_problems(member: ZipInfo) -> Iterator[Problem]:
    path = member.orig_filename
    wanted = S_IFDIR if path.endswith("/") else S_IFREG
    if S_IFMT(member.external_attr >> 16) not in {0, wanted}:
        message = f"{shown(path)} in the zip is a link or a device; allowed: files and folders"
        yield Problem("not-a-file", message, (path,))
    if member.flag_bits & _ENCRYPTED:
        message = f"{shown(path)} in the zip is encrypted; allowed: files that can be read"
        yield Problem("encrypted-file", message, (path,))
    if member.compress_type not in {ZIP_STORED, ZIP_DEFLATED}:
        message = f"{shown(path)} in the zip is compressed by method {member.compress_type}"
        yield Problem("unknown-compression", f"{message}; allowed: stored, deflated", (path,))


def _ratio_problems(files: Sequence[ZipInfo], packed: int) -> list[Problem]:
    rows = [(shown(file.filename), file.file_size, file.compress_size) for file in files]
    total = sum(size for _, size, _ in rows)
    rows.append(("everything", total, packed))
    return [
        Problem(
            "compression-bomb",
            f"{what} in the zip has {size:,} bytes, compressed to {small:,}; allowed above"
            f" {_SMALL // 1024**2} MB: at most {MAX_RATIO} times as many",
        )
        for what, size, small in rows
        if size > _SMALL and size > small * MAX_RATIO
    ]


def _damaged(member: ZipInfo, why: str) -> Problem:
    message = f"{shown(member.filename)} in the zip is damaged: {why}"
    return Problem("damaged-zip", message, (member.filename,))


def _overlap_problems(data: bytes, files: Sequence[ZipInfo], start: int) -> Iterator[Problem]:
    """Files that share bytes with each other or with the directory: a bomb without a ratio."""
    end = 0
    for member in sorted(files, key=lambda file: file.header_offset):
        if member.header_offset < end:
            yield _damaged(member, "it shares bytes with another file")
        end = _begin(data, member) + member.compress_size
        if end > start:
            yield _damaged(member, f"it ends {end - start:,} bytes behind the last file's place")


def _begin(data: bytes, member: ZipInfo) -> int:
    """Where the content of a file begins: behind its own header, which has to agree."""
    begin = member.header_offset
    try:
        mark, name_size, extra_size = _LOCAL.unpack_from(data, begin)
    except struct.error:
        raise Refused([_damaged(member, f"it has no header at byte {begin:,}")]) from None
    begin += _LOCAL.size
    coding = "utf-8" if member.flag_bits & _UTF8 else "cp437"
    name = data[begin : begin + name_size].decode(coding, "replace")
    if mark != b"PK\x03\x04" or name != member.orig_filename:
        raise Refused([_damaged(member, f"its header is of {shown(name)}")])
    return begin + int(name_size) + int(extra_size)


def _content(data: bytes, member: ZipInfo) -> bytes:
    """What a file really holds, never more than a byte above what it claims."""
    begin = _begin(data, member)
    packed = memoryview(data)[begin : begin + member.compress_size]
    content = bytes(packed) if member.compress_type == ZIP_STORED else _inflate(packed, member)
    if len(content) != member.file_size:
        raise Refused(
            [_damaged(member, f"it does not have the {member.file_size:,} bytes it says")]
        )
    if zlib.crc32(content) != member.CRC:
        raise Refused([_damaged(member, "its checksum is wrong")])
    return content


def _inflate(packed: memoryview, member: ZipInfo) -> bytes:
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        content = engine.decompress(packed, member.file_size + 1)
    except zlib.error as error:
        raise Refused([_damaged(member, str(error))]) from None
    if engine.unused_data or (len(content) <= member.file_size and not engine.eof):
        raise Refused([_damaged(member, "its compressed bytes end elsewhere")])
    return content
