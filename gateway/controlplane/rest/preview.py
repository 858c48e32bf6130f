"""What a new routing of an alias would alter, told before it is done; nothing is altered.

The body is read by the law that reads it when it is put, and applied to the live snapshot by the
same steps; what comes of it is told and forgotten.
"""

from __future__ import annotations

from typing import Final

from pydantic import Field

from gateway.controlplane.history import difference_plain
from gateway.controlplane.rest import aliases
from gateway.controlplane.rest.accounts import Difference
from gateway.controlplane.rest.answers import Answer
from gateway.controlplane.rest.bodies import AliasBody, RollbackBody
from gateway.controlplane.rest.naming import function_named
from gateway.controlplane.rest.operation import Asked, Operation, Reply
from gateway.controlplane.rest.preview_words import alters, reaches, remarks, shares_of
from gateway.controlplane.rollback import move_back
from gateway.core import names
from gateway.core.alias import Route
from gateway.core.apply import apply
from gateway.core.changes import PutAlias
from gateway.core.diff import differences


class PreviewedShare(Answer):
    """What one version gets of the requests that no rule decides."""

    version: str
    before: float
    after: float


class Previewed(Answer):
    """What a change of an alias would alter."""

    revision: int = Field(description="The revision that it would be made from.")
    changed: bool
    differences: list[Difference]
    shares: list[PreviewedShare]
    sentences: list[str] = Field(description="What would be altered, in words.")
    remarks: list[str] = Field(description="What one should know before it is done.")


class PreviewedRollback(Previewed):
    """What a roll-back would alter."""

    restores: int = Field(description="The revision whose state would be brought back.")


async def preview_alias(asked: Asked) -> Reply:
    """Tell what putting an alias would alter."""
    plain = _previewed(asked, *aliases.read_alias(asked.raw, asked.names))
    return Reply(plain, asked.snapshot.revision)


async def preview_rollback(asked: Asked) -> Reply:
    """Tell what rolling an alias back would bring."""
    function, alias = asked.names["f"], asked.names["a"]
    revision = asked.parsed(RollbackBody).to_revision
    move = await move_back(asked.control.store, function, alias, revision)
    plain = _previewed(asked, *aliases.read_alias(move.after, asked.names))
    return Reply({**plain, "restores": move.revision}, asked.snapshot.revision)


def _previewed(asked: Asked, route: Route, description: str) -> dict[str, object]:
    name, alias, old = asked.names["f"], asked.names["a"], asked.snapshot
    new = apply(old, PutAlias(name, alias, route, description))
    found = differences(old, new)
    function = function_named(new, name)
    before, after = function_named(old, name).aliases.get(alias), function.aliases[alias]
    was, now = shares_of(before), shares_of(after)
    return {
        "revision": old.revision,
        "changed": bool(found),
        "differences": [difference_plain(each) for each in found],
        "shares": [
            {"version": v, "before": float(was.get(v, 0)), "after": float(now.get(v, 0))}
            for v in sorted({*was, *now}, key=names.version_order)
        ],
        "sentences": list(alters(before, after)) if found else [],
        "remarks": [*reaches(new, after), *remarks(function, after)] if found else [],
    }


PREVIEW_OPERATIONS: Final = (
    Operation(
        id="previewAlias",
        method="POST",
        path="/api/functions/{f}/aliases/{a}/preview",
        summary="Check an alias's routing and tell what it would alter; nothing is altered",
        run=preview_alias,
        answer=Previewed,
        body=AliasBody,
        law=aliases.read_alias,
        creates="a",
        asks=True,
    ),
    Operation(
        id="previewRollBack",
        method="POST",
        path="/api/functions/{f}/aliases/{a}/rollback/preview",
        summary="Tell what rolling an alias back would bring; nothing is altered",
        run=preview_rollback,
        answer=PreviewedRollback,
        body=RollbackBody,
        optional=True,
        asks=True,
        errors=(409, 503),
    ),
)
"""Every operation that only tells what another one would do."""
