"""Rules by user: `key method expression`, compiled once, a dictionary look-up per request.

`exact` and `range` over `invoke.headers.X` are the cloud's (traffic routing, page 583/35952);
the other methods and keys are extensions. Plain JSON paths become look-ups, all others are
jsonpath-ng's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from gateway.core.errors import Problem, Refused, listed, nearest
from gateway.core.methods import METHODS, Test

MAX_EXPRESSION: Final = 1024
"""Longest expression of a rule, in characters; also the longest key."""

_MAX_RULE: Final = 2 * MAX_EXPRESSION + 64

_PLAIN_PATH = re.compile(r"\$(?:\.[A-Za-z_][A-Za-z0-9_-]*|\[[0-9]+\])+")
_PLAIN_STEP = re.compile(r"\.([A-Za-z_][A-Za-z0-9_-]*)|\[([0-9]+)\]")
_UNBOUNDED = re.compile(r"=~|`\s*sub\s*\(")  # backtracking: a request could hang the gateway
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class RequestView(Protocol):
    """What a rule may read of a request; a value that is missing is `None`."""

    def header(self, name: str, folded: str) -> str | None:
        """A routing key by its name as written, or by its lower-cased name where case is folded."""

    def query(self, name: str) -> str | None:
        """The value of a query parameter; the last one where it is repeated."""

    def path_parameter(self, name: str) -> str | None:
        """The value of a `{parameter}` of the API's path."""

    def cookie(self, name: str) -> str | None:
        """The value of a cookie."""

    def json(self) -> object:
        """The body as JSON, or `None` where it is none."""


Getter = Callable[[RequestView], Iterable[str]]


@dataclass(frozen=True, slots=True)
class Key:
    """Where a rule or a sticky split finds its value.

    Attributes:
        text: As written, `invoke.headers.User`.
        first: The value, or `None`; the first one where a JSON path finds several.
        all: Every value that the key finds; empty where there is none.
    """

    text: str
    first: Callable[[RequestView], str | None]
    all: Getter


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of an alias: requests that hit go to its version.

    Attributes:
        when: The condition as written, `invoke.headers.User exact Bob`.
        version: Where a hit goes.
        key: The compiled key.
        hits: Whether a request fulfils the condition.
    """

    when: str
    version: str
    key: Key
    hits: Callable[[RequestView], bool]

    def __eq__(self, other: object) -> bool:
        """Rules are what they say; compiled parts do not count."""
        if not isinstance(other, Rule):
            return NotImplemented
        return (self.when, self.version) == (other.when, other.version)

    def __hash__(self) -> int:
        return hash((self.when, self.version))


def parse_rule(when: str, version: str) -> Rule:
    """Compile one rule.

    Args:
        when: `key method expression`, separated by white space.
        version: The version of a hit; only its spelling is the caller's to check.

    Raises:
        Refused: With codes `bad-rule`, `unknown-key`, `unknown-method` or `bad-expression`.
    """
    if len(when) > _MAX_RULE:
        message = f"the rule has {len(when)} characters; allowed: {_MAX_RULE}"
        raise Refused([Problem("bad-rule", message)])
    parts = CONDITION.fullmatch(when.strip())
    if parts is None:
        raise Refused([_malformed(when)])
    key = parse_key(parts["key"])
    expression = (parts["expression"] or "").strip()
    if len(expression) > MAX_EXPRESSION:
        message = f"the expression has {len(expression)} characters; allowed: {MAX_EXPRESSION}"
        raise Refused([Problem("bad-expression", message)])
    test = METHODS[parts["method"]](expression)
    return Rule(when.strip(), version, key, _hits(key, test))


def parse_key(text: str) -> Key:
    """Compile `invoke.headers.X`, `.query.X`, `.path.X`, `.cookies.X` or `.body.$...`.

    Raises:
        Refused: With code `unknown-key`, or `bad-expression` for a broken JSON path.
    """
    if len(text) > MAX_EXPRESSION:
        message = f"the key has {len(text)} characters; allowed: {MAX_EXPRESSION}"
        raise Refused([Problem("unknown-key", message)])
    for prefix, build in _SOURCES.items():
        if text.startswith(prefix) and len(text) > len(prefix):
            return build(text, text[len(prefix) :])
    allowed = [prefix + "NAME" for prefix in _SOURCES]
    message = f"the key {text!r} is none that rules can read; allowed: {listed(allowed)}"
    raise Refused([Problem("unknown-key", message, hint=nearest(text, _SOURCES))])


def _hits(key: Key, test: Test) -> Callable[[RequestView], bool]:
    if key.text.startswith("invoke.body."):
        values = key.all
        return lambda request: any(map(test, values(request)))
    first = key.first

    def hits(request: RequestView) -> bool:
        value = first(request)
        return value is not None and test(value)

    return hits


def _malformed(when: str) -> Problem:
    words = when.split()
    if len(words) > 1:
        message = f"the rule {when!r} has no method; allowed: {listed(METHODS)}"
        return Problem("unknown-method", message, hint=nearest(words[1], METHODS))
    message = f"the rule {when!r} is not 'key method expression'"
    return Problem("bad-rule", message, hint="for example: invoke.headers.User exact Bob")


def _named(
    kind: str, read: Callable[[str], Callable[[RequestView], str | None]]
) -> Callable[[str, str], Key]:
    def build(text: str, name: str) -> Key:
        if _NAME.fullmatch(name) is None:
            message = (
                f"{name!r} cannot be the name of a {kind}: letters, digits and !#$%&'*+-.^_`|~ only"
            )
            raise Refused([Problem("unknown-key", message)])
        first = read(name)

        def every(request: RequestView) -> Iterable[str]:
            value = first(request)
            return () if value is None else (value,)

        return Key(text, first, every)

    return build


def _header(name: str) -> Callable[[RequestView], str | None]:
    folded = name.lower()
    return lambda request: request.header(name, folded)


def _body(text: str, path: str) -> Key:
    if not path.startswith("$"):
        message = f"the JSON path {path!r} does not start with '$'"
        hint = f"did you mean 'invoke.body.$.{path}'?"
        raise Refused([Problem("bad-expression", message, hint=hint)])
    find = _plain_path(path) if _PLAIN_PATH.fullmatch(path) else _general_path(path)

    def every(request: RequestView) -> Iterable[str]:
        values = map(_scalar, find(request.json()))
        return (value for value in values if value is not None)

    return Key(text, lambda request: next(iter(every(request)), None), every)


def _scalar(value: object) -> str | None:
    """A JSON scalar as rules compare it: `7`, `true`, `text`; tables, lists and null have none."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else None


