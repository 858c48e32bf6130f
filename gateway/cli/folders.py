"""Code between this machine's disk and the control plane: read by the packages' own rules.

What is written is written beside its place first and moved there when all of it has come, so that
a command that fails leaves no half of it.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NoReturn

from gateway.cli.exits import Exit
from gateway.cli.failures import fail, fail_all

if TYPE_CHECKING:
    from gateway.store.packages import Package


def packed(path: Path) -> bytes:
    """The zip of a folder, or the content of a zip file, if it can be code at all."""
    from gateway.core.errors import Refused
    from gateway.store.packages import read_folder, read_zip, to_zip

    try:
        if path.is_dir():
            return to_zip(read_folder(path))
        data = path.read_bytes()
        read_zip(data)
    except Refused as refused:
        fail_all(refused.problems, Exit.INVALID, str(path))
    except OSError as error:
        cannot("read", path, error)
    return data


def package_in(data: bytes) -> Package:
    """The package that the control plane sent as a zip; one that leads out of a folder is none."""
    from gateway.core.errors import Refused
    from gateway.store.packages import read_zip

    try:
        return read_zip(data)
    except Refused as refused:
        fail_all(refused.problems, Exit.UNEXPECTED, "the gateway's answer")


def write_package(package: Package, folder: Path) -> None:
    """Write the files of a package into a folder of their own."""
    folder.mkdir(parents=True)
    for name, content in package.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        if name in package.executable:
            path.chmod(path.stat().st_mode | 0o111)


def refuse_full(folder: Path, *, force: bool) -> None:
    """End the command when a folder has something in it that nobody allowed to be replaced."""
    if folder.exists() and not folder.is_dir():
        fail("no-folder", f"{str(folder)!r} is no folder", Exit.CONFLICT)
    if not force and folder.is_dir() and any(folder.iterdir()):
        message = f"the folder {str(folder)!r} is not empty"
        hint = "choose another one, or replace what is in it with --force"
        fail("not-empty", message, Exit.CONFLICT, hint)


@contextmanager
def beside(folder: Path) -> Iterator[Path]:
    """A temporary folder on the same disk; whatever is still in it at the end is removed."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".gateway-", dir=folder.parent) as name:
            yield Path(name)
    except OSError as error:
        cannot("write", folder, error)


def replace(source: Path, target: Path) -> None:
    """Move a file or a folder to its place; what was there is gone."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)
    source.replace(target)


def inner(text: str) -> PurePosixPath:
    """A folder that the exported file names, which must lie below where it is written."""
    path = PurePosixPath(text)
    if path.is_absolute() or ".." in path.parts or not path.parts or "\\" in text:
        message = f"the source folder {text!r} of a function lies outside of the export"
        fail("bad-path", message, Exit.CONFLICT, "export without DIR writes the file alone")
    return path


def cannot(what: str, path: Path, error: OSError) -> NoReturn:
    """End the command with what the operating system said."""
    fail(f"cannot-{what}", f"cannot {what} {str(path)!r}: {error.strerror}", Exit.CANNOT_START)
