"""Where the code of versions is: packages in the store, their copies on this machine's disk.

A version's `code` is the digest of a package, which never changes, or a folder: only `$LATEST` is
ever served from a folder that somebody edits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from gateway.core.changes import Batch, Change, Publish
from gateway.core.errors import Problem, Refused
from gateway.core.functions import FunctionVersion
from gateway.core.snapshot import Snapshot
from gateway.store.cache import CodeFolders
from gateway.store.packages import Package, read_folder, to_zip, unpack
from gateway.store.protocol import Store

GRACE_SECONDS: Final = 3600.0
"""How long a package is kept that no version names: a change that names it may be on its way."""


def is_package(code: str) -> bool:
    """Whether a version's `code` is the digest of a package, and not a folder."""
    return code.startswith("sha256:")


class Code:
    """The code packages of a store and their folders.

    Args:
        store: Keeps the packages.
        folders: Keeps their copies.
        clock: Seconds since 1970.
    """

    def __init__(self, store: Store, folders: CodeFolders, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._folders = folders
        self._where: dict[str, Path] = {}

    def folder_of(self, code: str) -> str:
        """Where the runtime finds a version's `code`, once it was fetched."""
        if not is_package(code):
            return code
        return str(self._where.get(code) or self._folders.folder(code))

    async def fetch(self, versions: Iterable[FunctionVersion]) -> None:
        """Have the code of versions on disk.

        Raises:
            PackageNotFound: The store has no such package.
        """
        for digest in {version.code for version in versions if is_package(version.code)}:
            if digest not in self._where:
                self._where[digest] = await self._folders.fetch(self._store, digest)

    async def keep(self, package: Package) -> str:
        """Put a package into the store, durably; gives its digest."""
        data = await asyncio.to_thread(to_zip, package)
        await self._store.put_package(package.digest, data, self._clock())
        return package.digest

    async def package_of(self, version: FunctionVersion) -> Package:
        """A version's code as it is now.

        Raises:
            PackageNotFound: The store has no such package.
            Refused: The folder of `$LATEST` cannot be packed.
        """
        if is_package(version.code):
            data = await self._store.package(version.code)
            return await asyncio.to_thread(unpack, version.code, data)
        return await asyncio.to_thread(read_folder, Path(version.code))

    async def forget(self, snapshot: Snapshot) -> None:
        """Drop the packages that no version names, but for those that may be named any moment."""
        named = {version.code for version in snapshot.versions() if is_package(version.code)}
        before = self._clock() - GRACE_SECONDS
        await self._store.retain_packages(named, before)
        await asyncio.to_thread(self._folders.retain, named, before)


@dataclass(frozen=True, slots=True)
class Packed:
    """Changes whose published folders were read: now, and never again.

    Attributes:
        changes: The changes, with packages in place of folders.
        packages: The packages by digest.
        folders: The folder that each digest came from.
    """

    changes: Batch
    packages: Mapping[str, Package]
    folders: Mapping[str, str]


def pack_versions(changes: Batch) -> Packed:
    """Read every published folder that changes name.

    Raises:
        Refused: Folders that cannot be packed; each problem is at its function's `source`.
    """
    packages: dict[str, Package] = {}
    folders: dict[str, str] = {}
    problems: list[Problem] = []

    def packed(change: Change) -> Change:
        if not isinstance(change, Publish) or change.code is None or is_package(change.code):
            return change
        try:
            package = read_folder(Path(change.code))
        except Refused as refused:
            at = ("functions", change.function, "source")
            problems.extend(replace(problem, at=at) for problem in refused.problems)
            return change
        packages[package.digest] = package
        folders[package.digest] = change.code
        return replace(change, code=package.digest)

    batch = Batch(tuple(map(packed, changes.changes)))
    if problems:
        raise Refused(problems)
    return Packed(batch, packages, folders)
