"""Files of the project by name: what is outside its folder cannot be named at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gateway.core.errors import Place, Problem, Refused, nearest

LISTED: Final = 100
"""Files that are offered."""

_ENDINGS: Final = (".jsonl", ".log", ".csv", ".tsv")
_PACKED: Final = ("", ".gz", ".zst")
_LOOKED_AT: Final = 5000


def offered(folder: Path) -> list[str]:
    """Recordings and logs of a project, by name, at most two folders deep."""
    found: list[str] = []
    for looked, path in enumerate(_walk(folder, 2)):
        if looked >= _LOOKED_AT or len(found) >= LISTED:
            break
        name = path.name.lower()
        if any(name.endswith(end + packed) for end in _ENDINGS for packed in _PACKED):
            found.append(path.relative_to(folder).as_posix())
    return sorted(found)


def inside(folder: Path, name: str, at: Place) -> str:
    """The file of a name, seen from the project's folder.

    Args:
        folder: The project's folder.
        name: The name, relative to it.
        at: Where the name stood, for messages.

    Raises:
        Refused: It leads out of the folder, or there is no such file.
    """
    try:
        root = folder.resolve()
        path = (root / name).resolve()
        there = path.is_relative_to(root) and path.is_file() and not Path(name).is_absolute()
    except (OSError, ValueError):  # a name that no file can have
        there = False
    if not there:
        message = f"there is no file {name!r} in the project's folder {str(folder)!r}"
        hint = nearest(name, offered(folder))
        raise Refused([Problem("unknown-file", message, at, hint)])
    return path.relative_to(root).as_posix()


def _walk(folder: Path, depth: int) -> Iterator[Path]:
    """Files, folder by folder; hidden ones and links to folders are left out."""
    try:
        entries = sorted(folder.iterdir())
    except OSError:  # a folder that may not be read has nothing to offer
        return
    shown = [each for each in entries if not each.name.startswith((".", "_"))]
    yield from (each for each in shown if each.is_file())
    for each in shown:
        if depth and each.is_dir() and not each.is_symlink():
            yield from _walk(each, depth - 1)
