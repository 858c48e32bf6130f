"""Functions merged: `$LATEST` by fields, an alias or fault as a whole, published versions never."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import Final, cast

from gateway.config.threeway import Ledger, Sides, T
from gateway.core import names
from gateway.core.alias import Alias, Route
from gateway.core.breaker import Breaker
from gateway.core.changes import (
    Change,
    DeleteAlias,
    DeleteFunction,
    Publish,
    PutAlias,
    PutBreaker,
    PutFault,
    PutFunction,
)
from gateway.core.entries import Target
from gateway.core.errors import Problem
from gateway.core.faults import Fault
from gateway.core.functions import Configuration, FunctionVersion
from gateway.core.plain import alias_plain, function_plain, version_plain
from gateway.core.snapshot import Function

_FIELDS: Final = ("type", "handler", "timeout", "memory", "concurrency", "isolation")


def merge_function(
    ledger: Ledger, name: str, sides: Sides[Function], needed: Collection[Target]
) -> Iterator[Change]:
    """The changes that bring one function to its merged state.

    Args:
        ledger: Takes what is kept and what is wrong.
        name: The function's name.
        sides: The function on its three sides.
        needed: What the file's released APIs name: it comes back even if it was deleted live.
    """
    last, declared, live = sides.last, sides.declared, sides.live
    if declared is None:
        if last is not None and live is not None:
            yield DeleteFunction(name)
    elif live is None:
        if last == declared and all(target.function != name for target in needed):
            ledger.keep(("functions", name), function_plain(declared), None)
            return
        latest = declared.versions[names.LATEST]
        yield _put(latest)
        made = Function(name, {names.LATEST: latest}, {names.DEFAULT: _implied(name)})
        yield from _Merging(ledger, needed, None, declared, made).changes()
    else:
        yield from _Merging(ledger, needed, last, declared, live).changes()


def _put(latest: FunctionVersion) -> PutFunction:
    return PutFunction(latest.function, latest.code, latest.configuration, latest.description)


def _implied(function: str) -> Alias:
    """The alias that every function has."""
    return Alias(function, names.DEFAULT, Route(names.LATEST))


@dataclass(frozen=True, slots=True)
class _Merging:
    """A function that both the file and the live state have."""

    ledger: Ledger
    needed: Collection[Target]
    last: Function | None
    declared: Function
    live: Function

    def changes(self) -> Iterator[Change]:
        yield from self._latest()
        yield from self._versions()
        yield from self._faults()
        yield from self._breaker()
        yield from self._aliases()

    @property
    def _path(self) -> tuple[str, str]:
        return ("functions", self.live.name)

    def _sides(self, read: Callable[[Function], T]) -> Sides[T]:
        last = None if self.last is None else read(self.last)
        return Sides(last, read(self.declared), read(self.live))

    def _latest(self) -> Iterator[Change]:
        at = (*self._path, "versions", names.LATEST)
        sides = self._sides(lambda function: function.versions[names.LATEST])

        def settled(name: str, read: Callable[[FunctionVersion], T]) -> T:
            value = self.ledger.settle((*at, name), sides.part(read))
            return cast("T", value)  # the file and the live state both have it

        environment = sides.part(lambda version: version.configuration.environment)
        merged = FunctionVersion(
            self.live.name,
            names.LATEST,
            settled("code", lambda version: version.code),
            Configuration(
                **{name: settled(name, attrgetter(f"configuration.{name}")) for name in _FIELDS},
                environment=self.ledger.table((*at, "environment"), environment),
            ),
            settled("description", lambda version: version.description),
        )
        if merged != self.live.versions[names.LATEST]:
            yield _put(merged)

    def _versions(self) -> Iterator[Change]:
        known = self.last.versions if self.last else {}
        for number in sorted(self.declared.versions.keys() - {names.LATEST}, key=int):
            declared, live = self.declared.versions[number], self.live.versions.get(number)
            path = (*self._path, "versions", number)
            last = known.get(number)
            if live is not None:
                self._compare(path, Sides(last, declared, live))
            elif int(number) > self.live.last:
                yield Publish(
                    self.live.name,
                    declared.code,
                    number,
                    declared.description,
                    declared.configuration,
                )
            elif last is not None:
                self.ledger.keep(path, version_plain(declared), None)
            else:
                self._refuse_number(number)

    def _compare(self, path: tuple[str, ...], sides: Sides[FunctionVersion]) -> None:
        """A version that is live under the number of a folder: it must be the same code."""
        codes = sides.part(lambda version: version.code)
        if codes.live == codes.declared:
            return
        if codes.last == codes.declared:
            self.ledger.keep((*path, "code"), codes.declared, codes.live)
            return
        function, number = self.live.name, path[-1]
        message = (
            f"version {number!r} of function {function!r} is published and never changes, "
            f"but the folder v{number} of its source was edited"
        )
        hint = (
            "put the edit into latest/ and publish, or restore the folder: "
            f"`gateway code get {function} --version {number}`"
        )
        self._refuse(Problem("edited-version", message, hint=hint))

    def _refuse_number(self, number: str) -> None:
        self.ledger.unpublished.add(Target(self.live.name, number))
        used = self.live.last
        free = max(used, self.declared.last) + 1
        message = (
            f"the folder v{number} of function {self.live.name!r} cannot be published: "
            f"it has used the numbers up to {used}, and they are never used twice"
        )
        hint = f"the next free number is {free}: call the folder 'v{free}'"
        self._refuse(Problem("bad-version", message, hint=hint))

    def _refuse(self, problem: Problem) -> None:
        self.ledger.problems.append(problem.under(*self._path, "source"))

    def _faults(self) -> Iterator[Change]:
        last = self.last.faults if self.last else {}
        declared, live = self.declared.faults, self.live.faults
        for number in dict.fromkeys((*live, *declared, *last)):
            one = Sides(last.get(number), declared.get(number), live.get(number))
            wanted = self.ledger.settle((*self._path, "faults", number), one, Fault.to_dict)
            if wanted != one.live:
                yield PutFault(self.live.name, number, wanted)

    def _breaker(self) -> Iterator[Change]:
        last = self.last.breaker if self.last else None
        one = Sides(last, self.declared.breaker, self.live.breaker)
        wanted = self.ledger.settle((*self._path, "breaker"), one, Breaker.to_dict)
        if wanted != one.live:
            yield PutBreaker(self.live.name, wanted)

    def _aliases(self) -> Iterator[Change]:
        name, live = self.live.name, self.live.aliases
        declared = {names.DEFAULT: _implied(name), **self.declared.aliases}
        last = dict(self.last.aliases) if self.last else {}
        if self.last is not None or names.DEFAULT not in self.declared.aliases:
            last.setdefault(names.DEFAULT, _implied(name))
        for alias in dict.fromkeys((*live, *declared, *last)):
            one = Sides(last.get(alias), declared.get(alias), live.get(alias))
            wanted = one.declared
            if one.live is not None or Target(name, alias) not in self.needed:
                wanted = self.ledger.settle((*self._path, "aliases", alias), one, alias_plain)
            if wanted is None and one.live is not None:
                yield DeleteAlias(name, alias)
            elif wanted is not None and wanted != one.live:
                yield PutAlias(name, alias, wanted.route, wanted.description)
