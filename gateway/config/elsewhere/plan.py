"""The routing in the order in which an engine has to try it, and what it cannot be told.

Nothing is left out in silence: each part that an engine cannot express becomes a `Lack`, which
says what would be written in its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final

from gateway.config.elsewhere.conditions import HEADER, Condition, Inexpressible, condition
from gateway.config.elsewhere.engines import Engine
from gateway.config.elsewhere.ways import Choice, Lack, Outcome, Plan, Way
from gateway.core.alias import Alias
from gateway.core.features import NO_API_FEATURES, NO_STAGE_FEATURES, features_plain
from gateway.core.routes import Kind
from gateway.core.rules import Rule
from gateway.core.snapshot import Api, FunctionBackend, MockBackend, Service, Snapshot, Stage

_LEFT_OUT: Final = "left out; what it would answer is answered with 404"


def plan(snapshot: Snapshot, engine: Engine) -> Plan:
    """What of a state an engine can be told."""
    made = Plan(snapshot.revision)
    service = snapshot.default_service or Service("", "")
    for other in list(snapshot.services.values())[1:]:
        what = f"service {other.id!r} is reached by its host name only"
        made.lacks.append(Lack(what, "left out"))
    for stage in service.stages.values():
        where = f"stage {stage.name!r}"
        if stage.features != NO_STAGE_FEATURES:
            made.lacks.append(_without(where, features_plain(stage.features)))
        for api in sorted(stage.apis, key=_priority):
            way = _way(snapshot, (stage, api), engine, made.lacks)
            if way is not None:
                made.ways.append(way)
    return made


def _priority(api: Api) -> tuple[object, ...]:
    """The cloud's order of paths; at one path a method goes before any."""
    path = api.path
    if path.kind is Kind.PARAMETER:
        places = tuple(segment.startswith("{") for segment in path.literal.split("/"))
        return path.kind, 0, places, api.method == "ANY"
    return path.kind, -len(path.literal), (), api.method == "ANY"


def _way(
    snapshot: Snapshot, found: tuple[Stage, Api], engine: Engine, lacks: list[Lack]
) -> Way | None:
    stage, api = found
    where = f"api {api.method} {api.path.text} of stage {stage.name!r}"
    if api.features != NO_API_FEATURES:
        lacks.append(_without(where, features_plain(api.features)))
    backend = api.backend
    if isinstance(backend, FunctionBackend):
        choice = _choice(snapshot, backend, where, (engine, lacks))
        return None if choice is None else Way(stage.name, api, choice)
    if isinstance(backend, MockBackend) and engine.mocks and _is_plain(backend):
        return Way(stage.name, api, fixed=backend)
    kind = "a fixed text" if isinstance(backend, MockBackend) else "another HTTP server"
    lacks.append(Lack(f"{where}: it is answered by {kind}", _LEFT_OUT))
    return None


def _without(where: str, features: Mapping[str, object]) -> Lack:
    return Lack(f"{where}: it has {', '.join(features)}", "written without")


def _is_plain(backend: MockBackend) -> bool:
    """Whether every engine can spell the answer."""
    body = backend.body
    return not backend.headers and body.isascii() and body.isprintable() and "$" not in body


def _choice(
    snapshot: Snapshot,
    backend: FunctionBackend,
    where: str,
    told: tuple[Engine, list[Lack]],
) -> Choice | None:
    function = snapshot.functions.get(backend.function)
    if function is not None and backend.qualifier in function.aliases:
        return _alias_choice(function.aliases[backend.qualifier], where, told)
    if function is not None and backend.qualifier in function.versions:
        outcome = Outcome(function.name, "", backend.qualifier, "pinned")
        return Choice((), ((outcome, Decimal(1)),))
    what = f"{where}: there is no {backend.qualifier!r} of function {backend.function!r}"
    told[1].append(Lack(what, _LEFT_OUT))
    return None


def _alias_choice(alias: Alias, where: str, told: tuple[Engine, list[Lack]]) -> Choice | None:
    engine, lacks = told
    route, name = alias.route, f"alias {alias.function}/{alias.name}"
    finest = max((_decimals(weight) for weight in route.weights.values()), default=0)
    if finest > engine.decimals:
        what = f"weights have {finest} decimals; {engine.title} has {engine.decimals}"
        lacks.append(Lack(f"{where}: {name}: {what}", _LEFT_OUT))
        return None
    sticky = _sticky(alias, (engine, lacks))
    return Choice(tuple(_conditions(alias, told)), tuple(_shares(alias)), sticky)


def _conditions(
    alias: Alias, told: tuple[Engine, list[Lack]]
) -> Iterator[tuple[Condition, Outcome]]:
    engine, lacks = told
    for number, rule in enumerate(alias.route.rules, start=1):
        where = f"alias {alias.function}/{alias.name}: rule {number}, {rule.when!r}"
        try:
            found = _condition(rule, number, engine)
        except Inexpressible as reason:
            _add(lacks, Lack(f"{where}: {reason}", "left out; later rules and weights apply"))
        else:
            yield found, Outcome(alias.function, alias.name, rule.version, f"rule:{number}")


def _condition(rule: Rule, number: int, engine: Engine) -> Condition:
    if number > engine.most_rules:
        raise Inexpressible(f"it takes {engine.most_rules} rules of an alias")
    return condition(rule, number, engine.sources)


def _shares(alias: Alias) -> Iterator[tuple[Outcome, Decimal]]:
    route = alias.route
    rest = 1 - sum(route.weights.values(), Decimal())
    for version, share in [*route.weights.items(), (route.version, rest)]:
        if share > 0:
            reason = "main" if version == route.version else "weight"
            yield Outcome(alias.function, alias.name, version, reason), share


def _sticky(alias: Alias, told: tuple[Engine, list[Lack]]) -> str:
    """The header that settles the choice; empty where requests are drawn independently."""
    engine, lacks = told
    route, where = alias.route, f"alias {alias.function}/{alias.name}"
    if not route.weights or route.split == "random":
        return ""
    source, _, name = (route.sticky_by.text if route.sticky_by else "").partition("headers.")
    if route.split == "sticky" and engine.sticky and source == "invoke." and HEADER.fullmatch(name):
        return name
    what = "even split" if route.split == "even" else "stickiness"
    by = f" by {route.sticky_by.text}" if route.sticky_by else ""
    lack = Lack(f"{where}: {engine.title} knows no {what}{by}", "drawn independently")
    _add(lacks, lack)
    return ""


def _add(lacks: list[Lack], lack: Lack) -> None:
    """Several APIs share an alias; what it lacks is told once."""
    if lack not in lacks:
        lacks.append(lack)


def _decimals(weight: Decimal) -> int:
    exponent = weight.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
