"""Hot reload: edits are picked up once, while everything keeps running.

Only what was edited is done again. A broken edit changes nothing: the last good code and the last
good file stay in use, and what is wrong is told.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol

from watchfiles import Change, DefaultFilter, awatch

SETTLE_MILLISECONDS: Final = 25
"""A burst of events ends when nothing happened for so long: editors write in several steps."""

LONGEST_BURST_MILLISECONDS: Final = 150
"""A burst that does not end is acted upon after so long."""

_LATEST: Final = "latest"
_VERSION = re.compile(r"v[0-9]+")


class Reloads(Protocol):
    """What a watcher has done when something was edited; neither raises for a broken edit."""

    def sources(self) -> Mapping[str, Path]:
        """The source folder of each function that has one."""

    async def reload(self, function: str, folder: Path) -> None:
        """The code of a function's `$LATEST` was edited."""

    async def apply_edit(self) -> None:
        """The file, or a folder of a published version, was edited."""


class _Code(DefaultFilter):
    """Everything but what editors, tools and Python itself leave behind."""

    ignore_dirs = (*DefaultFilter.ignore_dirs, ".gateway", ".ruff_cache")
    ignore_entity_patterns = (
        *DefaultFilter.ignore_entity_patterns,
        r"\.py[co]$",
        r"^\.#",
        r"^4913$",  # vim's probe
    )


class Watcher:
    """Watches one stages.toml and the source folders that it names.

    Args:
        file: The file.
        reloads: What is done about edits.
    """

    def __init__(self, file: Path, reloads: Reloads) -> None:
        self._file = file.absolute()
        self._reloads = reloads
        self._sources_changed = asyncio.Event()
        self._seen = self._signatures()

    async def run(self) -> None:
        """Watch until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch_file())
            group.create_task(self._watch_code())

    async def _watch_file(self) -> None:
        def ours(_change: Change, path: str) -> bool:
            return Path(path).name == self._file.name

        # The folder, not the file: editors replace a file, and its watch would go with the old one.
        folder = self._file.parent
        async for _ in awatch(
            folder,
            watch_filter=ours,
            recursive=False,
            step=SETTLE_MILLISECONDS,
            debounce=LONGEST_BURST_MILLISECONDS,
        ):
            await self._apply()

    async def _watch_code(self) -> None:
        while True:
            self._sources_changed.clear()
            folders = set(self._reloads.sources().values())
            there = [folder for folder in folders if folder.is_dir()]
            if not there:
                await self._sources_changed.wait()
                continue
            async for changes in awatch(
                *there,
                watch_filter=_Code(),
                stop_event=self._sources_changed,
                step=SETTLE_MILLISECONDS,
                debounce=LONGEST_BURST_MILLISECONDS,
            ):
                await self._edited({Path(path) for _, path in changes})

    async def _edited(self, paths: set[Path]) -> None:
        for function, source in self._reloads.sources().items():
            inside = [path.relative_to(source) for path in paths if path.is_relative_to(source)]
            tops = {path.parts[0] for path in inside if path.parts}
            if _LATEST in tops:
                await self._reload(function, source / _LATEST)
            if any(map(_VERSION.fullmatch, tops)):
                await self._apply()
                return

    async def _reload(self, function: str, folder: Path) -> None:
        """Load code anew, unless the event is the echo of an edit that was picked up already."""
        signature = await asyncio.to_thread(_signature, folder)
        if self._seen.get(function) != signature:
            self._seen[function] = signature
            await self._reloads.reload(function, folder)

    async def _apply(self) -> None:
        before = dict(self._reloads.sources())
        await self._reloads.apply_edit()
        if self._reloads.sources() != before:
            self._seen = self._signatures()
            self._sources_changed.set()

    def _signatures(self) -> dict[str, object]:
        sources = self._reloads.sources()
        return {name: _signature(source / _LATEST) for name, source in sources.items()}


def _signature(folder: Path) -> frozenset[tuple[str, int, int]]:
    """Name, time and size of every file that counts: the same again means nothing was edited."""
    counts = _Code()
    found = set()
    for parent, _, names in os.walk(folder):
        for path in (f"{parent}/{name}" for name in names):
            # A file may be gone by now; its own event is on the way.
            with contextlib.suppress(OSError):
                if counts(Change.modified, path):
                    stat = os.stat(path)  # noqa: PTH116 - per file of every edit
                    found.add((path, stat.st_mtime_ns, stat.st_size))
    return frozenset(found)
