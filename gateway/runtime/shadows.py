"""The few shared modules that take module names as text know, for a version, its own modules.

`importlib.import_module("helper")` means the version's `helper`, and so on for specs, resources
and the metadata of packages that a version brings with it. Everything else in these modules, and
every other shared module, is the same object for everybody.
"""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from importlib.machinery import ModuleSpec
    from importlib.metadata import Distribution

    from gateway.runtime.namespace import Namespace

_ANCHORED: Final = (
    "files", "open_binary", "open_text", "read_binary", "read_text",
    "is_resource", "contents", "path",
)  # fmt: skip


def speak_plainly(error: ModuleNotFoundError, prefix: str) -> None:
    """Take the private prefix out of an error before user code sees it."""
    if error.name is not None and error.name.startswith(prefix):
        error.name = error.name.removeprefix(prefix)
        error.msg = str(error).replace(prefix, "")
        error.args = (error.msg,)


class _Shadow(ModuleType):
    """A shared module as one version sees it: a few functions know the version's own modules."""

    def __init__(self, shared: ModuleType, replaced: Mapping[str, object]) -> None:
        super().__init__(shared.__name__, shared.__doc__)
        special = {key: value for key, value in vars(shared).items() if key.startswith("__")}
        self.__dict__.update({**special, **replaced, "_shared": shared})

    def __getattr__(self, name: str) -> object:
        return getattr(self.__dict__["_shared"], name)


class Shadows:
    """The shared modules that take module names as text, as one version sees them."""

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        self._made: dict[str, ModuleType] = {}
        self._makers: dict[str, Callable[[ModuleType], ModuleType]] = {
            "importlib": self._importlib,
            "importlib.util": self._util,
            "importlib.resources": self._resources,
            "importlib.metadata": self._metadata,
        }

    def instead_of(self, name: str, shared: ModuleType) -> ModuleType:
        """The version's view of the module `name`: nearly always the shared module itself."""
        maker = self._makers.get(name)
        if maker is None:
            return shared
        made = self._made.get(name)
        if made is None:
            made = self._made.setdefault(name, maker(shared))
        return made

    def _importlib(self, shared: ModuleType) -> ModuleType:
        return _Importlib(shared, {"import_module": self._import_module}, self)

    def _util(self, shared: ModuleType) -> ModuleType:
        return _Shadow(shared, {"find_spec": self._find_spec})

    def _resources(self, shared: ModuleType) -> ModuleType:
        present = [name for name in _ANCHORED if hasattr(shared, name)]
        return _Shadow(shared, {name: self._anchored(getattr(shared, name)) for name in present})

    def _metadata(self, shared: ModuleType) -> ModuleType:
        replaced: dict[str, object] = {
            "distribution": self._distribution,
            "version": lambda name: self._distribution(name).version,
            "metadata": lambda name: self._distribution(name).metadata,
            "requires": lambda name: self._distribution(name).requires,
            "files": lambda name: self._distribution(name).files,
        }
        return _Shadow(shared, replaced)

    def _distribution(self, name: str) -> Distribution:
        from importlib.metadata import Distribution, distribution  # rarely needed, slow to import

        plain = name.removeprefix(f"{self._namespace.name}.")
        own = Distribution.discover(name=plain, path=[self._namespace.folder])
        return next(iter(own), None) or distribution(plain)

    def _import_module(self, name: str, package: str | None = None) -> ModuleType:
        try:
            return importlib.import_module(
                self._private(name), self._private(package or "") or None
            )
        except ModuleNotFoundError as error:
            speak_plainly(error, f"{self._namespace.name}.")
            raise

    def _find_spec(self, name: str, package: str | None = None) -> ModuleSpec | None:
        wanted = self._private(name)
        try:
            return importlib.util.find_spec(wanted, self._private(package or "") or None)
        except ModuleNotFoundError as error:
            # Our finder raises so that no other one looks; here that only means "not there".
            if error.name == wanted and wanted != name:
                return None
            speak_plainly(error, f"{self._namespace.name}.")
            raise

    def _anchored(self, function: Callable[..., object]) -> Callable[..., object]:
        def with_private_anchor(anchor: object = None, *rest: object, **named: object) -> object:
            anchor = self._private(anchor) if isinstance(anchor, str) else anchor
            return function(anchor, *rest, **named)

        return with_private_anchor

    def _private(self, name: str) -> str:
        return self._namespace.private(name) if name and name[0] != "." else name


class _Importlib(_Shadow):
    """`importlib` itself: its submodules are shadowed as well."""

    def __init__(
        self, shared: ModuleType, replaced: Mapping[str, object], shadows: Shadows
    ) -> None:
        super().__init__(shared, {**replaced, "_shadows": shadows})

    def __getattr__(self, name: str) -> object:
        found = super().__getattr__(name)
        if isinstance(found, ModuleType):
            return self.__dict__["_shadows"].instead_of(f"importlib.{name}", found)
        return found
