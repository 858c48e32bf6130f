"""`gateway export`: a stages.toml, and the code it needs, that reproduce what is live.

With `--format` it is the routing alone, for another engine.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import click

from gateway.cli.exits import Exit
from gateway.cli.export_elsewhere import (
    elsewhere_options,
    export_elsewhere,
    refuse_unused,
)
from gateway.cli.failures import fail
from gateway.cli.folders import (
    beside,
    inner,
    package_in,
    refuse_full,
    replace,
    write_package,
)
from gateway.cli.options import Option, reads
from gateway.cli.remote import Answer, path_of
from gateway.cli.talk import note
from gateway.core import names

if TYPE_CHECKING:
    from gateway.cli.talk import Talk


@click.command("export", short_help="Write a stages.toml that reproduces what is live.")
@click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path), required=False)
@click.option("--force", is_flag=True, help="Replace what is in DIR.")
@elsewhere_options
@reads
def command(talk: Talk, *, folder: Path | None, force: bool, **engine: Option) -> None:
    """Write a stages.toml that reproduces what is live.

    Without DIR it goes to standard output. With DIR the file and all code folders are written
    there; a folder that is not empty is refused. Notes go to standard error.

    With --format, the stages, rules and weights are written as configuration for an engine that
    routes by itself. What it cannot express is refused, unless --partial asks for the rest.

    \b
    Examples:
      gateway export > stages.toml
      gateway export backup
      gateway export --json
      gateway export --format nginx --upstream orders/1=10.0.0.1:80 --upstream orders/2=10.0.0.2:80
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    if engine["form"] != "toml":
        if folder is not None or force:
            raise click.UsageError("DIR and --force are for a stages.toml, and not with --format")
        export_elsewhere(talk, engine)
        return
    refuse_unused(engine)
    _export(talk, folder, force=force)


def _export(talk: Talk, folder: Path | None, *, force: bool) -> None:
    if folder is not None:
        refuse_full(folder, force=force)
    answer = talk.read("/api/export")
    if folder is not None:
        _write(talk, answer, folder)
    for sentence in answer.body["notes"]:
        note(sentence)
    if folder is None:
        for lacking in answer.body["packages"]:
            place, what = lacking["folder"], f"version {lacking['version']}"
            note(f"{what} of {lacking['function']!r} needs the folder {place}: export to a DIR")
    if folder is None or talk.as_json:
        talk.show(answer, lambda found: str(found["toml"]).rstrip("\n"))


def _write(talk: Talk, answer: Answer, folder: Path) -> None:
    code = _code(talk, answer)
    with beside(folder) as temporary:
        for place, (function, version) in code.items():
            fetched = talk.read(path_of("functions", function, "code"), version=version)
            _same(answer, fetched)
            write_package(package_in(fetched.data), temporary / place)
        (temporary / "stages.toml").write_text(answer.body["toml"], encoding="utf-8")
        for place in (*code, PurePosixPath("stages.toml")):
            replace(temporary / place, folder / place)
    many = "folder" if len(code) == 1 else "folders"
    note(f"stages.toml and {len(code)} code {many} to {folder}   revision {answer.revision}")


def _code(talk: Talk, answer: Answer) -> dict[PurePosixPath, tuple[str, str]]:
    """The folder of every version of every function that the file declares."""
    import tomllib

    functions = talk.read("/api/functions")
    _same(answer, functions)
    declared = tomllib.loads(answer.body["toml"]).get("functions", {})
    return {
        inner(f"{declared[function['name']]['source']}/{_folder(version)}"): (
            function["name"],
            version,
        )
        for function in functions.body["functions"]
        for version in dict.fromkeys([*function["versions"], names.LATEST])
        if function["name"] in declared
    }


def _folder(version: str) -> str:
    return "latest" if version == names.LATEST else f"v{version}"


def _same(exported: Answer, later: Answer) -> None:
    """Refuse to write what never was live together."""
    if later.revision != exported.revision:
        message = f"revision {later.revision} came while {exported.revision} was exported"
        fail("stale-revision", message, Exit.CONFLICT, "export once more")
