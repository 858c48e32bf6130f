"""APIs of a service in the cloud's words: drafts, by which nobody is answered before a release."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from gateway.controlplane.cloud.apigateway import codes
from gateway.controlplane.cloud.apigateway.binding import plans_of
from gateway.controlplane.cloud.apigateway.definitions import api_of
from gateway.controlplane.cloud.apigateway.known import (
    APIS,
    TRIGGERS,
    api_named,
    fitting,
    fresh,
    page,
    resource,
    service_named,
    without,
)
from gateway.controlplane.cloud.apigateway.requests import (
    ApiRequest,
    CreateApi,
    Definition,
    ModifyApi,
    ServicePage,
)
from gateway.controlplane.cloud.apigateway.told import api_listed, api_shown, defined, kept
from gateway.controlplane.cloud.asked import NOTHING, Asked, Fields
from gateway.controlplane.cloud.errors import fail
from gateway.core.changes import Batch, Change, PutResource, PutService
from gateway.core.errors import Refused
from gateway.core.snapshot import Api, HttpBackend, MockBackend, Service, Snapshot, Stage

MOST: Final = 200
LONGEST_NAME: Final = 60
FILTERS: Final = {
    "ApiId": "ApiId",
    "ApiName": "ApiName",
    "ApiPath": "Path",
    "ApiType": "ApiType",
    "AuthType": "AuthType",
    "AuthRelationApiId": "AuthRelationApiId",
    "ApiBuniessType": "ApiBusinessType",
}


async def create_api(asked: Asked) -> Fields:
    """A new API."""
    given, key = asked.given(CreateApi), fresh(asked, "api-")
    _check_name(given)

    def ask(snapshot: Snapshot) -> Batch:
        service = service_named(snapshot, given.ServiceId)
        if len(service.apis) >= MOST:
            fail(codes.MANY_APIS, f"service {service.id} has {MOST} APIs; allowed: at most {MOST}")
        api = api_of(key, given, snapshot)
        return Batch(drafted(service, (*service.apis, api), api, given))

    await asked.change(ask)
    service = asked.snapshot.services[given.ServiceId]
    told = api_listed(asked.snapshot, service, api_named(service, key), await asked.told_times())
    return {"Result": {name: told[name] for name in ("ApiId", "Path", "Method", "CreatedTime")}}


async def modify_api(asked: Asked) -> Fields:
    """An API otherwise; what is not named stays."""
    given = asked.given(ModifyApi)

    def ask(snapshot: Snapshot) -> Batch:
        service = service_named(snapshot, given.ServiceId)
        old = api_named(service, given.ApiId)
        known = defined(old, resource(snapshot, APIS, f"{service.id}/{old.id}"))
        known.get("ServiceConfig", {}).pop("Method", None)  # the caller's, whichever it is
        if known["ServiceType"] != given.ServiceType:
            del known["ServiceParameters"]  # they go to a back end that is there no more
        said = {name: getattr(given, name) for name in given.model_fields_set}
        merged = Definition.model_validate(
            {name: value for name, value in {**known, **said}.items() if value is not None},
            from_attributes=True,
        )
        _check_name(merged)
        api = _keeping(old, api_of(old.id, merged, snapshot), given)
        apis = tuple(api if each.id == old.id else each for each in service.apis)
        return Batch(drafted(service, apis, api, merged))

    await asked.change(ask)
    return NOTHING


async def describe_api(asked: Asked) -> Fields:
    """One API with everything that it is."""
    given, times = asked.given(ApiRequest), await asked.told_times()
    service = service_named(asked.snapshot, given.ServiceId)
    api = api_named(service, given.ApiId)
    return {"Result": api_shown(asked.snapshot, service, api, times)}


async def list_apis(asked: Asked) -> Fields:
    """The APIs of a service, page by page."""
    given, times = asked.given(ServicePage), await asked.told_times()
    service = service_named(asked.snapshot, given.ServiceId)
    told = [
        without(api_listed(asked.snapshot, service, api, times), "TokenLocation")
        for api in service.apis
    ]
    found = fitting(told, given, FILTERS)
    return {"Result": {"TotalCount": len(found), "ApiIdStatusSet": page(found, given)}}


async def delete_api(asked: Asked) -> Fields:
    """An API that goes; stages answer by it until they are released again."""
    given = asked.given(ApiRequest)

    def ask(snapshot: Snapshot) -> Batch:
        service = service_named(snapshot, given.ServiceId)
        api = api_named(service, given.ApiId)
        return Batch(deleted(asked, snapshot, service, api.id))

    await asked.change(ask)
    return {"Result": True}


def deleted(asked: Asked, snapshot: Snapshot, service: Service, key: str) -> tuple[Change, ...]:
    """The changes that take an API out of a service, and all that is kept of it.

    Raises:
        CloudError: A usage plan opens it alone.
    """
    plans = plans_of(snapshot, service, asked.times)
    bound = [each["UsagePlanId"] for each in plans if each["ApiId"] == key]
    if bound:
        fail(codes.API_BOUND, f"API {key} is bound to {bound[0]}; unbind it first")
    apis = tuple(each for each in service.apis if each.id != key)
    forgotten = (PutResource(group, f"{service.id}/{key}", None) for group in (APIS, TRIGGERS))
    return (PutService(service.id, service.name, apis), *forgotten)


def drafted(
    service: Service, apis: tuple[Api, ...], api: Api, given: Definition
) -> tuple[PutService, PutResource]:
    """The changes that give a service other APIs, one of which is as defined.

    Raises:
        CloudError: They could not be released together, so they are no drafts.
    """
    try:
        Stage("", apis)
    except Refused as refused:
        fail(codes.BAD_REQUEST, f"service {service.id}: {refused}")
    kept_beside = PutResource(APIS, f"{service.id}/{api.id}", kept(given))
    return PutService(service.id, service.name, apis), kept_beside


def _keeping(old: Api, api: Api, given: ModifyApi) -> Api:
    """An API with what it had and what the cloud has no words for."""
    had = old.features
    features = replace(api.features, throttle=had.throttle, gzip=had.gzip, max_body=had.max_body)
    api, before, after = replace(api, features=features), old.backend, api.backend
    if isinstance(before, MockBackend) and isinstance(after, MockBackend):
        return replace(api, backend=replace(after, status=before.status, headers=before.headers))
    unnamed = "ServiceTimeout" not in given.model_fields_set
    if unnamed and isinstance(before, HttpBackend) and isinstance(after, HttpBackend):
        return replace(api, backend=replace(after, timeout=before.timeout))
    return api


def _check_name(given: Definition) -> None:
    if len(given.ApiName) > LONGEST_NAME:
        message = f"ApiName is {given.ApiName!r:.80}; allowed: at most {LONGEST_NAME} characters"
        fail(codes.LENGTH, message)
