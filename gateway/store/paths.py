"""Paths inside a code package: relative, plain, and one file each on every kind of disk.

A package made on one machine is unpacked on others. What could leave the folder there, or hide
another file, is refused here and nowhere later.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final
from unicodedata import normalize

from gateway.core.errors import Problem

MAX_NAME: Final = 255
"""Bytes of one name between two slashes; what the usual file systems allow."""

MAX_PATH: Final = 1024
"""Bytes of a whole path; the shortest limit among the systems that matter."""

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_DRIVE: Final = re.compile(r"[A-Za-z]:")


def shown(path: str) -> str:
    """A path as sentences show it: quoted, escaped and not endless."""
    return repr(path) if len(path) <= 200 else f"{path[:200]!r}..."


def path_problems(files: Iterable[str], folders: Iterable[str] = ()) -> list[Problem]:
    """What is wrong with the paths of a package, each for itself and with each other.

    Args:
        files: The paths of the files; one that comes twice is a mistake.
        folders: Folders that are named for themselves, without a slash at the end.
    """
    return list(_path_problems(files, folders))


def _path_problems(files: Iterable[str], folders: Iterable[str]) -> Iterator[Problem]:
    tree = _Tree()
    for path, is_file in (*((f, False) for f in folders), *((f, True) for f in files)):
        why = _bad(path)
        if why:
            message = f"the path {shown(path)} {why}; allowed: relative paths such as 'lib/a.py'"
            yield Problem("bad-path", message, (path,))
        else:
            clash = tree.add(path, is_file=is_file)
            if clash:
                yield clash


def _bad(path: str) -> str:
    """Why a path cannot stand in a package; empty when it can."""
    names = path.split("/")
    checks = (
        (path == "", "is empty"),
        (_CONTROL.search(path), "has a control character"),
        ("\\" in path, "has a backslash"),
        (path.startswith("/"), "is absolute"),
        (_DRIVE.match(path), "names a drive"),
        (".." in names, "leads out of the package by '..'"),
        ("" in names, "has an empty name between slashes"),
        ("." in names, "has the name '.'"),
    )
    return next((why for wrong, why in checks if wrong), "") or _bad_length(path, names)


def _bad_length(path: str, names: list[str]) -> str:
    try:
        sizes = [len(name.encode()) for name in names]
    except UnicodeEncodeError:
        return "is no Unicode text"
    if max(sizes) > MAX_NAME:
        return f"has a name of {max(sizes)} bytes, more than {MAX_NAME}"
    total = len(path.encode())
    return f"has {total} bytes, more than {MAX_PATH}" if total > MAX_PATH else ""


class _Tree:
    """The paths so far, as a file system holds them that does not tell upper from lower case."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[str, bool]] = {}
        self._folders = {""}

    def add(self, path: str, *, is_file: bool) -> Problem | None:
        """Put a path, and the folders above it, in place; or say with what it clashes."""
        above = []
        folder = path.rpartition("/")[0]
        while folder not in self._folders:  # the others were placed with an earlier path
            above.append(folder)
            folder = folder.rpartition("/")[0]
        for folder in reversed(above):
            clash = self._place(folder, is_file=False)
            if clash:
                return clash
            self._folders.add(folder)
        return self._place(path, is_file=is_file)

    def _place(self, path: str, *, is_file: bool) -> Problem | None:
        key = normalize("NFC", normalize("NFC", path).casefold())
        known = self._held.get(key)
        if known is None:
            self._held[key] = (path, is_file)
            return None
        return _clash(path, is_file, known)


def _clash(path: str, is_file: bool, known: tuple[str, bool]) -> Problem | None:  # noqa: FBT001
    held, held_is_file = known
    if is_file != held_is_file:
        file, folder = (path, held) if is_file else (held, path)
        message = f"{shown(file)} is a file, and {shown(folder)} a folder; allowed: one of them"
        return Problem("clashing-paths", message, (path,))
    if held != path:
        message = f"the paths {shown(held)} and {shown(path)} are the same where case is not told"
        return Problem("clashing-paths", f"{message} apart; allowed: one of them", (path,))
    if is_file:
        message = f"the path {shown(path)} is there twice; allowed: once"
        return Problem("duplicate-path", message, (path,))
    return None
