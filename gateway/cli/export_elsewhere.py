"""`gateway export --format`: the routing as configuration for another engine, or why not."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.exits import Exit
from gateway.cli.failures import fail_all
from gateway.cli.picture import json_text
from gateway.cli.talk import note
from gateway.config.elsewhere import ENGINES, Wanted, write
from gateway.core import names
from gateway.core.errors import Refused
from gateway.core.features import read_stage_features

if TYPE_CHECKING:
    from gateway.cli.talk import Talk
    from gateway.core.snapshot import Snapshot, Stage

FORMATS = ("toml", *ENGINES)
"""What `export` writes."""

_ADDRESS = re.compile(r"([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})")
_EVERYBODY = "0.0.0.0:8080"

Options = Mapping[str, Any]
"""The options of the command that are about other engines."""


def elsewhere_options(command: Any) -> Any:  # noqa: ANN401 - what click makes of a command
    """Give a command the options."""
    for option in (
        click.option(
            "--partial", is_flag=True, help="Write what the engine can express, and list the rest."
        ),
        click.option(
            "--keep-stage",
            is_flag=True,
            help="Leave the stage in the paths that versions are sent.",
        ),
        click.option(
            "--listen",
            metavar="HOST:PORT",
            help=f"Where the engine listens; {_EVERYBODY} if it is left out.",
        ),
        click.option(
            "--upstream",
            "upstreams",
            multiple=True,
            metavar="FUNCTION/VERSION=HOST:PORT",
            help="Where a version is; repeatable.",
        ),
        click.option(
            "--config",
            type=click.Path(path_type=Path),
            help="Take the routing of this stages.toml, and not what is live.",
        ),
        click.option(
            "--format",
            "form",
            type=click.Choice(FORMATS),
            default="toml",
            show_default=True,
            help="A stages.toml, or configuration for an engine.",
        ),
    ):
        command = option(command)
    return command


def export_elsewhere(talk: Talk, given: Options) -> None:
    """Write the configuration to standard output, and what it lacks to standard error."""
    wanted = Wanted(
        given["form"],
        _upstreams(given["upstreams"]),
        _address(given["listen"] or _EVERYBODY, "--listen"),
        keep_stage=given["keep_stage"],
        partial=given["partial"],
    )
    snapshot = _live(talk) if given["config"] is None else _declared(given["config"])
    try:
        written = write(snapshot, wanted)
    except Refused as refused:
        fail_all(refused.problems, Exit.INVALID, "export")
    for lack in written.lacks:
        note(f"not in it: {lack.message}: {lack.instead}")
    for sentence in written.notes:
        note(f"note: {sentence}")
    if talk.as_json:
        lacks = [{"message": each.message, "instead": each.instead} for each in written.lacks]
        found = {"text": written.text, "lacks": lacks, "notes": list(written.notes)}
        click.echo(json_text(found))
    else:
        click.echo(written.text, nl=False)


def refuse_unused(given: Options) -> None:
    """A stages.toml has no use for options that are about engines.

    Raises:
        click.UsageError: One was given.
    """
    spelled = {
        "--config": given["config"],
        "--upstream": given["upstreams"],
        "--listen": given["listen"],
        "--keep-stage": given["keep_stage"],
        "--partial": given["partial"],
    }
    for name, value in spelled.items():
        if value:
            raise click.UsageError(f"{name} has no effect without --format {'|'.join(ENGINES)}")


def _declared(config: Path) -> Snapshot:
    from gateway.cli.whatif_state import declared

    return declared(config)


def _live(talk: Talk) -> Snapshot:
    """What a running gateway has, with what its stages do besides routing."""
    from gateway.cli.whatif_state import snapshot_of

    found = talk.read("/api/snapshot").body
    snapshot = snapshot_of(found)
    services = {
        key: replace(
            service,
            stages={
                name: _featured(stage, found["services"][key]["stages"][name])
                for name, stage in service.stages.items()
            },
        )
        for key, service in snapshot.services.items()
    }
    return replace(snapshot, services=services)


def _featured(stage: Stage, found: Mapping[str, Any]) -> Stage:
    others = {"variables", "apis", "edition"}
    features = {key: value for key, value in found.items() if key not in others}
    return replace(stage, features=read_stage_features(features))


def _upstreams(texts: Sequence[str]) -> dict[tuple[str, str], tuple[str, int]]:
    found: dict[tuple[str, str], tuple[str, int]] = {}
    for text in texts:
        name, _, address = text.partition("=")
        function, _, version = name.partition("/")
        version = names.LATEST if version == "latest" else version
        if not (names.is_function(function) and names.is_version(version)):
            message = f"{text!r} names no version; for example: --upstream orders/2=127.0.0.1:9002"
            raise click.BadParameter(message, param_hint="--upstream")
        if (function, version) in found:
            raise click.BadParameter(f"{name!r} is given twice", param_hint="--upstream")
        found[function, version] = _address(address, "--upstream")
    return found


def _address(text: str, option: str) -> tuple[str, int]:
    match = _ADDRESS.fullmatch(text)
    if match is None or not 0 < int(match[2]) < 65536:
        message = f"{text!r} is no address; for example: 127.0.0.1:8080"
        raise click.BadParameter(message, param_hint=option)
    return match[1], int(match[2])
