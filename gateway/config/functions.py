"""`[functions.NAME]`: code folders, configuration, faults and aliases become changes."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from gateway.config.breakers import read_breaker
from gateway.config.faults import read_faults
from gateway.config.fields import seconds, variables, whole, wrong_key
from gateway.config.folders import Folders, has_bootstrap, has_module, modules, scan
from gateway.core import names
from gateway.core.alias import Route, missing_versions, parse_route
from gateway.core.changes import Change, Publish, PutAlias, PutBreaker, PutFault, PutFunction
from gateway.core.errors import Place, Problem, Refused, listed, nearest
from gateway.core.functions import BOOTSTRAP, ISOLATIONS, TYPES, Configuration
from gateway.core.shapes import Reader

MAX_ENVIRONMENT: Final = 4096
"""Bytes that the names and values of a function's environment may have together."""

_HANDLER = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", re.ASCII)
_MEMORY = ({64, *range(128, 3073, 128)}, "64, or 128 to 3072 in steps of 128")
_CONCURRENCY = (range(1, 10_001), "1 to 10000")
_DEFAULTS: Final = Configuration()
_SHOWN = 6


@dataclass(frozen=True, slots=True)
class DeclaredFunction:
    """A function as the file declares it.

    Attributes:
        name: Its name.
        versions: Its versions, `$LATEST` last; those that only exist live too.
        aliases: The names of its aliases, `$DEFAULT` included, those with mistakes too, and those
            that only exist live.
        known: Whether the versions could be read; otherwise nothing can be said about them.
        changes: What builds the function from nothing; of use only when there is no mistake.
    """

    name: str
    versions: tuple[str, ...]
    aliases: tuple[str, ...]
    known: bool
    changes: tuple[Change, ...] = ()

    @property
    def qualifiers(self) -> tuple[str, ...]:
        """Everything that a caller may name."""
        return (*self.aliases, *self.versions)


def read_functions(
    document: Reader, root: Path, live: Mapping[str, Collection[str]]
) -> dict[str, DeclaredFunction]:
    """Read `[functions]`; mistakes are added to the document's.

    Args:
        document: The whole file.
        root: The folder that sources are relative to.
        live: The versions and aliases that may be named without being declared, by function.
    """
    functions = {}
    for name, raw in document.mapping("functions").items():
        if not names.is_function(name):
            message = f"{name!r} cannot name a function; allowed: {names.FUNCTION_RULE}"
            wrong_key(document, Problem("bad-name", message, ("functions", name)))
        at: Place = ("functions", name)
        reader = Reader(raw, f"function {name!r}", document.problems, at)
        functions[name] = _read_function(reader, name, root, live.get(name, ()))
    return functions


def _read_function(
    reader: Reader, name: str, root: Path, live: Collection[str]
) -> DeclaredFunction:
    found = _read_source(reader, root)
    configuration = _read_configuration(reader)
    description = reader.text("description")
    if found.versions:
        _check_handler(reader, configuration, found.versions)
    known = names.LATEST in found.versions and not found.problems
    versions = sorted({*found.versions, *filter(names.is_version, live)}, key=names.version_order)
    aliases = reader.mapping("aliases")
    routes = {
        alias: _read_alias(reader, alias, raw, versions if known else None)
        for alias, raw in aliases.items()
    }
    faults = read_faults(reader, versions if known else None)
    breaker = read_breaker(reader)
    reader.finish()
    return DeclaredFunction(
        name=name,
        versions=tuple(versions if known else found.versions),
        aliases=tuple(dict.fromkeys((names.DEFAULT, *aliases, *filter(names.is_alias, live)))),
        known=known,
        changes=(
            PutFunction(name, _code(found, names.LATEST), configuration, description),
            *(Publish(name, _code(found, v), v) for v in found.versions if v != names.LATEST),
            *(PutFault(name, version, fault) for version, fault in faults.items()),
            *(() if breaker is None else (PutBreaker(name, breaker),)),
            *(PutAlias(name, alias, *route) for alias, route in routes.items() if route),
        ),
    )


def _code(found: Folders, version: str) -> str:
    return str(found.versions.get(version, ""))


def _read_source(reader: Reader, root: Path) -> Folders:
    source = reader.required("source", '"functions/orders"')
    if source is None:
        return Folders({})
    if not source:
        found = Folders({}, (Problem("bad-source", "the source is empty; name a folder"),))
    else:
        found = scan(root, source)
    reader.problems += [problem.under(*reader.at, "source") for problem in found.problems]
    return found


