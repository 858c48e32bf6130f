"""The live state in the words of a file: the values that a stages.toml would hold.

What a file says already is left as it says it, as long as it means the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping
from dataclasses import fields, replace
from decimal import Decimal
from typing import Any, Final

from gateway.config.breakers import breaker_values
from gateway.config.faults import fault_values
from gateway.core import names
from gateway.core.access import Access, access_plain
from gateway.core.alias import Alias, Route, parse_route
from gateway.core.errors import Refused
from gateway.core.features import ApiFeatures, StageFeatures, feature_plain
from gateway.core.functions import Configuration
from gateway.core.snapshot import (
    Api,
    Function,
    FunctionBackend,
    HttpBackend,
    MockBackend,
    Stage,
)

Table = Mapping[str, Any]
Values = dict[str, Any]

_FIELDS: Final = ("type", "handler", "timeout", "memory", "concurrency", "isolation")
_FOREIGN: Final[Mapping[type, frozenset[str]]] = {
    FunctionBackend: frozenset({"http", "mock", "constants"}),
    HttpBackend: frozenset({"function", "integrated", "base64", "mock"}),
    MockBackend: frozenset({"function", "integrated", "base64", "http", "constants"}),
}


def function_values(function: Function, old: Table) -> Values:
    """`[functions.NAME]`.

    Args:
        function: The live function.
        old: The table of the file; empty where there is none.
    """
    latest = function.versions[names.LATEST]
    own, usual = latest.configuration, Configuration()
    new = dict(old)
    new.setdefault("source", f"functions/{function.name}")
    for key in _FIELDS:
        _say(new, key, _number(getattr(own, key)), _number(getattr(usual, key)))
    _say(new, "environment", _ordered(own.environment, new.get("environment", {})), {})
    _say(new, "description", latest.description, "")
    said = new.get("aliases", {})
    aliases = {
        name: alias_values(function.aliases[name], said.get(name))
        for name in _in_order(function.aliases, said)
        if name in said or function.aliases[name] != _implied(function.name)
    }
    _say(new, "aliases", aliases, {})
    told = new.get("faults", {})
    faults = {
        number: fault_values(function.faults[number], told.get(number))
        for number in _in_order(function.faults, told)
    }
    _say(new, "faults", faults, {})
    _say(new, "breaker", breaker_values(function.breaker, new.get("breaker")), None)
    return new


def alias_values(alias: Alias, old: Table | None) -> Values:
    """One alias; the file's own words if they mean the same."""
    route = alias.route
    if old is not None and _means(old, alias):
        return dict(old)
    new = dict(old or {})
    new["version"] = route.version
    _say(new, "weights", {version: _plain(weight) for version, weight in route.weights.items()}, {})
    _say(new, "rules", [{"when": rule.when, "version": rule.version} for rule in route.rules], [])
    _say(new, "split", route.split, "random")
    _say(new, "sticky_by", route.sticky_by.text if route.sticky_by else None, None)
    _say(new, "description", alias.description, "")
    return new


def api_values(api: Api, old: Table) -> Values:
    """One of `[[apis]]`.

    Args:
        api: The live API.
        old: The table of the file with the same name; empty where there is none.
    """
    backend = api.backend
    plain = f"{api.method} {api.path.text}"
    new = {key: value for key, value in old.items() if key not in _FOREIGN[type(backend)]}
    if api.id == plain:
        new.pop("name", None)
    elif "name" in new:
        new["name"] = api.id
    else:
        new = {"name": api.id, **new}
    new |= {"method": api.method, "path": api.path.text}
    if isinstance(backend, FunctionBackend):
        new["function"] = backend.function
        _say(new, "integrated", backend.integrated, True)  # noqa: FBT003 - a value
    elif isinstance(backend, HttpBackend):
        new["http"] = _http_values(backend, new.get("http", {}))
    else:
        new["mock"] = _mock_values(backend, new.get("mock", {}))
    _say_features(new, api.features, _FOREIGN[type(backend)])
    return new


def api_name(values: Table) -> str:
    """The name of one of the file's `[[apis]]`."""
    return str(values.get("name") or f"{values.get('method')} {values.get('path')}")


