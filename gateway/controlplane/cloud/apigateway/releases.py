"""Releases in the cloud's words: the APIs of a service as they are now, frozen for one stage."""

from __future__ import annotations

from typing import Any

from gateway.controlplane.cloud.apigateway import codes
from gateway.controlplane.cloud.apigateway.history import Released, current, releases
from gateway.controlplane.cloud.apigateway.known import (
    ENVIRONMENTS,
    fresh_version,
    host_of,
    page,
    service_named,
    stage_key,
    stage_of,
)
from gateway.controlplane.cloud.apigateway.requests import (
    ReleaseHistory,
    ReleaseService,
    ServicePage,
    StageRequest,
    UpdateService,
)
from gateway.controlplane.cloud.apigateway.settling import settled
from gateway.controlplane.cloud.asked import Asked, Fields
from gateway.controlplane.cloud.errors import fail
from gateway.core.changes import Batch, Release, Unrelease
from gateway.core.errors import Refused, listed
from gateway.core.features import NO_STAGE_FEATURES
from gateway.core.snapshot import Edition, Service, Snapshot, Stage


async def release_service(asked: Asked) -> Fields:
    """Release the APIs of a service to a stage."""
    given = asked.given(ReleaseService)
    stage = stage_key(given.EnvironmentName)
    version = fresh_version(asked)
    edition = Edition(version, given.ReleaseDesc)

    def ask(snapshot: Snapshot) -> Batch:
        service = service_named(snapshot, given.ServiceId)
        before = service.stages.get(stage)
        variables = before.variables if before else {}
        return _released(snapshot, service, Stage(stage, service.apis, variables, edition=edition))

    await asked.change(ask)
    return {"Result": {"ReleaseDesc": given.ReleaseDesc, "ReleaseVersion": version}}


async def unrelease_service(asked: Asked) -> Fields:
    """Take a stage off the air."""
    given = asked.given(StageRequest)

    def ask(snapshot: Snapshot) -> Unrelease:
        service = service_named(snapshot, given.ServiceId)
        return Unrelease(service.id, stage_of(service, given.EnvironmentName).name)

    await asked.change(ask)
    return {"Result": True}


async def update_service(asked: Asked) -> Fields:
    """Bring back to a stage what was released before, to it or to another one."""
    given = asked.given(UpdateService)
    service = service_named(asked.snapshot, given.ServiceId)
    found = await releases(asked.control.store, service.id)
    chosen = _chosen(found, given.VersionName, stage_key(given.EnvironmentName))
    if chosen is None:
        message = f"service {service.id} has no release {given.VersionName!r:.80}"
        there = dict.fromkeys(each.edition.version for each in found)
        fail(codes.NO_EDITION, f"{message}; it has {listed(there):.400}")
    edition = chosen.edition
    if given.UpdateDesc:
        edition = Edition(edition.version, given.UpdateDesc)

    def ask(snapshot: Snapshot) -> Batch:
        live = service_named(snapshot, given.ServiceId)
        stage = stage_of(live, given.EnvironmentName).name
        wanted = Stage(stage, chosen.apis, chosen.plain["variables"], edition=edition)
        return _released(snapshot, live, wanted)

    await asked.change(ask)
    return {"Result": True}


async def list_versions(asked: Asked) -> Fields:
    """Every release of a service, each once, newest first."""
    given = asked.given(ServicePage)
    found = await _history(asked, given.ServiceId)
    told = list({each.edition.version: _version(each) for each in found}.values())
    return {"Result": {"TotalCount": len(told), "VersionList": page(told, given)}}


async def list_history(asked: Asked) -> Fields:
    """What was released to a stage and when, newest first."""
    given = asked.given(ReleaseHistory)
    stage = None if given.EnvironmentName is None else stage_key(given.EnvironmentName)
    found = await _history(asked, given.ServiceId)
    told = [each.shown() for each in found if stage in {None, each.stage}]
    return {"Result": {"TotalCount": len(told), "VersionList": page(told, given)}}


async def list_environments(asked: Asked) -> Fields:
    """All three stages, released or not."""
    given = asked.given(ServicePage)
    told = await environments_shown(asked, given.ServiceId)
    return {"Result": {"TotalCount": len(told), "EnvironmentList": page(told, given)}}


async def environments_shown(asked: Asked, key: str) -> list[Fields]:
    """The stages of a service as the cloud lists them."""
    found = await _history(asked, key)
    service = service_named(asked.snapshot, key)
    return [_environment(asked, service, name, found) for name in ENVIRONMENTS]


def _environment(
    asked: Asked, service: Service, name: str, found: list[Released]
) -> dict[str, Any]:
    stage = stage_key(name)
    is_on = stage in service.stages
    newest = next((each for each in found if each.stage == stage), None)
    return {
        "EnvironmentName": name,
        "Url": f"{host_of(asked, service.id)}/{name}",
        "Status": int(is_on),
        "VersionName": current(found, stage) if is_on else "",
        "CreateTime": newest.at if is_on and newest else "",
    }


async def _history(asked: Asked, key: str) -> list[Released]:
    service = service_named(asked.snapshot, key)
    return await releases(asked.control.store, service.id)


def _chosen(found: list[Released], version: str, stage: str) -> Released | None:
    """A release by its name; one that released several stages at once is meant for the same."""
    named = [each for each in found if each.edition.version == version]
    return next((each for each in named if each.stage == stage), named[0] if named else None)


def _version(release: Released) -> Fields:
    told = release.shown()
    return {name: told[name] for name in ("VersionName", "VersionDesc")}


def _released(snapshot: Snapshot, service: Service, wanted: Stage) -> Batch:
    """A release; who may call, and how often, is not this request's to say: it stays."""
    before = service.stages.get(wanted.name)
    features = before.features if before else NO_STAGE_FEATURES
    said = (wanted.apis, wanted.variables, features, wanted.edition)
    change = Release(service.id, wanted.name, *said)
    try:
        return settled(snapshot, [change])
    except Refused as refused:
        fail(codes.REFUSED, str(refused))
