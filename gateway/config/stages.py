"""`[stages.NAME]`: every API is released to every stage, with the stage's aliases as qualifiers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from gateway.config.features import read_stage_features
from gateway.config.fields import strings, variables, wrong_key
from gateway.config.functions import DeclaredFunction
from gateway.core import names
from gateway.core.changes import Release
from gateway.core.errors import Place, Problem, listed, nearest
from gateway.core.shapes import Reader
from gateway.core.snapshot import Api, FunctionBackend


@dataclass(frozen=True, slots=True)
class Released:
    """What is released: the service's APIs, and the functions that they may name.

    Attributes:
        service: The service's id.
        apis: Its APIs, as far as they could be read.
        functions: The file's functions.
        named: The functions that APIs name, those of APIs with mistakes too.
    """

    service: str
    apis: tuple[Api, ...]
    functions: Mapping[str, DeclaredFunction]
    named: tuple[str, ...]

    def used(self) -> Iterable[DeclaredFunction]:
        """The declared functions that APIs name."""
        return (self.functions[name] for name in self.named if name in self.functions)


def read_stages(
    document: Reader, released: Released, line_of: Callable[[Place], int]
) -> list[Release]:
    """Read `[stages]`; mistakes are added to the document's.

    Args:
        document: The whole file.
        released: The APIs and functions of the file.
        line_of: The line of a place, for messages that name a second one.
    """
    releases = {}
    first: dict[str, str] = {}
    for name, raw in document.mapping("stages").items():
        stage = names.stage_name(name)
        if _check_stage(document, name, stage) and stage in first:
            line = line_of(("stages", first[stage]))
            message = f"stage {name!r} is another name of {first[stage]!r}, declared in line {line}"
            wrong_key(document, Problem("duplicate-stage", message, ("stages", name)))
        first.setdefault(stage, name)
        reader = Reader(raw, f"stage {name!r}", document.problems, ("stages", name))
        releases[stage] = _read_stage(reader, stage, released)
    return list(releases.values())


def _check_stage(document: Reader, name: str, stage: str) -> bool:
    if stage in names.STAGES:
        return True
    allowed = (*names.STAGES, *names.STAGE_SYNONYMS)
    synonyms = listed(f"{other!r} for {own!r}" for other, own in names.STAGE_SYNONYMS.items())
    message = f"no stage {name!r}; allowed: {listed(names.STAGES)}, and {synonyms}"
    problem = Problem("unknown-stage", message, ("stages", name), nearest(name.lower(), allowed))
    wrong_key(document, problem)
    return False


def _read_stage(reader: Reader, stage: str, released: Released) -> Release:
    alias = reader.required("alias", '"release"')
    overrides = strings(reader, "aliases")
    settings = variables(reader, "variables")
    features = read_stage_features(reader)
    reader.finish()
    for name, qualifier in overrides.items():
        if name in released.functions:
            _check_qualifier(reader, released.functions[name], qualifier, ("aliases", name))
        else:
            message = f"{reader.what} names the function {name!r}; the file has "
            message += listed(released.functions)
            hint = nearest(name, released.functions)
            wrong_key(reader, Problem("unknown-function", message, ("aliases", name), hint))
    if alias is not None:
        _check_alias(reader, alias, (f for f in released.used() if f.name not in overrides))
    apis = tuple(_qualified(api, overrides, alias or names.DEFAULT) for api in released.apis)
    return Release(released.service, stage, apis, settings, features)


def _check_alias(reader: Reader, alias: str, used: Iterable[DeclaredFunction]) -> None:
    if names.is_alias(alias) or names.is_version(alias):
        for function in used:
            _check_qualifier(reader, function, alias, ("alias",))
        return
    message = f"{alias!r} is no alias and no version; allowed: {names.ALIAS_RULE}"
    hint = f"also allowed: {names.VERSION_RULE}"
    reader.wrong("bad-name", message, "alias", hint=hint)


def _check_qualifier(reader: Reader, function: DeclaredFunction, qualifier: str, at: Place) -> None:
    known = function.qualifiers
    if qualifier in known or (not function.known and names.is_version(qualifier)):
        return
    message = (
        f"{reader.what} points to {qualifier!r}, which function {function.name!r} does not have; "
        f"it has {listed(known)}"
    )
    code = "unknown-version" if names.is_version(qualifier) else "unknown-alias"
    reader.wrong(code, message, *at, hint=nearest(qualifier, known))


def _qualified(api: Api, overrides: Mapping[str, str], alias: str) -> Api:
    """The API as one stage has it."""
    backend = api.backend
    if not isinstance(backend, FunctionBackend):
        return api
    qualifier = overrides.get(backend.function, alias)
    return replace(api, backend=replace(backend, qualifier=qualifier))
