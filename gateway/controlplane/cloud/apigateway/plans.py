"""Usage plans in the cloud's words: how often holders of which keys may call what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from gateway.controlplane.cloud.apigateway import codes
from gateway.controlplane.cloud.apigateway.keys import key_named, plans_with
from gateway.controlplane.cloud.apigateway.known import (
    KEYS,
    PLANS,
    altered_at,
    environment,
    fitting,
    fresh,
    known,
    made_at,
    page,
)
from gateway.controlplane.cloud.apigateway.plan_requests import (
    CreateUsagePlan,
    ModifyUsagePlan,
    PlanPage,
    PlanRequest,
    SecretIds,
)
from gateway.controlplane.cloud.apigateway.requests import Page
from gateway.controlplane.cloud.apigateway.settling import UNLIMITED, settled
from gateway.controlplane.cloud.asked import Asked, Fields
from gateway.controlplane.cloud.errors import Codes, fail
from gateway.controlplane.cloud.times import Times
from gateway.core.changes import Batch, PutResource
from gateway.core.errors import listed
from gateway.core.resources import NONE, Content
from gateway.core.snapshot import Snapshot

MOST: Final = 200
MOST_KEYS: Final = 50
MOST_PLANS_OF_A_KEY: Final = 10
QUOTAS: Final = range(1, 100_000_000)
RATES: Final = range(1, 2001)
LONGEST_NAME: Final = 50
FILTERS: Final = {"UsagePlanId": "UsagePlanId", "UsagePlanName": "UsagePlanName"}


async def create_plan(asked: Asked) -> Fields:
    """A new usage plan, without keys and bound to nothing."""
    given, key = asked.given(CreateUsagePlan), fresh(asked, "usagePlan-")
    content = {
        "name": given.UsagePlanName,
        "description": given.UsagePlanDesc,
        "quota": given.MaxRequestNum,
        "rate": given.MaxRequestNumPreSec,
        "keys": [],
        "bindings": [],
    }
    _check(content)

    def ask(snapshot: Snapshot) -> PutResource:
        if len(snapshot.resources.get(PLANS, NONE)) >= MOST:
            fail(codes.MANY_PLANS, f"there are {MOST} usage plans; allowed: at most {MOST}")
        return PutResource(PLANS, key, content)

    await asked.change(ask)
    return await _shown(asked, key)


async def describe_plan(asked: Asked) -> Fields:
    """One usage plan with its keys and its bindings."""
    given = asked.given(PlanRequest)
    plan_named(asked.snapshot, given.UsagePlanId)
    return await _shown(asked, given.UsagePlanId)


async def list_plans(asked: Asked) -> Fields:
    """Every usage plan, page by page."""
    given, times = asked.given(Page), await asked.told_times()
    plans = asked.snapshot.resources.get(PLANS, NONE)
    told = [_listed(key, content, times) for key, content in plans.items()]
    found = fitting(told, given, FILTERS)
    return {"Result": {"TotalCount": len(found), "UsagePlanStatusSet": page(found, given)}}


async def modify_plan(asked: Asked) -> Fields:
    """A usage plan otherwise, in force at once; what is not named stays."""
    given = asked.given(ModifyUsagePlan)
    said = {
        "name": given.UsagePlanName,
        "description": given.UsagePlanDesc,
        "quota": given.MaxRequestNum,
        "rate": given.MaxRequestNumPreSec,
    }
    said = {name: value for name, value in said.items() if value is not None}
    _check({"name": "-", "quota": UNLIMITED, "rate": UNLIMITED, **said})
    await alter_plan(asked, given.UsagePlanId, lambda _, content: {**content, **said})
    return await _shown(asked, given.UsagePlanId)


async def delete_plan(asked: Asked) -> Fields:
    """A usage plan that goes: it must be bound to nothing."""
    given = asked.given(PlanRequest)

    def ask(snapshot: Snapshot) -> Batch:
        bindings = plan_named(snapshot, given.UsagePlanId)["bindings"]
        if bindings:
            said = listed(dict.fromkeys(each["service"] for each in bindings))
            message = f"the usage plan {given.UsagePlanId} is bound to {said:.200}"
            fail(codes.HAS_PLANS, f"{message}; unbind it first")
        return settled(snapshot, [PutResource(PLANS, given.UsagePlanId, None)])

    await asked.change(ask)
    return {"Result": True}


async def bind_keys(asked: Asked) -> Fields:
    """Keys whose holders have a usage plan from now on."""
    given = asked.given(SecretIds)

    def other(snapshot: Snapshot, content: Content) -> dict[str, Any]:
        for key in given.AccessKeyIds:
            _check_bindable(snapshot, content, key)
        keys = [*content["keys"], *dict.fromkeys(given.AccessKeyIds)]
        if len(keys) > MOST_KEYS:
            message = f"the usage plan {given.UsagePlanId} would have {len(keys)} keys"
            fail(codes.MANY_IN_PLAN, f"{message}; allowed: at most {MOST_KEYS}")
        return {**content, "keys": keys}

    await alter_plan(asked, given.UsagePlanId, other)
    return {"Result": True}


async def unbind_keys(asked: Asked) -> Fields:
    """Keys whose holders have a usage plan no more."""
    given = asked.given(SecretIds)

    def other(_snapshot: Snapshot, content: Content) -> dict[str, Any]:
        there = {key: key for key in content["keys"]}
        for key in given.AccessKeyIds:
            known(there, key, ("key in this plan", codes.NO_KEY))
        return {**content, "keys": [k for k in there if k not in given.AccessKeyIds]}

    await alter_plan(asked, given.UsagePlanId, other)
    return {"Result": True}


async def list_plan_keys(asked: Asked) -> Fields:
    """The keys of a usage plan, page by page."""
    given = asked.given(PlanPage)
    plan, keys = (
        plan_named(asked.snapshot, given.UsagePlanId),
        asked.snapshot.resources.get(KEYS, NONE),
    )
    told = [
        {"AccessKeyId": k, "SecretName": keys[k]["name"], "Status": int(keys[k]["enabled"])}
        for k in plan["keys"]
    ]
    return {"Result": {"TotalCount": len(told), "AccessKeyList": page(told, given)}}


def plan_named(snapshot: Snapshot, key: str) -> Content:
    """A usage plan that exists.

    Raises:
        CloudError: There is none.
    """
    return known(snapshot.resources.get(PLANS, NONE), key, ("usage plan", codes.NO_PLAN))


async def alter_plan(asked: Asked, key: str, other: Callable[[Snapshot, Content], Content]) -> None:
    """Make a usage plan another one, with all that follows from it."""

    def ask(snapshot: Snapshot) -> Batch:
        content = other(snapshot, plan_named(snapshot, key))
        return settled(snapshot, [PutResource(PLANS, key, content)])

    await asked.change(ask)


def _check(content: Content) -> None:
    name, quota, rate = content["name"], content["quota"], content["rate"]
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        message = f"UsagePlanName is {name!r:.80}; allowed: 1 to {LONGEST_NAME} characters"
        fail(codes.FORMAT, message)
    _check_number("MaxRequestNum", quota, QUOTAS, codes.BAD_QUOTA)
    _check_number("MaxRequestNumPreSec", rate, RATES, codes.FORMAT)


def _check_number(what: str, number: int, allowed: range, wrong: Codes) -> None:
    if number != UNLIMITED and number not in allowed:
        fail(wrong, f"{what} is {number}; allowed: 1 to {allowed[-1]}, or {UNLIMITED} for any")


def _check_bindable(snapshot: Snapshot, content: Content, key: str) -> None:
    if not key_named(snapshot, key)["enabled"]:
        fail(codes.KEY_ON, f"the key {key!r} is disabled; enable it first")
    if key in content["keys"]:
        fail(codes.KEY_TWICE, f"the key {key!r} is in this usage plan already")
    if len(plans_with(snapshot, key)) >= MOST_PLANS_OF_A_KEY:
        message = f"the key {key!r} is in {MOST_PLANS_OF_A_KEY} usage plans"
        fail(codes.MANY_IN_PLAN, f"{message}; allowed: at most {MOST_PLANS_OF_A_KEY}")


def _listed(key: str, content: Content, times: Times) -> Fields:
    path = ("resources", PLANS, key)
    return {
        "UsagePlanId": key,
        "UsagePlanName": content["name"],
        "UsagePlanDesc": content["description"],
        "MaxRequestNum": content["quota"],
        "MaxRequestNumPreSec": content["rate"],
        "CreatedTime": made_at(times, path),
        "ModifiedTime": altered_at(times, path),
        "Tags": [],
    }


async def _shown(asked: Asked, key: str) -> Fields:
    times, content = await asked.told_times(), asked.snapshot.resources[PLANS][key]
    bound = dict.fromkeys(
        (environment(each["stage"]), each["service"]) for each in content["bindings"]
    )
    told = {
        **_listed(key, content, times),
        "BindSecretIdTotalCount": len(content["keys"]),
        "BindSecretIds": content["keys"],
        "BindEnvironmentTotalCount": len(bound),
        "BindEnvironments": [{"EnvironmentName": e, "ServiceId": s} for e, s in bound],
    }
    return {"Result": told}
