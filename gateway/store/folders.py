"""Reading a code package from a folder: regular files alone, and no link is followed.

What tools leave behind is left out: `__pycache__`, `*.pyc`, `.git` and `.DS_Store`. Everything
else is code, or it is refused; a file that is silently not there would fail at a request.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from stat import S_ISDIR, S_ISLNK, S_ISREG, S_IXUSR
from typing import Final

from gateway.core.errors import Problem, Refused
from gateway.store.contents import (
    MAX_FILES,
    MAX_SIZE,
    Entry,
    Package,
    count_problems,
    listing_digest,
    package_of,
    refuse_any,
    size_problems,
    too_large,
)
from gateway.store.paths import path_problems, shown

LEFT_OUT: Final = frozenset({"__pycache__", ".git", ".DS_Store"})
"""Names that are no part of a package, with everything below them; so are `*.pyc`."""

# A file may be exchanged between two looks at it: never follow, never wait for a pipe's writer.
_FLAGS: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

Found = dict[str, os.stat_result]


def left_out(name: str) -> bool:
    """Whether a file or a folder of this name is no part of a package."""
    return name in LEFT_OUT or name.endswith(".pyc")


def read_folder(folder: Path) -> Package:
    """The package of a folder's files, all but what tools leave behind.

    Args:
        folder: The folder; it may itself be reached by a link.

    Raises:
        Refused: It cannot be read, holds something else than files and folders, or has no files,
            too many, or too large ones.
    """
    found = _find(folder, left_out)
    files: dict[str, bytes] = {}
    left = MAX_SIZE
    for path in found:
        files[path] = _read(folder, path, left)
        left -= len(files[path])
    return package_of(files, _executable(found))


def folder_digest(folder: Path) -> str:
    """The digest of everything in a folder; nothing is left out, and little is held in memory.

    Raises:
        Refused: It is the folder of no package.
    """
    found = _find(folder, lambda _: False)
    marked = _executable(found)
    return listing_digest(_entry(folder, path, path in marked) for path in found)


def _executable(found: Found) -> frozenset[str]:
    return frozenset(path for path, seen in found.items() if seen.st_mode & S_IXUSR)


def _find(folder: Path, skip: Callable[[str], bool]) -> Found:
    """The regular files below a folder, checked but not read."""
    found: Found = {}
    problems: list[Problem] = []
    with _reading(folder, ""):
        for path, seen in _walk(folder, skip):
            if S_ISREG(seen.st_mode):
                found[path] = seen
            else:
                what = "a link" if S_ISLNK(seen.st_mode) else "no regular file"
                message = f"{shown(path)} in the folder {str(folder)!r} is {what}"
                problems.append(Problem("not-a-file", f"{message}; allowed: files", (path,)))
            if len(found) > MAX_FILES or len(problems) > MAX_FILES:
                break  # whoever names a home folder by mistake is told so at once
    refuse_any([*problems, *(() if problems else count_problems(len(found)))])
    refuse_any(path_problems(found))
    refuse_any(size_problems((path, seen.st_size) for path, seen in found.items()))
    return found


def _walk(folder: Path, skip: Callable[[str], bool]) -> Iterator[tuple[str, os.stat_result]]:
    """Everything below a folder but folders, in a steady order."""
    waiting = [""]
    while waiting:
        above = waiting.pop()
        for name in sorted(os.listdir(folder / above)):  # noqa: PTH208 - names, not paths
            if skip(name):
                continue
            path = f"{above}/{name}" if above else name
            seen = (folder / path).lstat()
            if S_ISDIR(seen.st_mode):
                waiting.append(path)
            else:
                yield path, seen


@contextmanager
def _reading(folder: Path, path: str) -> Iterator[None]:
    """Says what could not be read, in the words of the system."""
    try:
        yield
    except (OSError, ValueError) as error:
        what = f"{shown(path)} in the folder" if path else "the folder"
        reason = getattr(error, "strerror", None) or str(error)
        message = f"{what} {str(folder)!r} cannot be read: {reason}"
        raise Refused([Problem("unreadable-folder", message, (path,) if path else ())]) from None


def _read(folder: Path, path: str, left: int) -> bytes:
    with _reading(folder, path), os.fdopen(os.open(folder / path, _FLAGS), "rb") as file:
        size = os.fstat(file.fileno()).st_size
        content = file.read() if size <= left else b""
    if max(size, len(content)) > left:
        raise Refused([too_large(path)])
    return content


def _entry(folder: Path, path: str, executable: bool) -> Entry:  # noqa: FBT001
    total, size = sha256(), 0
    with _reading(folder, path), os.fdopen(os.open(folder / path, _FLAGS), "rb") as file:
        while block := file.read(1024 * 1024):
            total.update(block)
            size += len(block)
    return Entry(path, size, total.hexdigest(), executable)
