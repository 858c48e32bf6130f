"""The state as a whole: what is live, what the file would make of it, what was changed, and why."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from gateway.config.merge import Kept
from gateway.controlplane.history import audit_plain, difference_plain
from gateway.controlplane.rest.bodies import ApplyBody, ChangesQuery, ExplainBody
from gateway.controlplane.rest.changes import changed
from gateway.controlplane.rest.operation import Asked, Reply
from gateway.controlplane.stream import EventStream
from gateway.core.plain import snapshot_plain
from gateway.dice import Fixed

TEXT = "text/plain"


async def healthy(_asked: Asked) -> Reply:
    """The process answers."""
    return Reply(b"ok\n", media=TEXT)


async def ready(asked: Asked) -> Reply:
    """A state is live, whether or not what keeps it is away."""
    age = asked.control.store.age
    told = "" if age is None else f" age={age:.1f}"
    return Reply(f"ready revision={asked.snapshot.revision}{told}\n".encode(), media=TEXT)


async def get_snapshot(asked: Asked) -> Reply:
    """Everything that routes."""
    return Reply(snapshot_plain(asked.snapshot), asked.snapshot.revision)


async def explain(asked: Asked) -> Reply:
    """Which version would answer a request, and why."""
    body = asked.parsed(ExplainBody)
    request = (body.method, body.path, list(body.headers.items()), body.body)
    draw = None if body.draw is None else Fixed(body.draw)
    found = asked.control.explain(body.stage, request, draw)
    return Reply(found.to_dict(), found.revision)


async def diff(asked: Asked) -> Reply:
    """What applying the file would alter, and what it would not."""
    applied = await asked.control.apply_file(None, asked.author, dry_run=True)
    plain = {
        "revision": applied.done.revision,
        "differences": [difference_plain(each) for each in applied.done.differences],
        "kept": _kept(applied.kept),
    }
    return Reply(plain, applied.done.revision)


async def apply(asked: Asked) -> Reply:
    """Bring the live state to what a stages.toml declares."""
    body = asked.parsed(ApplyBody)
    applied = await asked.control.apply_file(
        None if body.file is None else Path(body.file),
        asked.author,
        dry_run=body.dry_run,
        expected=asked.expected,
    )
    extras = {"kept": _kept(applied.kept), "warnings": list(applied.warnings)}
    return changed(applied.done, extras)


async def export(asked: Asked) -> Reply:
    """A stages.toml that reproduces the live state."""
    found = await asked.control.export()
    packages = [
        {"function": each.function, "version": each.version, "folder": each.folder}
        for each in found.packages
    ]
    plain = {"toml": found.text, "notes": list(found.notes), "packages": packages}
    return Reply(plain, asked.snapshot.revision)


async def list_changes(asked: Asked) -> Reply:
    """The audit log."""
    query = asked.parsed(ChangesQuery)
    path = tuple(part for part in query.path.split("/") if part)
    records = await asked.control.store.records(path=path, before=query.before, limit=query.limit)
    return Reply({"changes": [audit_plain(each) for each in records]}, asked.snapshot.revision)


async def events(asked: Asked) -> EventStream:
    """Everything that happens, as it happens."""
    return EventStream(asked.control, asked.last_event)


def _kept(kept: Iterable[Kept]) -> list[dict[str, object]]:
    return [
        {"path": list(each.path), "declared": each.declared, "live": each.live} for each in kept
    ]
