"""Every answer of API Gateway has the fields of the official SDK's own models, with their types."""

from __future__ import annotations

import importlib
import inspect
import json
import re
import warnings
from collections.abc import Iterator
from typing import Any

from gateway.controlplane.cloud.apigateway.actions import ACTIONS

Client = Any
Shop = Any

models: Any = importlib.import_module("tencentcloud.apigateway.v20180808.models")

TYPES = {"str": str, "int": int, "bool": bool, "float": float}
_LIST = re.compile(r"list of (\w+)")
_CLASS = re.compile(r":class:`[\w.]+\.(\w+)`")

ABSENT = {
    # of kinds of back ends and of authentication that are not here
    *("ServiceTsfLoadBalanceConf", "ServiceTsfHealthCheckConf", "CosConfig", "UpstreamId"),
    *("ServiceWebsocketRegisterFunctionName", "ServiceWebsocketCleanupFunctionName"),
    *("ServiceWebsocketTransportFunctionName", "ServiceWebsocketRegisterFunctionNamespace"),
    *("ServiceWebsocketCleanupFunctionNamespace", "ServiceWebsocketTransportFunctionNamespace"),
    *("ServiceWebsocketRegisterFunctionQualifier", "ServiceWebsocketCleanupFunctionQualifier"),
    "ServiceWebsocketTransportFunctionQualifier",
}
"""Fields that the SDK may find missing."""


def test_every_answer_has_the_fields_of_the_sdk(shop: Shop) -> None:
    """None is missing, none is unknown, and each has its type; lists are not empty."""
    complaints = []
    asked = set()
    for action, given in questions(shop):
        asked.add(action)
        told = shop.client(action, **given)
        assert "Error" not in told, (action, told)
        answer = getattr(models, f"{action}Response")()
        with warnings.catch_warnings(record=True) as unknown:
            warnings.simplefilter("always")
            answer._deserialize(told)
        complaints += [f"{action}: {each.message}" for each in unknown]
        complaints += wrong(answer, action)
    assert complaints == []
    assert asked == set(ACTIONS)


def questions(shop: Shop) -> Iterator[tuple[str, dict[str, Any]]]:
    """One question for each action, in an order in which all of them have an answer."""
    page = {"Limit": 20, "Offset": 0}
    key, plan, plugin = (
        {"AccessKeyId": shop.key},
        {"UsagePlanId": shop.plan},
        {"PluginId": shop.plugin},
    )
    api = {**shop.on, "ApiId": shop.api}
    front = {"Path": "/user/{id}", "Method": "ANY"}
    for action in ("DescribeService", "DescribeServiceUsagePlan", "DescribeApiUsagePlan"):
        yield action, shop.on
    for action in ("DescribeServicesStatus", "DescribeApiKeysStatus", "DescribeUsagePlansStatus"):
        yield action, page
    for action in (
        *("DescribeApisStatus", "DescribeServiceReleaseVersion", "DescribeServiceEnvironmentList"),
        *("DescribeServiceEnvironmentStrategy", "DescribeApiEnvironmentStrategy"),
        "DescribeServiceSubDomains",
    ):
        yield action, {**shop.on, **page}
    yield "DescribeServiceSubDomainMappings", {**shop.on, "SubDomain": f"{shop.service}.localhost"}
    yield "DescribeServiceEnvironmentReleaseHistory", {**shop.stage, **page}
    yield "DescribeApi", {**shop.on, "ApiId": shop.http}
    yield "DescribeApiKey", key
    yield "DescribeUsagePlan", plan
    yield "DescribeUsagePlanSecretIds", plan
    yield "DescribeUsagePlanEnvironments", {**plan, "BindType": "API"}
    yield "DescribePlugin", plugin
    yield "DescribePlugins", page
    yield "DescribePluginApis", plugin
    yield "DescribeAllPluginApis", {**shop.stage, **plugin}
    yield "DescribePluginsByApi", {**shop.stage, "ApiId": shop.api}
    yield "CreateService", {"ServiceName": "other", "Protocol": "http&https"}
    yield "ModifyService", {**shop.on, "ServiceDesc": "a shop"}
    mock = {"ServiceType": "MOCK", "ServiceMockReturnMessage": "pong"}
    made = {"ServiceTimeout": 15, "Protocol": "HTTP"}
    at = {"RequestConfig": {"Path": "/ping", "Method": "GET"}}
    yield "CreateApi", {**shop.on, **mock, **made, **at}
    yield "ModifyApi", {**api, "ServiceType": "SCF", "RequestConfig": front}
    yield "ReleaseService", {**shop.stage, "ReleaseDesc": "two"}
    yield "UpdateService", {**shop.stage, "VersionName": shop.version}
    yield (
        "ModifyServiceEnvironmentStrategy",
        {
            **shop.on,
            "Strategy": 10,
            "EnvironmentNames": ["release"],
        },
    )
    yield "ModifyApiEnvironmentStrategy", {**shop.stage, "Strategy": 10, "ApiIds": [shop.api]}
    yield "CreateApiKey", {"SecretName": "other"}
    yield "UpdateApiKey", key
    yield "CreateUsagePlan", {"UsagePlanName": "other"}
    yield "ModifyUsagePlan", {**plan, "UsagePlanDesc": "few requests"}
    yield "DemoteServiceUsagePlan", {**plan, **shop.on, "Environment": "release"}
    yield "BindEnvironment", {**shop.bound, "BindType": "SERVICE"}
    yield "UnBindEnvironment", {**shop.bound, "BindType": "SERVICE"}
    yield "UnBindSecretIds", {**plan, "AccessKeyIds": [shop.key]}
    yield "BindSecretIds", {**plan, "AccessKeyIds": [shop.key]}
    data = json.dumps({"type": "white_list", "blocks": "127.0.0.1"})
    yield "CreatePlugin", {"PluginName": "b", "PluginType": "IPControl", "PluginData": data}
    yield "ModifyPlugin", {**plugin, "Description": "keeps others out"}
    yield "DetachPlugin", {**shop.stage, **plugin, "ApiId": shop.api}
    yield "AttachPlugin", {**shop.stage, **plugin, "ApiIds": [shop.api]}
    yield from ending(shop)


