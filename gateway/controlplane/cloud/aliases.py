"""Aliases in the cloud's words: the same changes, the same journal, within the cloud's limits."""

from __future__ import annotations

from gateway.controlplane.cloud import limits
from gateway.controlplane.cloud.asked import (
    NOTHING,
    Asked,
    Fields,
    alias_named,
    function_named,
    page,
    version_named,
)
from gateway.controlplane.cloud.errors import fail
from gateway.controlplane.cloud.requests import AliasRequest, ListAliases, PutAlias
from gateway.controlplane.cloud.routing import route_of, routing_plain
from gateway.controlplane.cloud.times import Times
from gateway.core import changes
from gateway.core.alias import Alias
from gateway.core.snapshot import Snapshot


async def create_alias(asked: Asked) -> Fields:
    """A new alias."""
    given = asked.given(PutAlias)

    def ask(snapshot: Snapshot) -> changes.PutAlias:
        function = function_named(snapshot, given.FunctionName)
        if given.Name in function.aliases:
            fail("ResourceInUse.Alias", f"function {function.name!r} has an alias {given.Name!r}")
        limits.ALIAS_NAME.check(given.Name)
        return _put(snapshot, given, given.Description or "")

    await asked.change(ask)
    return NOTHING


async def update_alias(asked: Asked) -> Fields:
    """Another routing: what is not named is cleared, but for the description."""
    given = asked.given(PutAlias)

    def ask(snapshot: Snapshot) -> changes.PutAlias:
        alias = alias_named(function_named(snapshot, given.FunctionName), given.Name)
        said = given.Description
        return _put(snapshot, given, alias.description if said is None else said)

    await asked.change(ask)
    return NOTHING


async def get_alias(asked: Asked) -> Fields:
    """One alias."""
    given = asked.given(AliasRequest)
    alias = alias_named(function_named(asked.snapshot, given.FunctionName), given.Name)
    return _plain(alias, await asked.told_times())


async def list_aliases(asked: Asked) -> Fields:
    """Every alias, or those that name a version."""
    given = asked.given(ListAliases)
    function = function_named(asked.snapshot, given.FunctionName)
    for text in (given.Offset, given.Limit):
        limits.COUNT.check(text)
    found = [alias for alias in function.aliases.values() if _names(alias, given.FunctionVersion)]
    times = await asked.told_times()
    shown = page(found, int(given.Offset), int(given.Limit))
    return {"Aliases": [_plain(alias, times) for alias in shown], "TotalCount": len(found)}


async def delete_alias(asked: Asked) -> Fields:
    """An alias that goes."""
    given = asked.given(AliasRequest)
    await asked.change(changes.DeleteAlias(given.FunctionName, given.Name))
    return NOTHING


def _put(snapshot: Snapshot, given: PutAlias, description: str) -> changes.PutAlias:
    limits.DESCRIPTION.check(len(given.Description or ""))
    function = function_named(snapshot, given.FunctionName)
    version_named(function, given.FunctionVersion)
    route = route_of(given.FunctionVersion, given.RoutingConfig)
    for version, _ in route.named():
        version_named(function, version)
    return changes.PutAlias(given.FunctionName, given.Name, route, description)


def _names(alias: Alias, version: str | None) -> bool:
    return version is None or any(version == named for named, _ in alias.route.named())


def _plain(alias: Alias, times: Times) -> Fields:
    path = ("functions", alias.function, "aliases", alias.name)
    return {
        "Name": alias.name,
        "FunctionVersion": alias.route.version,
        "RoutingConfig": routing_plain(alias.route),
        "Description": alias.description,
        "AddTime": times.added(*path),
        "ModTime": times.altered(*path),
    }
