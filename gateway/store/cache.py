"""Code packages as folders on disk, made when they are needed and never edited.

A folder appears whole or not at all: it is made under another name and renamed. One process at a
time works in the cache; whoever was killed meanwhile leaves nothing that others would trust.
"""

from __future__ import annotations

import asyncio
import fcntl
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from math import inf
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from gateway.core.errors import Refused
from gateway.store.contents import Package
from gateway.store.folders import folder_digest
from gateway.store.packages import unpack
from gateway.store.protocol import PackageNotFound, StateUnusable, Store

_LOCK: Final = ".lock"
_PREFIX: Final = ".new-"


class CodeFolders:
    """The folders of the code packages that were needed so far.

    Each folder is checked once by each process: whoever edited it, the code is what its digest
    says.

    Args:
        root: Where the folders are; made when it is not there.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._checked: set[str] = set()
        self._temporary = False

    @classmethod
    def temporary(cls) -> CodeFolders:
        """Folders that `close` removes."""
        folders = cls(Path(mkdtemp(prefix="gateway-code-")))
        folders._temporary = True
        return folders

    def folder(self, code: Package | str) -> Path:
        """The folder of a code package.

        Args:
            code: The package, or the digest of one whose folder is there already.

        Raises:
            PackageNotFound: Only a digest is given, and its folder is not there or was edited.
            StateUnusable: The folder cannot be written.
        """
        digest = code if isinstance(code, str) else code.digest
        target = self._place(digest)
        if digest in self._checked and target.is_dir():
            return target
        with self._alone():
            if _digest(target) != digest:
                if isinstance(code, str):
                    raise PackageNotFound(digest)
                self._make(code, target)
        self._checked.add(digest)
        return target

    async def fetch(self, store: Store, digest: str) -> Path:
        """The folder of a package that a store keeps; read from there when it has none yet.

        Raises:
            PackageNotFound: The store does not keep it.
            StateUnusable: It is damaged, or its folder cannot be written.
        """
        try:
            return await asyncio.to_thread(self.folder, digest)
        except PackageNotFound:
            data = await store.package(digest)
        return await asyncio.to_thread(lambda: self.folder(unpack(digest, data)))

    def retain(self, digests: Collection[str], before: float = inf) -> None:
        """Remove the folder of every other package, and what killed processes left.

        Code that is still running from such a folder can import nothing more from it.

        Args:
            digests: What versions name.
            before: Only folders that were made before this moment, in seconds since 1970.

        Raises:
            StateUnusable: The folders cannot be written.
        """
        kept = {self._place(digest) for digest in digests}
        with self._alone():
            for path in self.root.iterdir():
                if path.name != _LOCK and path not in kept and path.lstat().st_mtime < before:
                    _remove(path)
        self._checked &= set(digests)

    def close(self) -> None:
        """Remove everything, if the folders are temporary."""
        if self._temporary:
            _remove(self.root)

    def _place(self, digest: str) -> Path:
        return self.root / digest.removeprefix("sha256:")[:16]

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """While no other process and no other thread works in the cache."""
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            with (self.root / _LOCK).open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)  # let go by closing, even by being killed
                yield
        except OSError as error:
            message = f"the code folders in {str(self.root)!r} cannot be used: {error.strerror}"
            raise StateUnusable(message) from error

    def _make(self, package: Package, target: Path) -> None:
        """Write a package under another name, and put it in place of what was there."""
        fresh = Path(mkdtemp(prefix=_PREFIX, dir=self.root))
        try:
            _write(package, fresh)
            _remove(target)
            fresh.rename(target)
        except BaseException:
            _remove(fresh)
            raise


def _digest(folder: Path) -> str:
    """The digest of a folder; empty when it cannot be that of a package."""
    try:
        return "" if folder.is_symlink() else folder_digest(folder)
    except Refused:
        return ""


def _write(package: Package, folder: Path) -> None:
    """Files that nobody edits by mistake, in folders that anybody may remove."""
    folder.chmod(0o755)
    for path, content in package.files.items():
        file = folder / path
        file.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        file.write_bytes(content)
        file.chmod(0o555 if path in package.executable else 0o444)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
        return
    with suppress(FileNotFoundError):
        path.unlink()
