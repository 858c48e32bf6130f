"""Attaching plugins to APIs in stages, and which are attached where."""

from __future__ import annotations

from gateway.controlplane.cloud.apigateway import codes
from gateway.controlplane.cloud.apigateway.attaching import attached_shown, is_at, place
from gateway.controlplane.cloud.apigateway.known import (
    PLUGINS,
    api_named,
    environment,
    moment,
    page,
    service_named,
    stage_key,
    stage_of,
)
from gateway.controlplane.cloud.apigateway.plugin_requests import (
    AttachablePage,
    AttachPlugin,
    DetachPlugin,
    PluginPage,
    PluginsByApi,
)
from gateway.controlplane.cloud.apigateway.plugins import plugin_named
from gateway.controlplane.cloud.apigateway.settling import settled
from gateway.controlplane.cloud.apigateway.told import api_listed
from gateway.controlplane.cloud.asked import Asked, Fields
from gateway.controlplane.cloud.errors import fail
from gateway.core.changes import Batch, PutResource
from gateway.core.resources import NONE, Content
from gateway.core.snapshot import Snapshot


async def attach(asked: Asked) -> Fields:
    """A plugin that is in force at some APIs of a stage from now on."""
    given, now = asked.given(AttachPlugin), round(asked.clock(), 3)

    def ask(snapshot: Snapshot) -> Batch:
        plugin = plugin_named(snapshot, given.PluginId)
        service = service_named(snapshot, given.ServiceId)
        stage = stage_of(service, given.EnvironmentName).name
        found = [
            place(service.id, stage, api_named(service, key).id)
            for key in dict.fromkeys(given.ApiIds)
        ]
        for at in found:
            _check_free(snapshot, plugin["type"], at)
        attached = [*plugin["attached"], *({**at, "at": now} for at in found)]
        return settled(
            snapshot, [PutResource(PLUGINS, given.PluginId, {**plugin, "attached": attached})]
        )

    await asked.change(ask)
    return {"Result": True}


async def detach(asked: Asked) -> Fields:
    """A plugin that is in force at an API no more."""
    given = asked.given(DetachPlugin)

    def ask(snapshot: Snapshot) -> Batch:
        plugin = plugin_named(snapshot, given.PluginId)
        service = service_named(snapshot, given.ServiceId)
        at = place(service.id, stage_key(given.EnvironmentName), given.ApiId)
        left = [each for each in plugin["attached"] if not is_at(each, at)]
        if len(left) == len(plugin["attached"]):
            api_named(service, given.ApiId)
            message = f"the plugin {given.PluginId} is not attached to {given.ApiId}"
            fail(codes.BAD_APIS, f"{message} in {given.EnvironmentName}")
        return settled(
            snapshot, [PutResource(PLUGINS, given.PluginId, {**plugin, "attached": left})]
        )

    await asked.change(ask)
    return {"Result": True}


async def list_attached(asked: Asked) -> Fields:
    """The APIs that a plugin is attached to, page by page."""
    given = asked.given(PluginPage)
    found = attached_shown(asked.snapshot, plugin_named(asked.snapshot, given.PluginId))
    return {"Result": {"TotalCount": len(found), "AttachedApis": page(found, given)}}


async def list_attachable(asked: Asked) -> Fields:
    """The APIs of a service, and whether a plugin is attached to them in a stage."""
    given, times = asked.given(AttachablePage), await asked.told_times()
    plugin = plugin_named(asked.snapshot, given.PluginId)
    service = service_named(asked.snapshot, given.ServiceId)
    stage = stage_key(given.EnvironmentName)
    told = []
    for api in service.apis:
        at = place(service.id, stage, api.id)
        shown = api_listed(asked.snapshot, service, api, times)
        others = _attached(asked.snapshot, plugin["type"], at)
        told.append(
            {
                **{k: shown[k] for k in ("ApiId", "ApiName", "ApiType", "Path", "Method")},
                "IsAttached": any(is_at(each, at) for each in plugin["attached"]),
                "AttachedOtherPlugin": any(key != given.PluginId for key in others),
            }
        )
    return {"Result": {"TotalCount": len(told), "ApiSet": page(told, given)}}


async def list_plugins_of(asked: Asked) -> Fields:
    """The plugins of one API, in one stage or in all."""
    given = asked.given(PluginsByApi)
    service = service_named(asked.snapshot, given.ServiceId)
    api = api_named(service, given.ApiId)
    stage = None if given.EnvironmentName is None else stage_key(given.EnvironmentName)
    told = [
        _shown(key, plugin, each)
        for key, plugin in asked.snapshot.resources.get(PLUGINS, NONE).items()
        for each in plugin["attached"]
        if (each["service"], each["api"]) == (service.id, api.id) and stage in {None, each["stage"]}
    ]
    return {"Result": {"TotalCount": len(told), "PluginSummary": page(told, given)}}


def _shown(key: str, plugin: Content, each: Content) -> Fields:
    return {
        "PluginId": key,
        "PluginName": plugin["name"],
        "PluginType": plugin["type"],
        "PluginData": plugin["text"],
        "Description": plugin["description"],
        "Environment": environment(each["stage"]),
        "AttachedTime": moment(each["at"]),
    }


def _attached(snapshot: Snapshot, kind: str, at: Content) -> list[str]:
    """The plugins of a type that are attached at a place."""
    return [
        key
        for key, plugin in snapshot.resources.get(PLUGINS, NONE).items()
        if plugin["type"] == kind and any(is_at(each, at) for each in plugin["attached"])
    ]


def _check_free(snapshot: Snapshot, kind: str, at: Content) -> None:
    taken = _attached(snapshot, kind, at)
    if taken:
        message = f"API {at['api']} has the plugin {taken[0]} of the type {kind}"
        fail(codes.SAME_PLUGIN, f"{message} in {environment(at['stage'])}; detach it first")
