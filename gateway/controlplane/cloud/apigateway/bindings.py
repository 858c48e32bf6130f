"""Binding usage plans to services and to single APIs, and what is bound where."""

from __future__ import annotations

from typing import Any, Final

from gateway.controlplane.cloud.apigateway import codes
from gateway.controlplane.cloud.apigateway.binding import bound_shown, plans_of
from gateway.controlplane.cloud.apigateway.known import (
    PLANS,
    api_named,
    check_one_of,
    page,
    service_named,
    stage_key,
    without,
)
from gateway.controlplane.cloud.apigateway.plan_requests import (
    Binding,
    Demotion,
    PlanEnvironments,
)
from gateway.controlplane.cloud.apigateway.plans import alter_plan, plan_named
from gateway.controlplane.cloud.apigateway.requests import ServicePage
from gateway.controlplane.cloud.apigateway.settling import settled
from gateway.controlplane.cloud.asked import Asked, Fields
from gateway.controlplane.cloud.errors import fail
from gateway.core.changes import Batch, PutResource
from gateway.core.resources import Content
from gateway.core.snapshot import Snapshot

API: Final = "API"
SERVICE: Final = "SERVICE"
TYPES: Final = (API, SERVICE)
_OWN: Final = ("UsagePlanId", "UsagePlanName", "UsagePlanDesc", "Tags")
"""What is not told of a plan to whoever asks for it by its id."""


async def bind_environment(asked: Asked) -> Fields:
    """Usage plans that open a stage of a service, or some of its APIs there; at once."""
    given = asked.given(Binding)

    def ask(snapshot: Snapshot) -> Batch:
        wanted, steps = _wanted(snapshot, given), []
        for key in given.UsagePlanIds:
            plan = plan_named(snapshot, key)
            fresh = [each for each in wanted if each not in plan["bindings"]]
            steps.append(PutResource(PLANS, key, {**plan, "bindings": [*plan["bindings"], *fresh]}))
        return settled(snapshot, steps)

    await asked.change(ask)
    return {"Result": True}


async def unbind_environment(asked: Asked) -> Fields:
    """Usage plans that open something no more."""
    given = asked.given(Binding)

    def ask(snapshot: Snapshot) -> Batch:
        wanted, steps = _wanted(snapshot, given), []
        for key in given.UsagePlanIds:
            plan = plan_named(snapshot, key)
            for each in wanted:
                _check_bound(key, plan, each, given.Environment)
            left = [each for each in plan["bindings"] if each not in wanted]
            steps.append(PutResource(PLANS, key, {**plan, "bindings": left}))
        return settled(snapshot, steps)

    await asked.change(ask)
    return {"Result": True}


async def demote(asked: Asked) -> Fields:
    """A usage plan that opens each API of a service, instead of the service."""
    given = asked.given(Demotion)
    stage = stage_key(given.Environment)

    def other(snapshot: Snapshot, plan: Content) -> dict[str, Any]:
        service = service_named(snapshot, given.ServiceId)
        whole = {"service": service.id, "stage": stage, "api": None}
        if whole not in plan["bindings"]:
            message = f"the usage plan {given.UsagePlanId} is not bound to {service.id}"
            wrong = ("UnsupportedOperation.NoUsagePlanEnv", "FailedOperation")
            fail(wrong, f"{message} in {given.Environment}")
        single = [{**whole, "api": api.id} for api in service.apis]
        left = [each for each in plan["bindings"] if each != whole and each not in single]
        return {**plan, "bindings": [*left, *single]}

    await alter_plan(asked, given.UsagePlanId, other)
    return {"Result": True}


async def list_plan_environments(asked: Asked) -> Fields:
    """What a usage plan is bound to, page by page."""
    given, times = asked.given(PlanEnvironments), await asked.told_times()
    check_one_of("BindType", given.BindType, TYPES, codes.FORMAT)
    plan = plan_named(asked.snapshot, given.UsagePlanId)
    told = [
        without(bound_shown(asked.snapshot, (given.UsagePlanId, plan), each, times), *_OWN)
        for each in plan["bindings"]
        if (each["api"] is None) == (given.BindType == SERVICE)
    ]
    return {"Result": {"TotalCount": len(told), "EnvironmentList": page(told, given)}}


async def list_service_plans(asked: Asked) -> Fields:
    """The usage plans of a service as a whole."""
    given, told = asked.given(ServicePage), await _bound(asked)
    found = [each for each in told if not each["ApiId"]]
    return {"Result": {"TotalCount": len(found), "ServiceUsagePlanList": page(found, given)}}


async def list_api_plans(asked: Asked) -> Fields:
    """The usage plans of the APIs of a service."""
    given, told = asked.given(ServicePage), await _bound(asked)
    found = [each for each in told if each["ApiId"]]
    return {"Result": {"TotalCount": len(found), "ApiUsagePlanList": page(found, given)}}


async def _bound(asked: Asked) -> list[Fields]:
    times = await asked.told_times()
    service = service_named(asked.snapshot, asked.given(ServicePage).ServiceId)
    return plans_of(asked.snapshot, service, times)


def _wanted(snapshot: Snapshot, given: Binding) -> list[dict[str, Any]]:
    """The bindings that a request is about."""
    check_one_of("BindType", given.BindType, TYPES, codes.FORMAT)
    service = service_named(snapshot, given.ServiceId)
    whole = {"service": service.id, "stage": stage_key(given.Environment), "api": None}
    if given.BindType == SERVICE:
        return [whole]
    if not given.ApiIds:
        fail(codes.BAD_APIS, "a binding of the type API needs ApiIds")
    return [{**whole, "api": api_named(service, key).id} for key in dict.fromkeys(given.ApiIds)]


def _check_bound(key: str, plan: Content, binding: Content, stage: str) -> None:
    if binding not in plan["bindings"]:
        said = binding["api"] or binding["service"]
        fail(codes.NOT_BOUND, f"the usage plan {key} is not bound to {said} in {stage}")
