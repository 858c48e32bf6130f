"""A change of an alias in words: what each version gets, which rules come and go; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final

from gateway.core.alias import Alias, Route
from gateway.core.errors import listed
from gateway.core.names import version_order
from gateway.core.rules import Rule
from gateway.core.snapshot import Function, FunctionBackend, Snapshot

_NOTHING: Final = Decimal()


def shares_of(alias: Alias | None) -> Mapping[str, Decimal]:
    """What each version gets of the requests that no rule decides; nothing without an alias."""
    if alias is None:
        return {}
    route = alias.route
    return {route.version: 1 - sum(route.weights.values(), _NOTHING), **route.weights}


def alters(before: Alias | None, after: Alias) -> Iterator[str]:
    """What would be altered, one sentence each.

    Args:
        before: The alias as it is; `None` where there is none.
        after: The alias as it would be.
    """
    if before is None:
        yield f"{after.name} is a new alias"
    yield from _shares(shares_of(before), shares_of(after))
    was, now = (before.route if before else None), after.route
    yield from _rules(was.rules if was else (), now.rules)
    if was is not None:
        yield from _division(was, now)
        if before is not None and before.description != after.description:
            yield "the description is another one"


def reaches(snapshot: Snapshot, alias: Alias) -> Iterator[str]:
    """Who follows the alias at once."""
    stages = [
        stage.name
        for service in snapshot.services.values()
        for stage in service.stages.values()
        if any(
            isinstance(api.backend, FunctionBackend)
            and (api.backend.function, api.backend.qualifier) == (alias.function, alias.name)
            for api in stage.apis
        )
    ]
    if stages:
        yield f"the next request to {listed(dict.fromkeys(stages))} follows it"
    else:
        yield f"no stage names {alias.name}: only invocations by name follow it"


def remarks(function: Function, alias: Alias) -> Iterator[str]:
    """What is allowed and yet worth a second look."""
    used = {version for version, _ in alias.route.named()}
    for version in sorted(used & function.faults.keys(), key=version_order):
        yield f"version {version} is told to get something wrong: it has a fault"
    idle = [version for version, weight in alias.route.weights.items() if weight == 0]
    if idle:
        yield f"version {listed(idle)} has a weight of 0 and gets no request by it"
    if shares_of(alias)[alias.route.version] == 0:
        yield f"the main version {alias.route.version} gets nothing: the weights add up to 1"


def _percent(share: Decimal) -> str:
    text = f"{share * 100:f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} %"


def _shares(was: Mapping[str, Decimal], now: Mapping[str, Decimal]) -> Iterator[str]:
    for version in sorted({*was, *now}, key=version_order):
        old, new = was.get(version, _NOTHING), now.get(version, _NOTHING)
        if old == new:
            continue
        if not old:
            yield f"version {version} gets {_percent(new)}; it got nothing"
        elif not new:
            yield f"version {version} gets nothing any more; it got {_percent(old)}"
        else:
            yield f"version {version} gets {_percent(new)} instead of {_percent(old)}"


def _rules(was: tuple[Rule, ...], now: tuple[Rule, ...]) -> Iterator[str]:
    """Rules by their condition: gone, new, leading elsewhere, or tried in another order."""
    old, new = _first(was), _first(now)
    for number, rule in enumerate(was, 1):
        if rule.when not in new:
            yield f"rule {number} is gone: {rule.when} went to version {rule.version}"
    for number, rule in enumerate(now, 1):
        if rule.when not in old:
            yield f"rule {number} is new: {rule.when} goes to version {rule.version}"
    yield from _kept_rules(old, new)
    if old == new and len(was) != len(now):
        yield "rules that one before them hides are others"


def _kept_rules(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    kept = [when for when in old if when in new]
    for when in kept:
        if new[when] != old[when]:
            yield f"{when} goes to version {new[when]} instead of {old[when]}"
    if kept != [when for when in new if when in old]:
        yield "rules are tried in another order"


def _first(rules: tuple[Rule, ...]) -> dict[str, str]:
    """Where each condition leads, in the order in which they are tried; the first one counts."""
    found: dict[str, str] = {}
    for rule in rules:
        found.setdefault(rule.when, rule.version)
    return found


def _division(was: Route, now: Route) -> Iterator[str]:
    """How the weighted choice is made."""
    if was.split != now.split:
        yield f"the choice is made by '{now.split}' instead of '{was.split}'"
    keys = [route.sticky_by.text if route.sticky_by else "" for route in (was, now)]
    if all(keys) and keys[0] != keys[1]:
        yield f"a user is known by {keys[1]} instead of {keys[0]}"
    moved = list(was.weights) != list(now.weights)
    if moved and was.weights == now.weights:
        yield "the additional versions are in another order"
