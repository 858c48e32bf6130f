"""What can be wrong, said once: a problem names the thing, the value and what is allowed.

Whoever checks user input collects `Problem`s and raises them together as one `Refused`; whoever
answers a request raises a `RoutingError`. Edges translate: the configuration maps `Problem.at` to
a line and a column, the control plane to a JSON pointer, the data plane a status to HTTP.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import ClassVar, NoReturn

Place = tuple[str | int, ...]
"""Where inside the checked value a problem sits: keys and list indices from the outside in."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in what a user asked for.

    Attributes:
        code: Stable name of the kind of mistake, `kebab-case`.
        message: A sentence that names the thing, the value and what is allowed.
        at: Where in the checked value the mistake sits.
        hint: What to do about it, or the nearest valid name; empty when there is nothing to add.
        on_key: Whether the key at that place is the mistake, and not the value behind it.
    """

    code: str
    message: str
    at: Place = ()
    hint: str = ""
    on_key: bool = False

    def under(self, *outer: str | int) -> Problem:
        """The same problem, seen from further out."""
        return replace(self, at=(*outer, *self.at))


class GatewayError(Exception):
    """Base of every error the gateway raises on purpose."""


class Refused(GatewayError):
    """A change or a value that breaks the rules; nothing was altered.

    Attributes:
        problems: Every mistake found, in the order of the input; never empty.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(problem.message for problem in self.problems))

    @property
    def code(self) -> str:
        """The code of the first problem."""
        return self.problems[0].code


def refuse(code: str, message: str, hint: str = "") -> NoReturn:
    """Refuse a change for one reason.

    Raises:
        Refused: Always.
    """
    raise Refused([Problem(code, message, hint=hint)])


class RoutingError(GatewayError):
    """A request that no version can answer.

    Attributes:
        code: Stable name of the kind of error.
        status: A hint of the HTTP status, where the cloud documents one.
    """

    code: ClassVar[str]
    status: ClassVar[int]


class StageNotFound(RoutingError):
    """The address names a stage that the service was never released to."""

    code = "stage-not-found"
    status = 404

    def __init__(self, stage: str, known: Iterable[str]) -> None:
        self.stage = stage
        self.known = tuple(known)
        super().__init__(f"no stage {stage!r}; known stages: {listed(self.known)}")


class ApiNotFound(RoutingError):
    """No released API has a path that fits the request's."""

    code = "api-not-found"
    status = 404

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(f"no api matches the path {path!r}")


class MethodNotSupported(RoutingError):
    """An API has the path, but none the method."""

    code = "method-not-supported"
    status = 404

    def __init__(self, method: str, path: str) -> None:
        self.method = method
        self.path = path
        super().__init__(f"the path {path!r} has no api for the method {method}")


class QualifierNotFound(RoutingError):
    """A qualifier is neither a published version, nor `$LATEST`, nor an alias (cloud code 442)."""

    code = "qualifier-not-found"
    status = 442

    def __init__(self, function: str, qualifier: str) -> None:
        self.function = function
        self.qualifier = qualifier
        super().__init__(f"function {function!r} has no version and no alias {qualifier!r}")


class FunctionNotFound(RoutingError):
    """An API names a function that does not exist (cloud code 435)."""

    code = "function-not-found"
    status = 435

    def __init__(self, function: str) -> None:
        self.function = function
        super().__init__(f"no function {function!r}")


def listed(names: Iterable[str]) -> str:
    """Names as people read them: `a, b, c`, or `none`."""
    return ", ".join(names) or "none"


def nearest(name: str, allowed: Iterable[str]) -> str:
    """A hint with the valid name that looks most like `name`, or an empty text."""
    close = get_close_matches(name, list(allowed), n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else ""
