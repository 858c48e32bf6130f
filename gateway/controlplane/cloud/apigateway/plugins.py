"""Plugins in the cloud's words: made once, attached to APIs in stages, in force at once."""

from __future__ import annotations

from typing import Final

from gateway.controlplane.cloud.apigateway import codes
from gateway.controlplane.cloud.apigateway.attaching import attached_shown
from gateway.controlplane.cloud.apigateway.known import (
    PLUGINS,
    altered_at,
    check_one_of,
    fresh,
    known,
    made_at,
    page,
)
from gateway.controlplane.cloud.apigateway.plugin_data import ELSEWHERE, TYPES, read_data
from gateway.controlplane.cloud.apigateway.plugin_requests import (
    CreatePlugin,
    ListPlugins,
    ModifyPlugin,
    PluginRequest,
)
from gateway.controlplane.cloud.apigateway.settling import settled
from gateway.controlplane.cloud.asked import Asked, Fields
from gateway.controlplane.cloud.errors import UNSUPPORTED, fail
from gateway.controlplane.cloud.times import Times
from gateway.core.changes import Batch, PutResource
from gateway.core.errors import listed
from gateway.core.resources import NONE, Content
from gateway.core.snapshot import Snapshot

LONGEST_NAME: Final = 50
IN_USE: Final = ("UnsupportedOperation.InvalidAction", "ResourceInUse")


async def create_plugin(asked: Asked) -> Fields:
    """A new plugin, attached to nothing."""
    given, key = asked.given(CreatePlugin), fresh(asked, "plugin-")
    _check_name(given.PluginName)
    if given.PluginType in ELSEWHERE:
        message = f"there are no plugins of the type {given.PluginType}"
        fail(UNSUPPORTED, f"{message}; {listed(TYPES)} are")
    check_one_of("PluginType", given.PluginType, TYPES, codes.OPTIONS)
    content = {
        "name": given.PluginName,
        "type": given.PluginType,
        "description": given.Description,
        "text": given.PluginData,
        "data": read_data(given.PluginType, given.PluginData),
        "attached": [],
    }
    await asked.change(PutResource(PLUGINS, key, content))
    return {"Result": await _shown(asked, key)}


async def describe_plugin(asked: Asked) -> Fields:
    """One plugin, and what it is attached to."""
    given = asked.given(PluginRequest)
    plugin_named(asked.snapshot, given.PluginId)
    return {"Result": await _shown(asked, given.PluginId)}


async def list_plugins(asked: Asked) -> Fields:
    """Every plugin that is asked for, page by page."""
    given, times = asked.given(ListPlugins), await asked.told_times()
    if given.Filters:
        fail(codes.FILTER, "plugins have no filters; use PluginIds, PluginName and PluginType")
    for key in given.PluginIds:
        plugin_named(asked.snapshot, key)
    found = [
        plugin_shown(asked.snapshot, key, content, times)
        for key, content in asked.snapshot.resources.get(PLUGINS, NONE).items()
        if (not given.PluginIds or key in given.PluginIds)
        and given.PluginName in {None, content["name"]}
        and given.PluginType in {None, content["type"]}
    ]
    return {"Result": {"TotalCount": len(found), "PluginSet": page(found, given)}}


async def modify_plugin(asked: Asked) -> Fields:
    """A plugin otherwise, in force at once; what is not named stays."""
    given = asked.given(ModifyPlugin)
    if given.PluginName is not None:
        _check_name(given.PluginName)

    def ask(snapshot: Snapshot) -> Batch:
        content = dict(plugin_named(snapshot, given.PluginId))
        if given.PluginName is not None:
            content["name"] = given.PluginName
        if given.Description is not None:
            content["description"] = given.Description
        if given.PluginData is not None:
            content["text"] = given.PluginData
            content["data"] = read_data(content["type"], given.PluginData)
        return settled(snapshot, [PutResource(PLUGINS, given.PluginId, content)])

    await asked.change(ask)
    return {"Result": True}


async def delete_plugin(asked: Asked) -> Fields:
    """A plugin that goes: it must be attached to nothing."""
    given = asked.given(PluginRequest)

    def ask(snapshot: Snapshot) -> PutResource:
        attached = plugin_named(snapshot, given.PluginId)["attached"]
        if attached:
            said = listed(dict.fromkeys(each["api"] for each in attached))
            message = f"the plugin {given.PluginId} is attached to {said:.200}"
            fail(IN_USE, f"{message}; detach it first")
        return PutResource(PLUGINS, given.PluginId, None)

    await asked.change(ask)
    return {"Result": True}


def plugin_named(snapshot: Snapshot, key: str) -> Content:
    """A plugin that exists.

    Raises:
        CloudError: There is none.
    """
    return known(snapshot.resources.get(PLUGINS, NONE), key, ("plugin", codes.NO_PLUGIN))


def plugin_shown(snapshot: Snapshot, key: str, content: Content, times: Times) -> Fields:
    """A plugin as the cloud tells it."""
    path = ("resources", PLUGINS, key)
    attached = attached_shown(snapshot, content)
    return {
        "PluginId": key,
        "PluginName": content["name"],
        "PluginType": content["type"],
        "PluginData": content["text"],
        "Description": content["description"],
        "CreatedTime": made_at(times, path),
        "ModifiedTime": altered_at(times, path),
        "AttachedApiTotalCount": len(attached),
        "AttachedApis": attached,
    }


async def _shown(asked: Asked, key: str) -> Fields:
    content = asked.snapshot.resources[PLUGINS][key]
    return plugin_shown(asked.snapshot, key, content, await asked.told_times())


def _check_name(name: str) -> None:
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        message = f"PluginName is {name!r:.80}; allowed: 1 to {LONGEST_NAME} characters"
        fail(codes.LENGTH, message)
