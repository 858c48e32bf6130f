"""Answers to whatever alters something: one form for all of them."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.controlplane.changing import Done
from gateway.controlplane.history import difference_plain
from gateway.controlplane.rest.operation import Reply
from gateway.core.diff import Difference, Path

NOTHING: Mapping[str, object] = {}


def done_plain(done: Done) -> dict[str, object]:
    """What became of a change."""
    return {
        "revision": done.revision,
        "changed": done.changed,
        "differences": [difference_plain(difference) for difference in done.differences],
    }


def changed(done: Done, extras: Mapping[str, object] = NOTHING, status: int = 200) -> Reply:
    """The answer to a change, with what else is told about it."""
    return Reply({**done_plain(done), **extras}, done.revision, status)


def made(done: Done, path: Path) -> Reply:
    """The answer to a change that may have created the part at a path."""
    found = difference_at(done, path)
    created = found is not None and found.before is None
    return changed(done, status=201 if created else 200)


def difference_at(done: Done, path: Path) -> Difference | None:
    """What a change did to one part."""
    return next((each for each in done.differences if each.path == path), None)