def ending(shop: Shop) -> Iterator[tuple[str, dict[str, Any]]]:
    """The end of everything, each by its own action."""
    key, plan, client = {"AccessKeyId": shop.key}, {"UsagePlanId": shop.plan}, shop.client
    client("DetachPlugin", **shop.stage, PluginId=shop.plugin, ApiId=shop.api)
    yield "DeletePlugin", {"PluginId": shop.plugin}
    client("UnBindSecretIds", **plan, AccessKeyIds=[shop.key])
    yield "DisableApiKey", key
    yield "EnableApiKey", key
    client("DisableApiKey", **key)
    yield "DeleteApiKey", key
    apis = [each["ApiId"] for each in told(client, "DescribeApisStatus", **shop.on)]
    client("UnBindEnvironment", **shop.bound, BindType="API", ApiIds=apis)
    for each in apis[:-1]:
        yield "DeleteApi", {**shop.on, "ApiId": each}
    yield "DeleteUsagePlan", plan
    yield "UnReleaseService", shop.stage
    other = client("CreateService", ServiceName="gone", Protocol="http")
    yield "DeleteService", {"ServiceId": other["ServiceId"]}


def told(client: Client, action: str, **given: object) -> list[dict[str, Any]]:
    """The one list that an answer holds."""
    result = client(action, **given)["Result"]
    return next(value for value in result.values() if isinstance(value, list))


def wrong(answer: Any, where: str) -> Iterator[str]:  # noqa: ANN401 - any of the SDK's models
    """What an answer lacks, or has of another type."""
    for name, field in inspect.getmembers(type(answer), lambda each: isinstance(each, property)):
        if f"_{name}" not in vars(answer):  # the SDK's own
            continue
        value, at = vars(answer)[f"_{name}"], f"{where}.{name}"
        if value is None:
            if name not in ABSENT and not (where.startswith("DescribeApi.") and name in OTHER):
                yield f"{at} is missing"
            continue
        kind = str(field.__doc__).partition(":rtype:")[2].strip()
        yield from wrong_value(value, kind, at)


def wrong_value(value: Any, kind: str, at: str) -> Iterator[str]:  # noqa: ANN401
    """The same for one value."""
    items, inner = _LIST.match(kind), _CLASS.match(kind)
    if items:
        for each in value:
            yield from wrong_value(each, items[1], at)
    elif inner or kind not in TYPES:
        yield from wrong(value, at)
    elif type(value) is not TYPES[kind]:
        yield f"{at} is {value!r}, and no {kind}"


OTHER = {
    *("ServiceMockReturnMessage", "ServiceScfFunctionName", "ServiceScfFunctionQualifier"),
    *("ServiceScfFunctionNamespace", "ServiceScfIsIntegratedResponse"),
}
"""What an API with an HTTP back end does not have."""
