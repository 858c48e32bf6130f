"""The code folders of one function: `latest/` is `$LATEST`, `v1/`, `v2/` ... are its versions.

Names decide, not contents; code is never imported here. What looks like a version and is none is
a mistake, every other name is the user's own business.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.core import names
from gateway.core.errors import Problem, listed, nearest
from gateway.core.functions import BOOTSTRAP

LATEST_FOLDER = "latest"

_VERSION_LIKE = re.compile(r"[vV][0-9]+")


@dataclass(frozen=True, slots=True)
class Folders:
    """What a function's source folder holds.

    Attributes:
        versions: The absolute folder of each version: published ones ascending, then `$LATEST`.
        problems: What is wrong with it, at the place of `source`.
    """

    versions: Mapping[str, Path]
    problems: tuple[Problem, ...] = ()


def scan(root: Path, source: str) -> Folders:
    """Find the versions below a source folder.

    Args:
        root: The folder that `source` is relative to.
        source: The folder as the file names it.
    """
    try:
        folder = (root / source).resolve()
        entries = {entry.name: entry for entry in folder.iterdir()}
        folders = {name for name, entry in entries.items() if entry.is_dir()}
    except FileNotFoundError:
        return Folders({}, (_missing(root, source),))
    except NotADirectoryError:
        message = f"the source {source!r} is a file, not a folder"
        return Folders({}, (Problem("bad-source", message),))
    except (OSError, RuntimeError, ValueError) as error:  # loops of links, NUL in the name
        reason = getattr(error, "strerror", None) or str(error)
        message = f"the source {source!r} cannot be read: {reason}"
        return Folders({}, (Problem("bad-source", message),))
    problems = _misnamed(source, set(entries), folders)
    if LATEST_FOLDER not in folders:
        problems.append(_no_latest(source, set(entries), folders))
    numbers = sorted((n[1:] for n in folders if n[:1] == "v" and names.is_number(n[1:])), key=int)
    versions = {number: entries[f"v{number}"] for number in numbers}
    if LATEST_FOLDER in folders:
        versions[names.LATEST] = entries[LATEST_FOLDER]
    return Folders(versions, tuple(problems))


def has_module(folder: Path, module: str) -> bool:
    """Whether a folder holds `a/b.py` or the package `a/b/` for the module `a.b`."""
    file = folder.joinpath(*module.split("."))
    try:
        return file.with_name(f"{file.name}.py").is_file() or (file / "__init__.py").is_file()
    except OSError:
        return False


def has_bootstrap(folder: Path) -> bool:
    """Whether a folder holds an executable that starts a web version's server."""
    file = folder / BOOTSTRAP
    return file.is_file() and os.access(file, os.X_OK)


def modules(folder: Path) -> list[str]:
    """The Python files right in a folder, by name."""
    try:
        return sorted(entry.name for entry in folder.iterdir() if entry.suffix == ".py")
    except OSError:
        return []


def _missing(root: Path, source: str) -> Problem:
    path = root / source
    try:
        siblings = [entry.name for entry in path.parent.iterdir() if entry.is_dir()]
    except OSError:
        siblings = []
    hint = nearest(path.name, siblings) or f"looked for {path.absolute()}"
    return Problem("missing-source", f"the source {source!r} is no folder", hint=hint)


def _misnamed(source: str, entries: set[str], folders: set[str]) -> list[Problem]:
    problems = []
    for name in sorted(filter(_VERSION_LIKE.fullmatch, entries)):
        if name not in folders:
            message = f"{name!r} in the source {source!r} is a file, not a folder"
            problems.append(Problem("bad-source", message))
        elif name[0] != "v" or not names.is_number(name[1:]):
            message = f"{name!r} in the source {source!r} is no version; allowed: v1, v2 ..."
            number = name[1:].lstrip("0")
            hint = f"call it 'v{number}'" if names.is_number(number) else ""
            problems.append(Problem("bad-source", message, hint=hint))
    return problems


def _no_latest(source: str, entries: set[str], folders: set[str]) -> Problem:
    if LATEST_FOLDER in entries:
        message = f"'latest' in the source {source!r} is a file, not a folder"
        return Problem("missing-latest", message)
    found = listed(sorted(folders)) if folders else "no folders at all"
    message = f"the source {source!r} has no folder 'latest'; it has {found}"
    close = {name.strip("$").lower(): name for name in sorted(folders)}
    near = close.get(LATEST_FOLDER)
    hint = f"rename {near!r} to 'latest'" if near else nearest(LATEST_FOLDER, folders)
    return Problem("missing-latest", message, hint=hint or "it holds the code of $LATEST")
