"""Aliases: where they lead, where they led, and back again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gateway.controlplane.history import move_plain
from gateway.controlplane.rest.bodies import HistoryQuery, RollbackBody
from gateway.controlplane.rest.changes import changed, difference_at, made
from gateway.controlplane.rest.naming import alias_named, function_named
from gateway.controlplane.rest.operation import Asked, Reply
from gateway.core.alias import Route, parse_route
from gateway.core.changes import DeleteAlias, PutAlias
from gateway.core.diff import Path
from gateway.core.errors import Refused
from gateway.core.plain import alias_plain, function_plain


async def list_aliases(asked: Asked) -> Reply:
    """Every alias of a function."""
    function = function_named(asked.snapshot, asked.names["f"])
    return Reply({"aliases": function_plain(function)["aliases"]}, asked.snapshot.revision)


async def get_alias(asked: Asked) -> Reply:
    """One alias."""
    alias = alias_named(function_named(asked.snapshot, asked.names["f"]), asked.names["a"])
    return Reply(alias_plain(alias), asked.snapshot.revision)


def read_alias(raw: object, named: Mapping[str, str]) -> tuple[Route, str]:
    """The body as stages.toml is read: the same law, the same sentences."""
    return parse_route(raw, f"alias {named['a']!r} of function {named['f']!r}")


async def put_alias(asked: Asked) -> Reply:
    """Create an alias or replace its whole routing."""
    function, alias = asked.names["f"], asked.names["a"]
    change = PutAlias(function, alias, *read_alias(asked.raw, asked.names))
    done = await asked.control.change(change, asked.author, expected=asked.expected)
    return made(done, _path(asked))


async def delete_alias(asked: Asked) -> Reply:
    """Remove an alias."""
    change = DeleteAlias(asked.names["f"], asked.names["a"])
    return changed(await asked.control.change(change, asked.author, expected=asked.expected))


async def alias_history(asked: Asked) -> Reply:
    """Where an alias led, newest first."""
    path, query = _path(asked), asked.parsed(HistoryQuery)
    records = await asked.control.store.records(path=path, before=query.before, limit=query.limit)
    moves = [move_plain(record, path) for record in records]
    return Reply({"moves": moves}, asked.snapshot.revision)


async def roll_back(asked: Asked) -> Reply:
    """Bring back where an alias led."""
    function, alias = asked.names["f"], asked.names["a"]
    revision = asked.parsed(RollbackBody).to_revision
    try:
        done = await asked.control.roll_back(
            function, alias, revision, asked.author, expected=asked.expected
        )
    except Refused as refused:
        # Places in the earlier state are no places in this request's body.
        raise Refused(replace(problem, at=()) for problem in refused.problems) from None
    found = difference_at(done, _path(asked))
    live = asked.control.live.snapshot
    after = (
        found.after if found else alias_plain(alias_named(function_named(live, function), alias))
    )
    return changed(done, {"alias": after, "restores": done.restores})


def _path(asked: Asked) -> Path:
    return ("functions", asked.names["f"], "aliases", asked.names["a"])
