"""A code package: regular files with relative paths, known by a digest of what they are.

The digest covers paths, contents and who may be executed, and nothing of how they came here: the
same code has the same digest as a folder, as any zip, and on any machine.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, NamedTuple

from gateway.core.errors import Problem, Refused
from gateway.store.paths import path_problems, shown

MAX_FILES: Final = 1_000
"""How many files a package may have."""

MAX_SIZE: Final = 250 * 1024 * 1024
"""How many bytes all files of a package may have together."""

_FORM: Final = b"gateway code package 1\n"


class Entry(NamedTuple):
    """What a digest covers of one file.

    Attributes:
        path: Its path in the package.
        size: Its length in bytes.
        content: The SHA-256 of its content, in hexadecimal digits.
        executable: Whether its owner may execute it.
    """

    path: str
    size: int
    content: str
    executable: bool


@dataclass(frozen=True, slots=True)
class Package:
    """The files of one version; packages with the same digest are equal.

    Attributes:
        digest: `sha256:` and 64 hexadecimal digits.
        files: The content of each file by path, in ascending order of paths.
        executable: The paths of the files that may be executed.
    """

    digest: str
    files: Mapping[str, bytes] = field(compare=False, repr=False)
    executable: frozenset[str] = field(default=frozenset(), compare=False, repr=False)

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(map(len, self.files.values()))


def package_of(files: Mapping[str, bytes], executable: Collection[str] = ()) -> Package:
    """The package of files that were checked already."""
    ordered = dict(sorted(files.items()))
    marked = frozenset(executable)
    digest = listing_digest(
        Entry(path, len(content), sha256(content).hexdigest(), path in marked)
        for path, content in ordered.items()
    )
    return Package(digest, ordered, marked)


def listing_digest(entries: Iterable[Entry]) -> str:
    """The digest of a package with these files, whatever their order."""
    total = sha256(_FORM)
    for entry in sorted(entries):
        total.update(json.dumps(entry).encode() + b"\n")
    return f"sha256:{total.hexdigest()}"


def read_files(files: Mapping[str, bytes], executable: Collection[str] = ()) -> Package:
    """The package of files that are at hand, such as the parts of an upload.

    Args:
        files: The content of each file by path.
        executable: The paths of those that may be executed.

    Raises:
        Refused: They are none, too many, too large, or a path cannot stand in a package.
    """
    refuse_any([*count_problems(len(files)), *path_problems(files)])
    refuse_any(size_problems((path, len(content)) for path, content in files.items()))
    return package_of(files, executable)


def refuse_any(problems: Iterable[Problem]) -> None:
    """Refuse a package that has problems.

    Raises:
        Refused: It has.
    """
    found = tuple(problems)
    if found:
        raise Refused(found)


def count_problems(count: int) -> list[Problem]:
    """What is wrong with the number of files."""
    if count == 0:
        message = f"the code package has no files; allowed: 1 to {MAX_FILES:,}"
        return [Problem("empty-package", message)]
    if count > MAX_FILES:
        message = f"the code package has {count:,} files; allowed: at most {MAX_FILES:,}"
        return [Problem("too-many-files", message)]
    return []


def size_problems(sizes: Iterable[tuple[str, int]]) -> list[Problem]:
    """What is wrong with the sizes of the files: the one with which it becomes too much."""
    total = 0
    for path, size in sizes:
        total += size
        if total > MAX_SIZE:
            return [too_large(path)]
    return []


def too_large(path: str) -> Problem:
    """The mistake of a package that is too large, at the file with which it becomes so."""
    limit = f"{MAX_SIZE // 1024**2} MB"
    message = f"with {shown(path)} the code package has more than {limit}; allowed: at most {limit}"
    return Problem("package-too-large", message, (path,))


def differing(one: Package, other: Package) -> list[str]:
    """The paths of the files that are not the same in two packages, in ascending order."""
    return sorted(
        path
        for path in one.files.keys() | other.files.keys()
        if one.files.get(path) != other.files.get(path)
        or (path in one.executable) != (path in other.executable)
    )
