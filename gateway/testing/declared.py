"""Functions and aliases given in a test, as the folder and the stages.toml that they stand for.

The file is read like every other one, so that a mistake in a test is told in the same sentences.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import tomlkit

from gateway.core import names
from gateway.testing.handlers import Handler, code_of

Version = str | Path | Handler
"""A version: the text that it answers, its code folder, or its handler."""

Functions = Mapping[str, Mapping[str, Version]]
"""Versions by number, by function."""

Aliases = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""Aliases by name, by function, as stages.toml has them."""

ANSWER: Final = """\
async def main_handler(event, context):
    return {{"statusCode": 200, "headers": {{"Content-Type": "text/plain"}}, "body": {text!r}}}
"""


def declare(
    folder: Path,
    functions: Functions,
    aliases: Aliases,
    stages: Mapping[str, str],
    apis: Sequence[Mapping[str, Any]],
) -> tuple[Path, list[str]]:
    """Write everything into a folder.

    Args:
        folder: An empty folder.
        functions: Versions; a function without `$LATEST` has its last version's code there.
        aliases: Aliases.
        stages: The alias of each stage; without any, every stage whose name is an alias of all
            functions is released with it, and `dev` with `$DEFAULT`.
        apis: APIs as stages.toml has them; without any, each function answers below `/its-name`.

    Returns:
        The stages.toml, and the names of the handlers that are kept for its code.
    """
    kept: list[str] = []
    tables: dict[str, Any] = {}
    for name, versions in functions.items():
        kept += _write_code(folder / "functions" / name, versions)
        tables[name] = {"source": f"functions/{name}"}
        if name in aliases:
            tables[name]["aliases"] = {a: dict(route) for a, route in aliases[name].items()}
    for name in aliases.keys() - functions.keys():
        tables[name] = {"aliases": aliases[name]}  # a mistake, which the file is told to have
    document = {
        "service": {"name": "test"},
        "functions": tables,
        "apis": [dict(api) for api in apis] or [_api(name) for name in functions],
        "stages": {n: {"alias": a} for n, a in (stages or _stages(functions, aliases)).items()},
    }
    file = folder / "stages.toml"
    file.write_text(tomlkit.dumps(document), encoding="utf-8")
    return file, kept


def _api(name: str) -> dict[str, str]:
    return {"method": "ANY", "path": f"/{name}", "function": name}


def _stages(functions: Functions, aliases: Aliases) -> dict[str, str]:
    shared = [set(aliases.get(name, ())) for name in functions]
    known = set.intersection(*shared) if shared else set()
    found = {stage: stage for stage in names.STAGES if stage in known}
    return {"dev": names.DEFAULT} | found


def _write_code(folder: Path, versions: Mapping[str, Version]) -> list[str]:
    every, kept = dict(versions), list[str]()
    published = sorted(filter(names.is_number, versions), key=int)
    if published:
        every.setdefault(names.LATEST, versions[published[-1]])
    folder.mkdir(parents=True)
    for number, version in every.items():
        place = folder / ("latest" if number == names.LATEST else f"v{number}")
        if isinstance(version, Path):
            shutil.copytree(version, place)
            continue
        place.mkdir(parents=True)
        code = ANSWER.format(text=version) if isinstance(version, str) else ""
        if not isinstance(version, str):
            key, code = code_of(version)
            kept.append(key)
        (place / "index.py").write_text(code, encoding="utf-8")
    return kept