def _plain_path(path: str) -> Callable[[object], Iterable[object]]:
    """`$.user.ids[0]` as look-ups: about a hundred times faster than a general JSON path."""
    steps: tuple[str | int, ...] = tuple(
        name or int(index) for name, index in _PLAIN_STEP.findall(path)
    )

    def find(document: Any) -> Iterable[object]:  # noqa: ANN401 - JSON is any value
        for step in steps:
            if isinstance(document, str):
                return ()  # a text is no list of letters
            try:
                document = document[step]
            except (KeyError, IndexError, TypeError):
                return ()
        return (document,)

    return find


def _general_path(path: str) -> Callable[[object], Iterable[object]]:
    from jsonpath_ng.ext.arithmetic import Operation  # costs 25 ms, and few configurations need it
    from jsonpath_ng.ext.parser import parse

    if _UNBOUNDED.search(path) is not None:
        message = f"{path!r} matches regular expressions, which only the method 'regex' does safely"
        raise Refused([Problem("bad-expression", message)])
    try:
        compiled = parse(path)
    except Exception as error:  # noqa: BLE001 - jsonpath-ng raises many kinds, bare ones too
        message = f"{path!r} is not a JSON path: {error}"
        raise Refused([Problem("bad-expression", message, hint="for example: $.user.id")]) from None

    if isinstance(compiled, Operation):
        message = f"{path!r} computes; allowed: paths that only select"
        raise Refused([Problem("bad-expression", message)])

    def find(document: object) -> Iterable[object]:
        try:
            return [match.value for match in compiled.find(document)]
        except Exception:  # noqa: BLE001 - no body may turn a rule into an error
            return ()  # a filter that compares unlike things finds nothing

    return find


_SOURCES: Final[dict[str, Callable[[str, str], Key]]] = {
    "invoke.headers.": _named("header", _header),
    "invoke.query.": _named("query parameter", lambda name: lambda view: view.query(name)),
    "invoke.path.": _named("path parameter", lambda name: lambda view: view.path_parameter(name)),
    "invoke.cookies.": _named("cookie", lambda name: lambda view: view.cookie(name)),
    "invoke.body.": _body,
}


CONDITION: Final = re.compile(
    rf"(?P<key>\S.*?)\s+(?P<method>{'|'.join(METHODS)})(?:\s+(?P<expression>.*))?", re.DOTALL
)
"""A condition as written: its key, its method and its expression."""
