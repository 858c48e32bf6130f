"""What `import` means inside a version: its own files first, then what everybody shares.

`import helper` finds the `helper` of the version that says it, at load time or years later inside
a function, in any thread: the meaning travels with the code, in the `__builtins__` of its modules.
Code that is shared (installed packages) never sees a version's modules by their short names.

What cannot be kept apart in one process: compiled code that imports its own package by name, and
code that looks for itself in `sys.modules` under a name written by hand. Packages like that
(numpy is one) belong into the environment of the gateway, where all versions share them.
"""

from __future__ import annotations

import builtins
import sys
from typing import TYPE_CHECKING

from gateway.runtime.shadows import Shadows, speak_plainly

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import ModuleType

    from gateway.runtime.namespace import Namespace


def private_builtins(namespace: Namespace) -> dict[str, object]:
    """The built-in names for one version's modules: Python's, with the version's own `import`."""
    return {**vars(builtins), "__import__": _importer(namespace)}


def _importer(namespace: Namespace) -> Callable[..., ModuleType]:
    shadows = Shadows(namespace)

    def private_import(
        name: str,
        globals: Mapping[str, object] | None = None,  # noqa: A002 - called by keyword, too
        locals: Mapping[str, object] | None = None,  # noqa: A002
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        top = name.partition(".")[0]
        if level:
            _stay_inside(namespace, globals, level)
        elif not namespace.owns(top):
            found = builtins.__import__(name, globals, locals, fromlist or (), 0)
            return shadows.instead_of(name if fromlist else top, found)
        else:
            name = f"{namespace.name}.{name}"
        try:
            found = builtins.__import__(name, globals, locals, fromlist or (), level)
        except ModuleNotFoundError as error:
            speak_plainly(error, f"{namespace.name}.")
            raise
        # `import a.b` binds `a`, and ours is not the outermost package of the private name.
        return found if fromlist or level else sys.modules[f"{namespace.name}.{top}"]

    return private_import


def _stay_inside(namespace: Namespace, variables: Mapping[str, object] | None, level: int) -> None:
    """Refuse a relative import that would leave the version, with Python's own words.

    A version's folder is where its top-level modules live, not a package: the cloud would refuse
    `from . import helper` in `index.py`, so it is refused here as well.
    """
    package = str((variables or {}).get("__package__") or "")
    if package in {"", namespace.name}:
        raise ImportError("attempted relative import with no known parent package")
    if package.count(".") - level < namespace.name.count("."):
        raise ImportError("attempted relative import beyond top-level package")
