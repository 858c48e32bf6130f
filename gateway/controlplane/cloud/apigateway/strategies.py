"""Limits of requests per second in the cloud's words: of stages, and of APIs in stages."""

from __future__ import annotations

from typing import Final

from gateway.controlplane.cloud.apigateway import codes
from gateway.controlplane.cloud.apigateway.known import (
    APIS,
    ENVIRONMENTS,
    STRATEGIES,
    api_named,
    page,
    resource,
    service_named,
    stage_key,
)
from gateway.controlplane.cloud.apigateway.releases import environments_shown
from gateway.controlplane.cloud.apigateway.requests import (
    ApiStrategies,
    ModifyApiStrategy,
    ModifyStrategy,
    ServicePage,
)
from gateway.controlplane.cloud.apigateway.settling import (
    UNLIMITED,
    USUAL_STRATEGY,
    settled,
)
from gateway.controlplane.cloud.asked import Asked, Fields
from gateway.controlplane.cloud.errors import fail
from gateway.core.changes import Batch, PutResource
from gateway.core.snapshot import Api, Service, Snapshot

MOST: Final = 5000
"""Requests per second that a limit may allow."""


async def list_strategies(asked: Asked) -> Fields:
    """The limit of each stage."""
    given = asked.given(ServicePage)
    told = [
        _with_strategy(asked, given, each)
        for each in await environments_shown(asked, given.ServiceId)
    ]
    return {"Result": {"TotalCount": len(told), "EnvironmentList": page(told, given)}}


async def modify_strategy(asked: Asked) -> Fields:
    """Another limit for some stages, in force at once and for releases to come."""
    given = asked.given(ModifyStrategy)
    _check_rate(given.Strategy)
    stages = [stage_key(name) for name in given.EnvironmentNames]

    def ask(snapshot: Snapshot) -> Batch:
        service = service_named(snapshot, given.ServiceId)
        content = {"rate": given.Strategy}
        steps = [PutResource(STRATEGIES, f"{service.id}/{stage}", content) for stage in stages]
        return settled(snapshot, steps)

    await asked.change(ask)
    return {"Result": True}


async def list_api_strategies(asked: Asked) -> Fields:
    """The limits of APIs in each stage."""
    given = asked.given(ApiStrategies)
    service = service_named(asked.snapshot, given.ServiceId)
    apis = service.apis if given.ApiId is None else (api_named(service, given.ApiId),)
    stages = [(name, stage_key(name)) for name in given.EnvironmentNames or ENVIRONMENTS]
    told = [_limits(asked.snapshot, service, api, stages) for api in apis]
    return {"Result": {"TotalCount": len(told), "ApiEnvironmentStrategySet": page(told, given)}}


async def modify_api_strategy(asked: Asked) -> Fields:
    """Another limit for some APIs in one stage; -1 for none of their own."""
    given = asked.given(ModifyApiStrategy)
    if given.Strategy != UNLIMITED:
        _check_rate(given.Strategy)
    stage = stage_key(given.EnvironmentName)

    def ask(snapshot: Snapshot) -> Batch:
        service = service_named(snapshot, given.ServiceId)
        content = None if given.Strategy == UNLIMITED else {"rate": given.Strategy}
        keys = [f"{service.id}/{stage}/{api_named(service, key).id}" for key in given.ApiIds]
        return settled(snapshot, [PutResource(STRATEGIES, key, content) for key in keys])

    await asked.change(ask)
    return {"Result": True}


def _with_strategy(asked: Asked, given: ServicePage, told: Fields) -> Fields:
    service, stage = given.ServiceId, stage_key(told["EnvironmentName"])
    kept = resource(asked.snapshot, STRATEGIES, f"{service}/{stage}").get("rate", USUAL_STRATEGY)
    released = asked.snapshot.services[service].stages.get(stage)
    rate = released.features.throttle if released else kept
    names = ("EnvironmentName", "Url", "Status", "VersionName")
    return {
        **{name: told[name] for name in names},
        "Strategy": UNLIMITED if rate is None else rate,
        "MaxStrategy": MOST,
    }


def _limits(
    snapshot: Snapshot, service: Service, api: Api, stages: list[tuple[str, str]]
) -> Fields:
    content = resource(snapshot, APIS, f"{service.id}/{api.id}")
    kept = [
        (name, resource(snapshot, STRATEGIES, f"{service.id}/{stage}/{api.id}"))
        for name, stage in stages
    ]
    return {
        "ApiId": api.id,
        "ApiName": content.get("ApiName", api.id),
        "Path": api.path.text,
        "Method": api.method,
        "EnvironmentStrategySet": [
            {"EnvironmentName": name, "Quota": own.get("rate", UNLIMITED)} for name, own in kept
        ],
    }


def _check_rate(rate: int) -> None:
    if not 1 <= rate <= MOST:
        fail(codes.BAD_STRATEGY, f"Strategy is {rate}; allowed: 1 to {MOST} requests per second")
