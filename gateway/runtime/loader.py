"""A version's folder and handler string become a callable, or an error that says why not.

A failed load leaves nothing behind; a loaded version can be unloaded without touching any other.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import os.path
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from gateway.core.errors import listed, nearest
from gateway.runtime.errors import CodeNotFound, HandlerNotFound, LoadError, UserCodeError
from gateway.runtime.imports import private_builtins
from gateway.runtime.namespace import Namespace
from gateway.runtime.output import Said, speaker, text_of
from gateway.runtime.stack import error_name, error_text, user_stack

if TYPE_CHECKING:
    from types import ModuleType

    from gateway.core.functions import FunctionVersion
    from gateway.runtime.context import Context

Handler = Callable[[object, "Context"], object]


class LoadedVersion:
    """The code of one version, ready to be called.

    Attributes:
        version: What was loaded.
        handler: The callable, `handler(event, context)`.
        is_async: Whether the handler returns a coroutine.
        output: What the code said while it was imported.
    """

    __slots__ = ("_namespace", "handler", "is_async", "output", "version")

    def __init__(
        self, version: FunctionVersion, namespace: Namespace, handler: Handler, output: str = ""
    ) -> None:
        self.version = version
        self.handler = handler
        self.is_async = returns_coroutine(handler)
        self.output = output
        self._namespace = namespace

    @property
    def package(self) -> str:
        """The private package under which the version's modules are registered."""
        return self._namespace.name

    def stack(self, error: BaseException) -> str:
        """The traceback of what the handler raised, trimmed to its author's frames."""
        return user_stack(error, self._namespace.folder, f"{self.package}.")

    def unload(self) -> None:
        """Remove the version's modules; nothing may call the handler any more."""
        self._namespace.close()
        self.handler = _unloaded


def load(version: FunctionVersion, folder: str | None = None) -> LoadedVersion:
    """Load a version beside all others; safe to call from any thread.

    Args:
        version: Whose code; what is loaded knows it.
        folder: Where the code is; `None` when the version's `code` is the folder itself.

    Raises:
        CodeNotFound: The version's folder does not exist.
        HandlerNotFound: The handler string is malformed, or names nothing that can be called.
        UserCodeError: Importing the handler's file raised.
    """
    # As text, not as a path: it is compared with the file names of frames.
    folder = os.path.abspath(version.code if folder is None else folder)  # noqa: PTH100
    if not os.path.isdir(folder):  # noqa: PTH112
        raise CodeNotFound(version, f"there is no folder {folder}")
    module_name, function_name = _handler_parts(version)
    namespace = Namespace(f"{version.function}__{version.number}", folder)
    namespace.builtins.update(private_builtins(namespace))
    namespace.open()
    said: Said = []
    token = speaker.set(said)
    try:
        module = _import(version, namespace, module_name)
        handler = _pick(version, module, function_name)
    except BaseException as error:
        namespace.close()
        if isinstance(error, LoadError):
            error.output = text_of(said)
        raise
    finally:
        speaker.reset(token)
    return LoadedVersion(version, namespace, handler, text_of(said))


def returns_coroutine(handler: object) -> bool:
    """Whether calling `handler` gives a coroutine: functions, partials, objects with `__call__`."""
    while isinstance(handler, functools.partial):
        handler = handler.func
    if inspect.iscoroutinefunction(handler):
        return True
    # A call looks on the type, not on the object; calling a class makes an instance.
    called = inspect.getattr_static(type(handler), "__call__", None)
    return not isinstance(handler, type) and inspect.iscoroutinefunction(called)


def _handler_parts(version: FunctionVersion) -> tuple[str, str]:
    file, _, function = version.configuration.handler.rpartition(".")
    module = file.replace("/", ".")
    if not function.isidentifier() or not all(module.split(".")) or "\\" in module:
        sentence = (
            f"the handler {version.configuration.handler!r} is not of the form 'file.function',"
            " such as 'index.main_handler'"
        )
        raise HandlerNotFound(version, sentence)
    return module, function


def _import(version: FunctionVersion, namespace: Namespace, module: str) -> ModuleType:
    private = f"{namespace.name}.{module}"
    try:
        return importlib.import_module(private)
    except KeyboardInterrupt:
        raise
    except ModuleNotFoundError as error:
        missing = error.name or ""
        # Names of this form are only seen here: for user code they are spelled without prefix.
        absent = missing.startswith(f"{namespace.name}.") and f"{private}.".startswith(
            f"{missing}."
        )
        failure = (
            _no_file(version, namespace, module) if absent else _broken(version, namespace, error)
        )
    except BaseException as error:  # noqa: BLE001 - even SystemExit: user code must not stop us
        failure = _broken(version, namespace, error)
    # Raised out here so that the failure does not keep the frames of the dead module alive.
    raise failure


def _broken(version: FunctionVersion, namespace: Namespace, error: BaseException) -> LoadError:
    prefix = f"{namespace.name}."
    said = error_text(error).replace(prefix, "")
    return UserCodeError(
        version, (error_name(error), said), user_stack(error, namespace.folder, prefix)
    )


def _no_file(version: FunctionVersion, namespace: Namespace, module: str) -> LoadError:
    path = f"{module.replace('.', '/')}.py"
    present = sorted(name for name in os.listdir(namespace.folder) if name.endswith(".py"))  # noqa: PTH208
    sentence = f"there is no file {path!r} in {namespace.folder}; files: {listed(present)}"
    return HandlerNotFound(version, _with_hint(sentence, nearest(path, present)))


def _pick(version: FunctionVersion, module: ModuleType, name: str) -> Handler:
    handler = getattr(module, name, None)
    if callable(handler):
        return cast("Handler", handler)
    functions = [
        key
        for key, value in vars(module).items()
        if callable(value) and not key.startswith("_") and _defined_in(value, module)
    ]
    lack = "is not callable" if hasattr(module, name) else "does not exist"
    file = os.path.basename(module.__file__ or module.__name__)  # noqa: PTH119
    sentence = f"{name!r} {lack} in {file!r}; functions: {listed(functions)}"
    return _refuse(version, _with_hint(sentence, nearest(name, functions)))


def _refuse(version: FunctionVersion, sentence: str) -> Handler:
    raise HandlerNotFound(version, sentence)


def _defined_in(value: object, module: ModuleType) -> bool:
    return getattr(value, "__module__", None) == module.__name__


def _with_hint(sentence: str, hint: str) -> str:
    return f"{sentence} - {hint}" if hint else sentence


def _unloaded(_event: object, _context: Context) -> object:
    raise RuntimeError("this version has been unloaded")
