"""A version's files are read as they are now: bytecode caches are neither read nor written.

A cache is valid by modification time, in whole seconds; code edited twice within one would be
stale. And a published folder belongs to its version: nothing of ours is left in it.
"""

from __future__ import annotations

from importlib.machinery import (
    BYTECODE_SUFFIXES,
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    SourceFileLoader,
    SourcelessFileLoader,
)
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import CodeType, ModuleType


def directory_finder(folder: str, builtins: dict[str, object]) -> FileFinder:
    """A finder for one folder whose modules see `builtins` as their `__builtins__`.

    Extension modules are loaded as usual: compiled code does not import through `__builtins__`.
    """

    class Source(SourceFileLoader):
        def get_code(self, fullname: str) -> CodeType:
            path = self.get_filename(fullname)
            code: CodeType = self.source_to_code(self.get_data(path), path)
            return code

        def exec_module(self, module: ModuleType) -> None:
            vars(module)["__builtins__"] = builtins
            super().exec_module(module)

    class Bytecode(SourcelessFileLoader):
        def exec_module(self, module: ModuleType) -> None:
            vars(module)["__builtins__"] = builtins
            super().exec_module(module)

    return FileFinder(
        folder,
        (ExtensionFileLoader, EXTENSION_SUFFIXES),
        (Source, SOURCE_SUFFIXES),
        (Bytecode, BYTECODE_SUFFIXES),
    )
