"""Rule tests in a file of routing tests: `rule = 1` of an alias, hit `sometimes` or `never`."""

from __future__ import annotations

from typing import Final

from gateway.config.fields import number
from gateway.config.routing_expected import RuleTest
from gateway.core.errors import listed, nearest
from gateway.core.shapes import Reader
from gateway.core.snapshot import Function, Snapshot

HITS: Final = ("sometimes", "never")


def read_rule(snapshot: Snapshot, reader: Reader) -> RuleTest | None:
    """One of `[[rules]]`; `None` after a mistake was recorded.

    Args:
        snapshot: The state that is to be tested.
        reader: The table.
    """
    before = len(reader.problems)
    function = _function(snapshot, reader)
    name = reader.required("alias", '"prepub"')
    rule = number(reader, "rule")
    if not reader.has("rule"):
        hint = "for example: rule = 1"
        reader.wrong("missing-key", f"{reader.what} needs 'rule'", hint=hint)
    if not reader.has("hit"):
        reader.wrong("missing-key", f"{reader.what} needs 'hit'", hint='for example: hit = "never"')
    hit = reader.choice("hit", HITS, HITS[0])
    title = reader.text("name", f"rule {rule} of alias {name!r} is hit {hit}")
    reader.finish()
    if function is None or name is None or rule is None:
        return None
    _check(reader, function, name, rule)
    if len(reader.problems) > before:
        return None
    return RuleTest(reader.at, title, function.name, name, int(rule), hit == HITS[0])


def _function(snapshot: Snapshot, reader: Reader) -> Function | None:
    """The function that is named, or the only one there is."""
    functions = snapshot.functions
    name = reader.text("function")
    if not reader.has("function") and len(functions) == 1:
        return next(iter(functions.values()))
    if not reader.has("function"):
        message = f"{reader.what} needs 'function'; there are {listed(functions)}"
        reader.wrong("missing-key", message, hint='for example: function = "orders"')
        return None
    if name and name not in functions:
        message = f"{reader.what} names the function {name!r}; there are {listed(functions)}"
        reader.wrong("unknown-function", message, "function", hint=nearest(name, functions))
    return functions.get(name)


def _check(reader: Reader, function: Function, name: str, rule: object) -> None:
    alias = function.aliases.get(name)
    if alias is None:
        known = function.aliases
        message = f"function {function.name!r} has no alias {name!r}; it has {listed(known)}"
        reader.wrong("unknown-alias", message, "alias", hint=nearest(name, known))
        return
    total = len(alias.route.rules)
    if not isinstance(rule, int) or not 1 <= rule <= total:
        allowed = f"1 to {total}" if total else "it has no rules"
        message = f"alias {name!r} has no rule {rule}; allowed: {allowed}"
        reader.wrong("unknown-rule", message, "rule")
