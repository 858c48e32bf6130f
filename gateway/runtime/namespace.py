"""Every loaded version owns one private package; its modules exist there and nowhere else.

The modules of version 1 of `orders` are registered as `gateway_functions.orders__1__g7.index`,
`gateway_functions.orders__1__g7.pricing` and so on. The names are real entries of `sys.modules`,
so dataclasses, type hints and pickle work; the generation (`g7`) is never used twice, so a new
`$LATEST` can be loaded while the old one still runs. Nobody else's modules, and no search path,
are touched.
"""

from __future__ import annotations

import importlib
import importlib.util
import itertools
import os
import re
import sys
import threading
from importlib.abc import MetaPathFinder
from importlib.machinery import BuiltinImporter, FrozenImporter, ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Final

from gateway.runtime.sources import directory_finder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import FileFinder

    from _typeshed.importlib import MetaPathFinderProtocol

ROOT: Final = "gateway_functions"
"""The package above all private packages; a logger of this name is above all their loggers."""

_generations = itertools.count(1)
_open: dict[str, Namespace] = {}
_lock = threading.Lock()


class Namespace:
    """The private package of one loaded version.

    Attributes:
        name: The full name of the package.
        folder: Where its top-level modules are found.
        builtins: What its modules see as `__builtins__`; filled in by whoever opens it.
    """

    def __init__(self, label: str, folder: str) -> None:
        self.name = f"{ROOT}.{re.sub(r'[^A-Za-z0-9_]', '', label)}__g{next(_generations)}"
        self.folder = folder
        self.builtins: dict[str, object] = {}
        self._finders: dict[str, FileFinder] = {}
        self._owned: dict[str, bool] = {}

    def open(self) -> None:
        """Register the package; from here on its modules can be imported."""
        package = _package(self.name, [self.folder])
        with _lock:
            if not _open:
                sys.meta_path.insert(0, _finder)
                # A place as a package of this name would have it: code that wants to know where
                # its outermost package lies (Flask does) finds a path.
                sys.modules[ROOT] = _package(ROOT, [os.path.join(os.getcwd(), ROOT)])  # noqa: PTH109, PTH118
            _open[self.name] = self
            sys.modules[self.name] = package

    def close(self) -> None:
        """Forget the package and its modules; what still runs keeps what it already holds."""
        with _lock:
            if _open.pop(self.name, None) is None:
                return
            inside = f"{self.name}."
            for name in list(sys.modules):
                if name == self.name or name.startswith(inside):
                    del sys.modules[name]
            for finder in self._own_finders():
                sys.meta_path.remove(finder)
            if not _open:
                sys.meta_path.remove(_finder)
                del sys.modules[ROOT]

    def owns(self, top: str) -> bool:
        """Whether an absolute import of the top-level name `top` means the version's own code."""
        known = self._owned.get(top)
        if known is None:
            known = self._owned[top] = self._decide(top)
        return known

    def private(self, name: str) -> str:
        """The name under which `name` is registered: private if it is ours, else unchanged."""
        return f"{self.name}.{name}" if self.owns(name.partition(".")[0]) else name

    def find(self, fullname: str, path: Sequence[str]) -> ModuleSpec | None:
        """Find a module of this package in the folders `path`."""
        portions: list[str] = []
        for folder in path:
            spec = self._finder(folder).find_spec(fullname)
            if spec is not None and spec.loader is not None:
                return spec
            if spec is not None:
                portions.extend(spec.submodule_search_locations or ())
        if not portions:
            return None
        spec = ModuleSpec(fullname, None, is_package=True)
        top = fullname.removeprefix(f"{self.name}.")
        spec.submodule_search_locations = portions + _shared_portions(top)
        return spec

    def find_generated(self, fullname: str, path: Sequence[str]) -> ModuleSpec | None:
        """Ask the finders that the version's own packages have registered, as `six` does."""
        for finder in self._own_finders():
            spec = finder.find_spec(fullname, path)
            if spec is not None:
                return spec
        return None

    def forget(self) -> None:
        """Look at the folders afresh at the next import (`importlib.invalidate_caches`)."""
        self._finders.clear()
        self._owned.clear()

    def _own_finders(self) -> list[MetaPathFinderProtocol]:
        inside = f"{self.name}."
        return [f for f in sys.meta_path if getattr(f, "__module__", "").startswith(inside)]

    def _finder(self, folder: str) -> FileFinder:
        finder = self._finders.get(folder)
        if finder is None:
            finder = self._finders[folder] = directory_finder(folder, self.builtins)
        return finder

    def _decide(self, top: str) -> bool:
        # The interpreter's own modules come before any folder, here as everywhere in Python.
        if top == "__main__" or BuiltinImporter.find_spec(top) or FrozenImporter.find_spec(top):
            return False
        spec = self.find(f"{self.name}.{top}", [self.folder])
        if spec is None:
            return False
        if spec.loader is not None:
            return True
        # A folder without __init__.py gives way to a real module of that name, as in Python.
        shared = _shared_spec(top)
        return shared is None or shared.origin is None


class _PrivateFinder(MetaPathFinder):
    """Finds the modules of all open namespaces; knows nothing else."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,  # noqa: ARG002 - the protocol's signature
    ) -> ModuleSpec | None:
        """Find a private module, or say that there is none so that no other finder looks."""
        namespace = _open.get(".".join(fullname.split(".", 2)[:2]))
        if namespace is None:
            return None
        folders = path or ()
        spec = namespace.find(fullname, folders) or namespace.find_generated(fullname, folders)
        if spec is None:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
        return spec

    def invalidate_caches(self) -> None:
        """Look at all folders afresh."""
        for namespace in list(_open.values()):
            namespace.forget()


_finder: Final = _PrivateFinder()


def _package(name: str, path: list[str]) -> ModuleType:
    package = ModuleType(name)
    package.__spec__ = ModuleSpec(name, None, is_package=True)
    package.__spec__.submodule_search_locations = path
    package.__package__ = name
    package.__path__ = path
    return package


def _shared_spec(top: str) -> ModuleSpec | None:
    try:
        return importlib.util.find_spec(top)
    except ValueError:
        # Imported, but made by hand and without a spec of its own: it is there all the same.
        return ModuleSpec(top, None, origin="sys.modules")


def _shared_portions(top: str) -> list[str]:
    """The installed parts of a namespace package of which a version brings another part."""
    shared = None if "." in top else _shared_spec(top)
    if shared is None or shared.origin is not None:
        return []
    return list(shared.submodule_search_locations or ())