def stage_values(stage: Stage, functions: Mapping[str, Function], old: Table) -> Values:
    """`[stages.NAME]`.

    Args:
        stage: The live stage.
        functions: The live functions that the file's APIs name.
        old: The table of the file; empty where there is none.
    """
    qualifiers = stage_qualifiers(stage)
    new = dict(old)
    said = new.get("aliases", {})
    plain = Counter(q for name, q in qualifiers.items() if name not in said)
    alias = new.get("alias", names.DEFAULT)
    if plain and alias not in plain:
        alias = plain.most_common(1)[0][0]
    new["alias"] = alias
    needed = dict(qualifiers)
    for name, function in functions.items():
        known = {**function.versions, **function.aliases}
        told = said.get(name, alias)
        needed.setdefault(name, told if told in known else names.DEFAULT)
    overrides = {
        name: needed[name]
        for name in _in_order(needed, said)
        if name in said or needed[name] != alias
    }
    _say(new, "aliases", overrides, {})
    _say(new, "variables", _ordered(stage.variables, new.get("variables", {})), {})
    _say_features(new, stage.features, ("overlays",))
    return new


def access_values(access: Access, old: Table) -> Values:
    """`[keys]` and `[plans]`, secrets included: without them the file would let nobody in.

    Args:
        access: The live keys and plans.
        old: The whole file.
    """
    wide = {name: plan for name, plan in access.plans.items() if not plan.apis}
    said, found = access_plain(replace(access, plans=wide)), {}
    for key in ("keys", "plans"):
        known = old.get(key, {})
        found[key] = {
            name: _in_words(said[key][name], known.get(name, {}))
            for name in _in_order(said[key], known)
        }
    return found


def _in_words(live: Any, said: Table) -> Values:  # noqa: ANN401 - a key or a plan as plain values
    """One of them in the order of the file, with its stages as the file spells them."""
    new = {name: live[name] for name in _in_order(live, said)}
    stages = said.get("stages", [])
    if [names.stage_name(stage) for stage in stages] == new.get("stages"):
        new["stages"] = stages
    return new


def stage_qualifiers(stage: Stage) -> dict[str, str]:
    """The qualifier under which a stage names each function: of several the most frequent."""
    found: dict[str, Counter[str]] = {}
    for api in stage.apis:
        if isinstance(api.backend, FunctionBackend):
            found.setdefault(api.backend.function, Counter())[api.backend.qualifier] += 1
    return {name: counts.most_common(1)[0][0] for name, counts in found.items()}


def _http_values(backend: HttpBackend, old: Table) -> Values:
    new = {**old, "url": backend.url}
    _say(new, "timeout", _number(backend.timeout), _number(HttpBackend("").timeout))
    return new


def _mock_values(backend: MockBackend, old: Table) -> Values:
    new = {**old, "body": backend.body}
    _say(new, "status", backend.status, MockBackend("").status)
    _say(new, "headers", _ordered(backend.headers, new.get("headers", {})), {})
    return new


def _say_features(
    new: Values, features: ApiFeatures | StageFeatures, foreign: Container[str] = ()
) -> None:
    usual = type(features)()
    for key in (field.name for field in fields(features) if field.name not in foreign):
        _say(new, key, feature_plain(getattr(features, key)), feature_plain(getattr(usual, key)))


def _say(new: Values, key: str, value: object, usual: object) -> None:
    """Set a key if it is said already or not as usual; what is empty is not said at all."""
    if key in new and new[key] == value and value is not None:
        if isinstance(value, dict):
            new[key] = value  # in its own order
    elif value in ({}, [], None):
        new.pop(key, None)
    elif key in new or value != usual:
        new[key] = value


def _in_order(live: Mapping[str, object], said: Mapping[str, object]) -> list[str]:
    """The live names, those of the file first and in its order."""
    return [name for name in dict.fromkeys((*said, *live)) if name in live]


def _ordered(live: Mapping[str, str], said: Mapping[str, object]) -> dict[str, str]:
    """A table in which order means nothing: that of the file, then the live one."""
    return {name: live[name] for name in _in_order(live, said)}


def _implied(function: str) -> Alias:
    return Alias(function, names.DEFAULT, Route(names.LATEST))


def _means(old: Table, alias: Alias) -> bool:
    try:
        return parse_route(old, "") == (alias.route, alias.description)
    except Refused:
        return False


def _number(value: object) -> object:
    """A number of seconds as people write it: without a fraction that is none."""
    return _plain(Decimal(repr(value))) if isinstance(value, float) else value


def _plain(value: Decimal) -> int | Decimal:
    """A decimal without trailing zeros."""
    return int(value) if value == value.to_integral_value() else value.normalize()
