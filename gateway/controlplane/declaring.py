"""stages.toml and the live state: applying the one to the other, and writing it back.

The file is read and its published folders are packed before anything is locked; what is merged is
the state that is live when the change is made.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.config import Declaration, load
from gateway.config.merge import Kept, Merge, merge
from gateway.config.source import read
from gateway.controlplane.changing import Done, Note
from gateway.controlplane.code import Code, Packed, pack_versions
from gateway.controlplane.writer import Writer
from gateway.core.apply import apply
from gateway.core.changes import Batch, PutFunction
from gateway.core.diff import differences
from gateway.core.errors import GatewayError, Refused
from gateway.core.snapshot import Snapshot
from gateway.live import Live
from gateway.runtime import BrokenVersions
from gateway.store.protocol import Author

if TYPE_CHECKING:
    from gateway.config.export import Exported


class NoConfiguration(GatewayError):
    """The gateway was started without a stages.toml, and none was named."""

    code = "no-configuration"

    def __init__(self) -> None:
        super().__init__("the gateway was started without a file, and none is named")


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of an applied file.

    Attributes:
        done: The change.
        kept: What was changed live and survives.
        warnings: What is allowed in the file and yet hardly meant.
    """

    done: Done
    kept: tuple[Kept, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Read:
    """A file that was read, with its published folders packed."""

    declaration: Declaration
    packed: Packed


class Declaring:
    """Applies a stages.toml.

    Args:
        writer: Makes the change.
        live: The cell that the data plane reads.
        code: Keeps the packages of published folders.
        file: The file that is applied when none is named.
    """

    def __init__(self, writer: Writer, live: Live, code: Code, file: Path | None) -> None:
        self._writer = writer
        self._live = live
        self._code = code
        self.file = file

    async def apply(
        self, file: Path | None, author: Author, *, expected: int | None = None
    ) -> Applied:
        """Bring the live state to what the file declares, but for what was changed live.

        Raises:
            NoConfiguration: No file is named, and none was at the start.
            ConfigurationInvalid: The file, or what it asks of the live state, is wrong.
            BrokenVersions: A version does not load.
            StaleRevision: The live revision is not the expected one.
        """
        found = await self._read(file)
        kept: tuple[Kept, ...] = ()

        def steps(live: Snapshot) -> Batch:
            nonlocal kept
            merged = self._merge(found, live)
            kept = merged.kept
            return merged.changes

        for package in found.packed.packages.values():
            await self._code.keep(package)
        news = None if found.packed.changes == self._writer.declared else found.packed.changes
        note = Note(author, declared=news)
        try:
            done = await self._writer.change(steps, note, expected=expected)
        except BrokenVersions as broken:
            self._name_folders(broken, found.packed)
            raise
        return Applied(done, kept, _texts(found))

    async def preview(self, file: Path | None) -> Applied:
        """What `apply` would do, without doing it.

        Raises:
            NoConfiguration: No file is named, and none was at the start.
            ConfigurationInvalid: The file, or what it asks of the live state, is wrong.
        """
        found = await self._read(file)
        live = self._live.snapshot
        merged = self._merge(found, live)
        altered = differences(live, apply(live, merged.changes))
        return Applied(Done(live.revision, altered), merged.kept, _texts(found))

    async def export(self) -> Exported:
        """A stages.toml that reproduces the live state; comments of the file are kept."""
        file = self.file

        def written() -> Exported:
            from gateway.config.export import export  # few ask, and what edits TOML is large

            there = file is not None and file.is_file()
            original = read(file).text if file is not None and there else None
            return export(self._live.snapshot, original, self._writer.declared)

        return await asyncio.to_thread(written)

    def sources(self) -> dict[str, Path]:
        """The source folder of each function that the applied file declares."""
        declared = self._writer.declared
        return {
            change.name: Path(change.code).parent
            for change in (declared.changes if declared else ())
            if isinstance(change, PutFunction)
        }

    async def _read(self, file: Path | None) -> _Read:
        path = file or self.file
        if path is None:
            raise NoConfiguration
        return await asyncio.to_thread(self._read_now, path)

    def _read_now(self, path: Path) -> _Read:
        known = {
            name: (*function.versions, *function.aliases)
            for name, function in self._live.snapshot.functions.items()
        }
        declaration = load(path, known)
        try:
            return _Read(declaration, pack_versions(declaration.changes))
        except Refused as refused:
            raise declaration.invalid(refused.problems) from None

    def _name_folders(self, broken: BrokenVersions, packed: Packed) -> None:
        """Whoever wrote the code knows the folder, not the copy that was tried."""
        copies = {self._code.folder_of(code): folder for code, folder in packed.folders.items()}
        for error in broken.errors:
            error.elsewhere(copies)

    def _merge(self, found: _Read, live: Snapshot) -> Merge:
        try:
            return merge(live, self._writer.declared, found.packed.changes)
        except Refused as refused:
            raise found.declaration.invalid(refused.problems) from None


def _texts(found: _Read) -> tuple[str, ...]:
    return tuple(map(str, found.declaration.warnings))
