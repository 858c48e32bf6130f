"""What a URL names must exist: 404 with the nearest valid name, before anything is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gateway.controlplane.problems import Rejected, rejected
from gateway.core import names
from gateway.core.alias import Alias
from gateway.core.errors import Problem, listed, nearest
from gateway.core.functions import FunctionVersion
from gateway.core.snapshot import Function, Service, Snapshot, Stage


def function_named(snapshot: Snapshot, name: str) -> Function:
    """The function of that name.

    Raises:
        Rejected: There is none.
    """
    found = snapshot.functions.get(name)
    if found is None:
        raise _unknown("function", f"no function {name!r}; there is", name, snapshot.functions)
    return found


def alias_named(function: Function, name: str) -> Alias:
    """The function's alias of that name.

    Raises:
        Rejected: There is none.
    """
    found = function.aliases.get(name)
    if found is None:
        message = f"function {function.name!r} has no alias {name!r}; it has"
        raise _unknown("alias", message, name, function.aliases)
    return found


def version_named(function: Function, number: str) -> FunctionVersion:
    """The function's version of that number, `$LATEST` included.

    Raises:
        Rejected: There is none.
    """
    found = function.versions.get(number)
    if found is None:
        message = f"function {function.name!r} has no version {number!r}; it has"
        known = sorted(function.versions, key=names.version_order)
        raise _unknown("version", message, number, known)
    return found


def stage_named(snapshot: Snapshot, name: str) -> tuple[Service, Stage]:
    """The default service and its stage of that name, by any name that reaches it.

    Raises:
        Rejected: The service was not released to it.
    """
    service = snapshot.default_service
    found = service.stages.get(names.stage_name(name)) if service else None
    if service is None or found is None:
        known = service.stages if service else ()
        raise _unknown(
            "stage", f"nothing is released to the stage {name!r}; released:", name, known
        )
    return service, found


def check_named(snapshot: Snapshot, named: Mapping[str, str], creates: str) -> None:
    """Everything that a URL names exists, but for what the operation creates.

    Args:
        snapshot: The state.
        named: The names in the URL: `f`, `a`, `v`, `s`.
        creates: Which of them may be new.

    Raises:
        Rejected: Something does not exist.
    """
    if "f" in named and creates != "f":
        function = function_named(snapshot, named["f"])
        if "a" in named and creates != "a":
            alias_named(function, named["a"])
        if "v" in named:
            version_named(function, named["v"])
    if "s" in named and creates != "s":
        stage_named(snapshot, named["s"])
    elif "s" in named and names.stage_name(named["s"]) not in names.STAGES:
        message = f"no stage {named['s']!r}; allowed:"
        raise _unknown("stage", message, named["s"], names.STAGES)


def not_found(path: str) -> Rejected:
    """Nothing has this path."""
    return rejected(404, "not-found", f"nothing has the path {path!r}")


def _unknown(kind: str, message: str, name: str, known: Iterable[str]) -> Rejected:
    every = list(known)
    code = f"unknown-{kind}"
    return Rejected(
        404, code, [Problem(code, f"{message} {listed(every)}", hint=nearest(name, every))]
    )
