"""`load`: one file in, one batch of changes out, or every mistake at once.

A declaration that was loaded builds its state from nothing without a refusal, unless it was
allowed to name what only exists live. A file with a mistake yields no changes at all, so it can
never replace what is live.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from gateway.config.access import read_access
from gateway.config.apis import functions_named, read_apis
from gateway.config.diagnostics import ConfigurationInvalid, Diagnostic
from gateway.config.functions import read_functions
from gateway.config.source import Source, read
from gateway.config.stages import Released, read_stages
from gateway.config.syntax import parse
from gateway.core import names
from gateway.core.changes import Batch, PutService
from gateway.core.errors import Place, Problem
from gateway.core.shapes import Reader

SERVICE: Final = "service-default"
"""The id of the file's service; its name may change, its id stays."""

MAX_NAME: Final = 50
"""Longest name of a service, in characters (the cloud's limit)."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a file declares.

    Attributes:
        path: The file.
        changes: Builds the whole declared state from the empty snapshot; where it names what only
            exists live, from a snapshot that has it.
        warnings: What is allowed and yet hardly meant.
        source: The file's text and places.
    """

    path: Path
    changes: Batch
    warnings: tuple[Diagnostic, ...]
    source: Source = field(compare=False, repr=False)

    def invalid(self, problems: Iterable[Problem]) -> ConfigurationInvalid:
        """What a merge refused, shown at its places in the file."""
        return ConfigurationInvalid(self.source.explain(map(self._spelled, problems)))

    def _spelled(self, problem: Problem) -> Problem:
        """The problem at the stage as the file spells its name."""
        for other, own in names.STAGE_SYNONYMS.items():
            place: Place = ("stages", other)
            if problem.at[:2] == ("stages", own) and place in self.source.positions.keys:
                return replace(problem, at=(*place, *problem.at[2:]))
        return problem


def load(
    path: str | os.PathLike[str], known: Mapping[str, Collection[str]] | None = None
) -> Declaration:
    """Read a `stages.toml`.

    Args:
        path: The file; its name appears in diagnostics as given here.
        known: Versions and aliases that exist live, by function: aliases and stages may name them
            even if the file and its folders do not declare them.

    Raises:
        ConfigurationInvalid: With every mistake found, in the order of the file.
    """
    source = read(path, "`gateway init` makes one")
    problems: list[Problem] = []
    document = Reader(parse(source), "the file", problems)
    service = _read_service(document)
    functions = read_functions(document, Path(path).parent, known or {})
    apis = read_apis(document, functions, source.line_of)
    released = Released(service.id, tuple(apis), functions, functions_named(document))
    releases = read_stages(document, released, source.line_of)
    access = read_access(document)
    document.finish()
    if problems:
        raise ConfigurationInvalid(source.explain(problems))
    built = [change for function in functions.values() for change in function.changes]
    warnings = _suspicious(document) if not (apis and releases) else []
    return Declaration(
        path=Path(path),
        changes=Batch((replace(service, apis=tuple(apis), access=access), *built, *releases)),
        warnings=tuple(source.explain(warnings, "warning")),
        source=source,
    )


def _read_service(document: Reader) -> PutService:
    if not document.has("service"):
        document.get("service")
        hint = 'for example: [service] and below it name = "shop"'
        document.wrong("missing-key", "the file needs the table [service]", hint=hint)
        return PutService(SERVICE, "")
    reader = Reader(document.get("service"), "the service", document.problems, ("service",))
    name = reader.required("name", '"shop"')
    reader.finish()
    if name is not None and not (1 <= len(name) <= MAX_NAME and name.isprintable()):
        message = f"the name {name!r} cannot name a service; allowed: 1 to {MAX_NAME} characters"
        reader.wrong("bad-name", message, "name")
    return PutService(SERVICE, name or "")


def _suspicious(document: Reader) -> list[Problem]:
    """Warnings for a file with which no request can be answered."""
    if not document.sequence("apis"):
        return [Problem("no-apis", "the file declares no api; stages answer nothing", ("stages",))]
    return [Problem("no-stages", "the file declares no stage; no api can be reached", ("apis",))]
