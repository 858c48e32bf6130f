"""One call of an action: who asks whom for what, and what actions look up first."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from gateway.controlplane.changing import Ask, Done
from gateway.controlplane.cloud import limits
from gateway.controlplane.cloud.errors import NO_ALIAS, NO_FUNCTION, NO_NAMESPACE, NO_VERSION, fail
from gateway.controlplane.cloud.reading import NAMESPACE, Request
from gateway.controlplane.cloud.times import Times
from gateway.controlplane.service import Control
from gateway.core import names
from gateway.core.alias import Alias
from gateway.core.errors import listed, nearest
from gateway.core.functions import FunctionVersion
from gateway.core.snapshot import Function, Snapshot
from gateway.store.protocol import Author

T = TypeVar("T")
M = TypeVar("M", bound=Request)

Fields = dict[str, Any]
"""What an action answers beside the request's id."""

NOTHING: Final[Fields] = {}


@dataclass(frozen=True, slots=True)
class Caller:
    """What a request says beside its action.

    Attributes:
        author: Who asks.
        region: Where the client believes to be.
        version: The version of the API that it speaks.
        address: The control plane's own address, as the client reaches it.
    """

    author: Author
    region: str
    version: str
    address: str


@dataclass(frozen=True, slots=True)
class Asked:
    """One call of an action.

    Attributes:
        control: Who is asked.
        request: The parameters.
        caller: Who asks.
        times: When parts were made and altered.
        clock: Seconds since 1970.
        new_id: Makes ids that nobody can guess.
    """

    control: Control
    request: Request
    caller: Caller
    times: Times
    clock: Callable[[], float]
    new_id: Callable[[], str]

    @property
    def author(self) -> Author:
        """Who asks, for the journal."""
        return self.caller.author

    @property
    def snapshot(self) -> Snapshot:
        """The live snapshot."""
        return self.control.live.snapshot

    def given(self, model: type[M]) -> M:
        """The parameters as this action's."""
        assert isinstance(self.request, model)  # noqa: S101 - the table pairs them
        return self.request

    async def change(self, ask: Ask) -> Done:
        """Make a change."""
        return await self.control.change(ask, self.author)

    async def told_times(self) -> Times:
        """The times, up to what is live."""
        await self.times.up_to(self.snapshot.revision)
        return self.times


Run = Callable[[Asked], Awaitable[Fields]]
"""Does what an action is for."""


@dataclass(frozen=True, slots=True)
class Action:
    """One action.

    Attributes:
        request: What it takes.
        run: What it does.
    """

    request: type[Request]
    run: Run


def check_namespace(name: str) -> None:
    """Refuse a namespace that is not there: there is one.

    Raises:
        CloudError: It is another one.
    """
    if name != NAMESPACE:
        fail(NO_NAMESPACE, f"there is no namespace {name!r:.80}; there is {NAMESPACE}")


def function_named(snapshot: Snapshot, name: str) -> Function:
    """A function that exists.

    Raises:
        CloudError: There is none.
    """
    function = snapshot.functions.get(name)
    if function is None:
        known = list(snapshot.functions)
        fail(NO_FUNCTION, _missing(f"there is no function {name!r:.80}", name, known))
    return function


def version_named(function: Function, number: str) -> FunctionVersion:
    """A version that exists.

    Raises:
        CloudError: There is none.
    """
    version = function.versions.get(number)
    if version is None:
        known = sorted(function.versions, key=names.version_order)
        message = f"function {function.name!r} has no version {number!r:.80}"
        fail(NO_VERSION, _missing(message, number, known))
    return version


def alias_named(function: Function, name: str) -> Alias:
    """An alias that exists.

    Raises:
        CloudError: There is none.
    """
    alias = function.aliases.get(name)
    if alias is None:
        message = f"function {function.name!r} has no alias {name!r:.80}"
        fail(NO_ALIAS, _missing(message, name, list(function.aliases)))
    return alias


def page(items: Sequence[T], offset: int, limit: int) -> Sequence[T]:
    """A part of a list.

    Raises:
        CloudError: The numbers are below 0.
    """
    limits.OFFSET.check(offset)
    limits.PAGE.check(limit)
    return items[offset : offset + limit]


def ordered(items: Sequence[T], key: Callable[[T], Any] | None, order: str) -> list[T]:
    """A list in the order that the client asks for.

    Raises:
        CloudError: There is no such order.
    """
    limits.ORDER.check(order)
    found = list(items) if key is None else sorted(items, key=key)
    return found[::-1] if order == "DESC" else found


def published(done: Done) -> str:
    """The number of the version that a change brought."""
    parts = (each.path for each in done.differences if each.before is None)
    return next(path[-1] for path in parts if path[-2:-1] == ("versions",))


def _missing(message: str, name: str, known: Sequence[str]) -> str:
    hint = nearest(name, known)
    return f"{message}; there is {listed(known)}" + (f"; {hint}" if hint else "")
