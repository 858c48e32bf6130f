"""Function URLs: `{function}--{qualifier}.fn.localhost` reaches a function without any API.

Host names have no case, functions and aliases do: a label that fits exactly one function and
qualifier reaches it, one that fits several is refused. To everything behind, a function URL looks
like a stage with a single API that answers every method and path.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gateway.core import names
from gateway.core.entries import Target
from gateway.core.errors import FunctionNotFound, QualifierNotFound
from gateway.core.routes import parse_path
from gateway.core.snapshot import Api, Function, FunctionBackend, Snapshot, Stage
from gateway.dataplane.texts import AmbiguousHost

STAGE: Final = "fn"
"""What answers of function URLs are counted under; no stage can have this name."""

_SEPARATOR: Final = "--"
_LATEST: Final = "latest"
"""`$LATEST` as hosts spell it; an alias of this name goes before."""

_PATH: Final = parse_path("/")


class FunctionUrls:
    """The function URLs of one snapshot.

    Args:
        snapshot: The frozen state.
    """

    __slots__ = ("_folded", "_snapshot", "_stages")

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._folded: dict[str, list[Function]] = {}
        self._stages: dict[str, Stage] = {}
        for function in snapshot.functions.values():
            self._folded.setdefault(function.name.lower(), []).append(function)

    def stage(self, label: str) -> Stage:
        """What stands for the stage of a function URL; the same object for the same label.

        Args:
            label: `{function}--{qualifier}`, or `{function}` for `$DEFAULT`.

        Raises:
            FunctionNotFound: No function has this name.
            QualifierNotFound: It has no such version and no such alias.
            AmbiguousHost: Several functions or aliases differ from it in case only.
        """
        folded = label.lower()
        known = self._stages.get(folded)
        if known is None:
            known = self._stages[folded] = _stage(self._target(folded))
        return known

    def _target(self, label: str) -> Target:
        found = list(self._fitting(label))
        if len(found) > 1:
            raise AmbiguousHost(label, [f"{function}@{qualifier}" for function, qualifier in found])
        if found:
            return found[0]
        for name, qualifier in reversed(list(_readings(label))):
            if name in self._folded:
                raise QualifierNotFound(self._folded[name][0].name, qualifier)
        raise FunctionNotFound(label.partition(_SEPARATOR)[0])

    def _fitting(self, label: str) -> Iterator[Target]:
        """Every function and qualifier that the label may mean: names, too, may hold `--`."""
        for name, qualifier in _readings(label):
            for function in self._folded.get(name, ()):
                for fits in _qualifiers(function, qualifier):
                    yield Target(function.name, fits)


def _readings(label: str) -> Iterator[tuple[str, str]]:
    """Every way to read a label as a function and a qualifier, shorter functions first."""
    at = label.find(_SEPARATOR)
    while at >= 0:
        yield label[:at], label[at + len(_SEPARATOR) :]
        at = label.find(_SEPARATOR, at + 1)
    yield label, names.DEFAULT.lower()


def _qualifiers(function: Function, folded: str) -> list[str]:
    found = [name for name in (*function.aliases, *function.versions) if name.lower() == folded]
    return found or ([names.LATEST] if folded == _LATEST else [])


def _stage(target: Target) -> Stage:
    backend = FunctionBackend(target.function, target.qualifier)
    return Stage(STAGE, (Api(f"{target.function}@{target.qualifier}", "ANY", _PATH, backend),))
