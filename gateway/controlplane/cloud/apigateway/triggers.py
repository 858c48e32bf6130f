"""API Gateway triggers of functions: an API that leads to a function, made and released in one go.

A trigger is an API like all others; what makes it a trigger is that it is told with its function
and goes with it. The caller has looked at the function, its qualifier, and the type.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from gateway.controlplane.cloud.apigateway.apis import deleted, drafted
from gateway.controlplane.cloud.apigateway.definitions import api_of
from gateway.controlplane.cloud.apigateway.known import (
    SERVICES,
    TRIGGERS,
    environment,
    fresh,
    fresh_version,
    host_of,
    known,
    service_named,
)
from gateway.controlplane.cloud.apigateway.requests import Definition, Front
from gateway.controlplane.cloud.apigateway.settling import settled
from gateway.controlplane.cloud.apigateway.trigger_desc import Wanted, read_desc
from gateway.controlplane.cloud.asked import Asked, Fields
from gateway.controlplane.cloud.errors import NO_TRIGGER
from gateway.core.changes import Batch, Change, PutResource, PutService, Release
from gateway.core.features import NO_STAGE_FEATURES
from gateway.core.resources import NONE, Content
from gateway.core.snapshot import Api, Edition, FunctionBackend, Service, Snapshot


async def create(asked: Asked, function: str, qualifier: str, text: str | None) -> Fields:
    """A new trigger: an API, released with all others of its service.

    Args:
        asked: Who asks.
        function: An existing function.
        qualifier: One of its versions or aliases.
        text: The TriggerDesc.

    Raises:
        CloudError: The description is wrong, or an API is in the way.
    """
    wanted, api_id, service_id = read_desc(text), fresh(asked, "api-"), fresh(asked, "service-")
    edition = Edition(fresh_version(asked), f"trigger of {function}")
    keys: list[str] = []

    def ask(snapshot: Snapshot) -> Batch:
        service = _service(snapshot, wanted) or Service(service_id, wanted.name)
        keys[:] = [f"{service.id}/{api_id}"]
        given = _definition(wanted, function, qualifier)
        api = api_of(api_id, given, snapshot)
        content = {
            "function": function,
            "qualifier": qualifier,
            "service": service.id,
            "api": api_id,
            "stage": wanted.stage,
        }
        steps: list[Change] = []
        if service.id not in snapshot.services:
            said = {"description": "", "protocol": "http", "nets": ["OUTER"], "made": True}
            steps += [PutService(service.id, service.name), PutResource(SERVICES, service.id, said)]
        apis = (*service.apis, api)
        steps += [*drafted(service, apis, api, given), PutResource(TRIGGERS, keys[0], content)]
        before = service.stages.get(wanted.stage)
        features = before.features if before else NO_STAGE_FEATURES
        variables = before.variables if before else {}
        steps.append(Release(service.id, wanted.stage, apis, variables, features, edition))
        return settled(snapshot, steps)

    await asked.change(ask)
    await asked.told_times()
    return next(_shown(asked, keys[0], asked.snapshot.resources[TRIGGERS][keys[0]]))


async def listed(asked: Asked, function: str) -> list[Fields]:
    """The triggers of a function, as `TriggerInfo`."""
    await asked.told_times()
    return [
        told
        for key, content in asked.snapshot.resources.get(TRIGGERS, NONE).items()
        if content["function"] == function
        for told in _shown(asked, key, content)
    ]


async def delete(asked: Asked, key: str) -> None:
    """A trigger that goes, from its service and from the stage that it was released to.

    Args:
        asked: Who asks.
        key: Its `ResourceId`, as `listed` tells it.

    Raises:
        CloudError: It is not there any more, or a usage plan opens its API alone.
    """
    version = fresh_version(asked)

    def ask(snapshot: Snapshot) -> Batch:
        kept = snapshot.resources.get(TRIGGERS, NONE)
        content = known(kept, key, ("trigger", NO_TRIGGER))
        service = service_named(snapshot, content["service"])
        steps = [*deleted(asked, snapshot, service, content["api"])]
        stage = service.stages.get(content["stage"])
        if stage is not None:
            apis = tuple(api for api in stage.apis if api.id != content["api"])
            edition = Edition(version, f"no trigger of {content['function']}")
            said = (apis, stage.variables, stage.features, edition)
            steps.append(Release(service.id, stage.name, *said))
        return settled(snapshot, steps)

    await asked.change(ask)


def _service(snapshot: Snapshot, wanted: Wanted) -> Service | None:
    """The service that a trigger belongs to; `None` for one that is yet to be made."""
    if wanted.service:
        return service_named(snapshot, wanted.service)
    services = snapshot.services.values()
    return next((each for each in services if each.name == wanted.name), None)


def _definition(wanted: Wanted, function: str, qualifier: str) -> Definition:
    return Definition(
        ServiceType="SCF",
        RequestConfig=Front(Path=wanted.path or f"/{function}", Method=wanted.method),
        ApiName=function,
        AuthType="SECRET" if wanted.signed else "NONE",
        IsBase64Encoded=wanted.base64,
        ServiceScfFunctionName=function,
        ServiceScfFunctionQualifier=qualifier,
        ServiceScfIsIntegratedResponse=wanted.integrated,
    )


def _api(snapshot: Snapshot, content: Content) -> tuple[Api, FunctionBackend] | None:
    """The API of a trigger; `None` where there is none any more that leads to its function."""
    service = snapshot.services.get(content["service"])
    for api in service.apis if service else ():
        backend = api.backend
        if api.id == content["api"] and isinstance(backend, FunctionBackend):
            return (api, backend) if backend.function == content["function"] else None
    return None


def _shown(asked: Asked, key: str, content: Content) -> Iterator[Fields]:
    """A trigger as the cloud tells it; nothing where it is none any more."""
    found = _api(asked.snapshot, content)
    if found is None:
        return
    (api, backend), service = found, asked.snapshot.services[content["service"]]
    desc = {
        "api": {
            "apiId": api.id,
            "apiName": content["function"],
            "authRequired": "TRUE" if api.features.auth == "key" else "FALSE",
            "isIntegratedResponse": "TRUE" if backend.integrated else "FALSE",
            "IsBase64Encoded": "TRUE" if api.features.base64 else "FALSE",
            "requestConfig": {"method": api.method, "path": api.path.text},
        },
        "service": {
            "serviceId": service.id,
            "serviceName": service.name,
            "subDomain": f"http://{host_of(asked, service.id)}/"
            f"{environment(content['stage'])}{api.path.literal}",
        },
        "release": {"environmentName": environment(content["stage"])},
    }
    path = ("resources", TRIGGERS, key)
    yield {
        "TriggerName": service.name,
        "Type": "apigw",
        "TriggerDesc": json.dumps(desc, ensure_ascii=False),
        "Qualifier": backend.qualifier,
        "Description": "",
        "CustomArgument": "",
        "Enable": 1,
        "AvailableStatus": "Available",
        "BindStatus": "on",
        "TriggerAttribute": "single",
        "ResourceId": key,
        "BoundResources": "",
        "AddTime": asked.times.added(*path),
        "ModTime": asked.times.altered(*path),
    }
