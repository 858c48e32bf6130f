"""The state that a question is about: declared, remembered or live; no code is loaded for it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import click

from gateway.cli.exits import Exit
from gateway.cli.failures import fail, load_or_fail
from gateway.core import names
from gateway.core.alias import parse_route
from gateway.core.apply import apply
from gateway.core.changes import Batch, Change, Publish, PutAlias, PutFunction, PutService, Release
from gateway.core.plain import read_api, read_configuration
from gateway.core.snapshot import EMPTY, Snapshot

if TYPE_CHECKING:
    from gateway.traffic.recording import Recorded
    from gateway.traffic.whatif import Look

Json = Mapping[str, Any]


def chosen(ctx: click.Context, given: Mapping[str, Any]) -> Snapshot:
    """The state that is asked about: `--config`, `--state` or `--live`; only one can be named."""
    named = [
        name
        for name in ("config", "state", "live", "control_url")
        if ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
    ]
    if not given["live"] and "control_url" in named:
        raise click.UsageError("--control-url has no effect with no --live")
    places = [f"--{name}" for name in named if name != "control_url"]
    if len(places) > 1:
        raise click.UsageError(f"{' and '.join(places)} cannot be used together")
    if given["live"]:
        return live(given["control_url"])
    if given["state"] is not None:
        return remembered(given["state"])
    return declared(given["config"])


def declared(config: Path) -> Snapshot:
    """What a stages.toml declares, or the end of the command."""
    return apply(EMPTY, load_or_fail(config).changes)


def remembered(state: Path) -> Snapshot:
    """What a gateway remembers, or the end of the command; the file stays as it is."""
    from gateway.store.copying import copy_state
    from gateway.store.protocol import StateUnusable
    from gateway.store.recovery import recover
    from gateway.store.sqlite import SqliteStore

    async def read(copy: Path) -> Snapshot:
        store = await SqliteStore.open(copy)
        try:
            return (await recover(store)).snapshot
        finally:
            await store.close()

    try:
        with TemporaryDirectory(prefix="gateway-whatif-") as folder:
            copy_state(state, Path(folder) / "state.db")
            return asyncio.run(read(Path(folder) / "state.db"))
    except StateUnusable as error:
        fail("state-unusable", str(error), Exit.CANNOT_START)


def live(control_url: str) -> Snapshot:
    """What a running gateway has, or the end of the command."""
    from gateway.cli.remote import Remote

    with Remote(control_url) as remote:
        answer = remote.get("/api/snapshot")
    return snapshot_of(answer.body)


def snapshot_of(found: Json) -> Snapshot:
    """The state that the API shows, as far as it routes: no code, no keys, no plans."""
    functions = [step for each in found["functions"].values() for step in _function(each)]
    services = [step for item in found["services"].items() for step in _service(*item)]
    snapshot = apply(EMPTY, Batch((*functions, *services)))
    return Snapshot(
        found["revision"], snapshot.functions, snapshot.services, entries=snapshot.entries
    )


def looker(snapshot: Snapshot, stage: str) -> Look:
    """Looks at recorded requests as the data plane would, if they were sent to a stage."""
    from gateway.dataplane.address import Addresses
    from gateway.dataplane.request import HttpRequest, read_headers

    addresses = Addresses(snapshot)

    def look(recorded: Recorded) -> Any:  # noqa: ANN401 - what `Look` says
        path = recorded.path
        decoded = unquote(path) if "%" in path else path
        found, rest = addresses.locate("", f"/{stage}{decoded}")
        api, parameters = found.table.match(recorded.method, rest)
        raw = [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in recorded.headers
        ]
        query = recorded.query.encode("latin-1")
        return api, HttpRequest(read_headers(raw), query, parameters, recorded.body)

    return look


def _function(found: Json) -> Iterator[Change]:
    name = found["name"]
    versions = {version["version"]: version for version in found["versions"]}
    latest = versions.pop(names.LATEST)
    yield PutFunction(name, "", read_configuration(latest))
    for number, version in versions.items():
        yield Publish(name, "", number, "", read_configuration(version))
    for alias, raw in found["aliases"].items():
        yield PutAlias(name, alias, parse_route(raw, f"alias {alias!r}")[0])


def _service(key: str, found: Json) -> Iterator[Change]:
    yield PutService(key, found["name"])
    for stage, released in found["stages"].items():
        yield Release(key, stage, tuple(map(read_api, released["apis"])))