def _read_configuration(reader: Reader) -> Configuration:
    environment = variables(reader, "environment")
    size = sum(len(name.encode()) + len(value.encode()) for name, value in environment.items())
    if size > MAX_ENVIRONMENT:
        message = f"the environment of {reader.what} has {size} bytes; allowed: {MAX_ENVIRONMENT}"
        reader.wrong("out-of-range", message, "environment")
    return Configuration(
        handler=_read_handler(reader),
        timeout=seconds(reader, "timeout", _DEFAULTS.timeout),
        memory=whole(reader, "memory", _DEFAULTS.memory, _MEMORY),
        concurrency=whole(reader, "concurrency", _DEFAULTS.concurrency, _CONCURRENCY),
        environment=environment,
        isolation=reader.choice("isolation", ISOLATIONS, _DEFAULTS.isolation),
        type=reader.choice("type", TYPES, _DEFAULTS.type),
    )


def _read_handler(reader: Reader) -> str:
    handler = reader.text("handler", _DEFAULTS.handler)
    if _HANDLER.fullmatch(handler):
        return handler
    message = f"the handler {handler!r} of {reader.what} is not 'file.function'"
    plain = re.sub(r"\.py(?=\.|$)", "", handler.replace("/", ".").replace(":", "."))
    hint = (
        f"did you mean {plain!r}?"
        if _HANDLER.fullmatch(plain)
        else "a file without '.py', a dot, a function"
    )
    reader.wrong("bad-handler", message, "handler", hint=hint)
    return ""


def _check_handler(
    reader: Reader, configuration: Configuration, versions: Mapping[str, Path]
) -> None:
    """The handler's file must be in every version; that it can be imported shows on the start.

    A web version may start a server of its own instead.
    """
    handler, is_web = configuration.handler, configuration.type == "web"
    module = handler.rpartition(".")[0]
    lacking = [
        folder
        for folder in versions.values()
        if not has_module(folder, module) and not (is_web and has_bootstrap(folder))
    ]
    if not module or not lacking:
        return
    file = module.replace(".", "/") + ".py"
    folders = _listed(folder.name for folder in lacking)
    found = modules(lacking[0])
    message = (
        f"the handler {handler!r} of {reader.what} needs {file!r} in {folders}; "
        f"{lacking[0].name} has {_listed(found) if found else 'no Python file'}"
    )
    hint = nearest(module, [name.removesuffix(".py") for name in found])
    if is_web and (lacking[0] / BOOTSTRAP).is_file():
        hint = f"make {BOOTSTRAP!r} executable to start a server with it"
    reader.wrong(
        "missing-handler", message, "handler" if reader.has("handler") else "source", hint=hint
    )


def _listed(found: Iterable[str]) -> str:
    """The first few of many names."""
    every = list(found)
    more = f" and {len(every) - _SHOWN} more" if len(every) > _SHOWN else ""
    return listed(every[:_SHOWN]) + more


def _read_alias(
    reader: Reader, alias: str, raw: object, versions: Collection[str] | None
) -> tuple[Route, str] | None:
    """The route and the description of one alias; `versions` is `None` where they are not known."""
    at = ("aliases", alias)
    if not names.is_alias(alias):
        message = f"{alias!r} cannot name an alias; allowed: {names.ALIAS_RULE}"
        wrong_key(reader, Problem("bad-name", message, at))
    what = f"alias {alias!r} of {reader.what}"
    found = None
    problems: list[Problem] = []
    try:
        found = parse_route(raw, what)
        named = found[0].named()
    except Refused as refused:
        problems += refused.problems
        named = _named(raw)
    if versions is not None:
        told = {problem.at for problem in problems}
        problems += [p for p in _unknown(named, what, versions) if p.at not in told]
    reader.problems += [_placed(problem).under(*reader.at, *at) for problem in problems]
    return found


def _placed(problem: Problem) -> Problem:
    """A version with a weight is the key of the weight, and so is what is wrong with it."""
    weighted = problem.code == "unknown-version" and problem.at[:1] == ("weights",)
    return replace(problem, on_key=True) if weighted else problem


def _named(raw: object) -> list[tuple[str, Place]]:
    """The versions that a route with mistakes names all the same."""
    if not isinstance(raw, Mapping):
        return []
    found: list[tuple[object, Place]] = [(raw.get("version"), ("version",))]
    weights, rules = raw.get("weights"), raw.get("rules")
    if isinstance(weights, Mapping):
        found += [(version, ("weights", version)) for version in weights]
    if isinstance(rules, list):
        found += [
            (rule.get("version"), ("rules", index, "version"))
            for index, rule in enumerate(rules)
            if isinstance(rule, Mapping)
        ]
    return [(v, at) for v, at in found if isinstance(v, str) and names.is_version(v)]


def _unknown(
    named: Iterable[tuple[str, Place]], what: str, versions: Collection[str]
) -> list[Problem]:
    """Problems for versions that the function does not have."""
    return [
        replace(problem, at=at)
        for version, at in named
        for problem in missing_versions(Route(version), what, versions)
    ]
