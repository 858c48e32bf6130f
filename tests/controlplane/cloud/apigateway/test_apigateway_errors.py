"""Mistakes, action by action: what is missing, of another type, unknown, or in the way.

Each is answered with a code that the cloud documents for the action, or with a common one. What is
expected stands here in words of its own, so that the table of the gateway is held against it.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from gateway.controlplane.cloud.apigateway import codes
from gateway.controlplane.cloud.apigateway.actions import ACTIONS, REASONS
from gateway.controlplane.cloud.apigateway.documented import DOCUMENTED
from gateway.controlplane.cloud.documented import COMMON

Client = Any
Shop = Any
Given = Mapping[str, Any]

S = {"ServiceId": "service-none"}
A = {**S, "ApiId": "api-none"}
E = {**S, "EnvironmentName": "release"}
K = {"AccessKeyId": "nobody"}
P = {"UsagePlanId": "usagePlan-none"}
G = {"PluginId": "plugin-none"}
FRONT = {"ServiceType": "MOCK", "RequestConfig": {"Path": "/", "Method": "GET"}}
BIND = {"UsagePlanIds": ["usagePlan-none"], "BindType": "SERVICE", "Environment": "test", **S}

COMPLETE: dict[str, Given] = {
    "CreateService": {"ServiceName": "shop", "Protocol": "http"},
    "DescribeService": S,
    "DescribeServicesStatus": {},
    "ModifyService": S,
    "DeleteService": S,
    "DescribeServiceSubDomains": S,
    "DescribeServiceSubDomainMappings": {**S, "SubDomain": "localhost"},
    "CreateApi": {**S, **FRONT, "ServiceTimeout": 15, "Protocol": "HTTP"},
    "ModifyApi": {**A, **FRONT},
    "DescribeApi": A,
    "DescribeApisStatus": S,
    "DeleteApi": A,
    "ReleaseService": {**E, "ReleaseDesc": "one"},
    "UnReleaseService": E,
    "UpdateService": {**E, "VersionName": "none"},
    "DescribeServiceReleaseVersion": S,
    "DescribeServiceEnvironmentReleaseHistory": S,
    "DescribeServiceEnvironmentList": S,
    "DescribeServiceEnvironmentStrategy": S,
    "ModifyServiceEnvironmentStrategy": {**S, "Strategy": 1, "EnvironmentNames": ["test"]},
    "DescribeApiEnvironmentStrategy": S,
    "ModifyApiEnvironmentStrategy": {**E, "Strategy": 1, "ApiIds": ["api-none"]},
    "CreateApiKey": {"SecretName": "partner"},
    "DescribeApiKey": K,
    "DescribeApiKeysStatus": {},
    "UpdateApiKey": K,
    "EnableApiKey": K,
    "DisableApiKey": K,
    "DeleteApiKey": K,
    "CreateUsagePlan": {"UsagePlanName": "small"},
    "DescribeUsagePlan": P,
    "DescribeUsagePlansStatus": {},
    "ModifyUsagePlan": P,
    "DeleteUsagePlan": P,
    "BindSecretIds": {**P, "AccessKeyIds": ["nobody"]},
    "UnBindSecretIds": {**P, "AccessKeyIds": ["nobody"]},
    "DescribeUsagePlanSecretIds": P,
    "BindEnvironment": BIND,
    "UnBindEnvironment": BIND,
    "DemoteServiceUsagePlan": {**P, **S, "Environment": "test"},
    "DescribeUsagePlanEnvironments": {**P, "BindType": "API"},
    "DescribeServiceUsagePlan": S,
    "DescribeApiUsagePlan": S,
    "CreatePlugin": {"PluginName": "block", "PluginType": "IPControl", "PluginData": "{}"},
    "DescribePlugin": G,
    "DescribePlugins": {},
    "ModifyPlugin": G,
    "DeletePlugin": G,
    "AttachPlugin": {**G, **E, "ApiIds": ["api-none"]},
    "DetachPlugin": {**G, **E, "ApiId": "api-none"},
    "DescribePluginApis": G,
    "DescribeAllPluginApis": {**G, **E},
    "DescribePluginsByApi": A,
}
"""What each action needs."""

UNFORMATTED = {
    *("DescribeServicesStatus", "ModifyServiceEnvironmentStrategy"),
    *("DescribeApiKey", "DescribeApiKeysStatus", "EnableApiKey", "DisableApiKey", "DeleteApiKey"),
    *("DescribeUsagePlan", "DescribeUsagePlansStatus", "DeleteUsagePlan"),
    *("BindSecretIds", "UnBindSecretIds", "DescribeUsagePlanSecretIds"),
    "DescribeUsagePlanEnvironments",
}
"""Actions for which InvalidParameter.FormatError is not documented."""

GENERAL = {"UpdateService", "ModifyApiEnvironmentStrategy"}
"""Actions for which no code of a missing service is documented but the general one."""

NEEDS = [(action, name) for action, given in COMPLETE.items() for name in given]


def format_code(action: str) -> str:
    """The code of a value in another form."""
    return "InvalidParameter" if action in UNFORMATTED else "InvalidParameter.FormatError"


def is_documented(code: str, action: str) -> bool:
    """Whether the cloud says that an action may answer so."""
    return code in COMMON or code in DOCUMENTED.get(action, frozenset())


def test_the_tables_have_every_action() -> None:
    """So that none is left out, neither below nor in the gateway."""
    assert set(COMPLETE) == set(ACTIONS)
    assert len(ACTIONS) + len(REASONS) == 98
    client = importlib.import_module("tencentcloud.apigateway.v20180808.apigateway_client")
    official = {name for name in vars(client.ApigatewayClient) if name[0].isupper()}
    assert set(ACTIONS) | set(REASONS) == official


def test_every_code_is_one_of_the_official_clients() -> None:
    """By its own list; the common ones are in every client's."""
    errors = importlib.import_module("tencentcloud.apigateway.v20180808.errorcodes")
    official = {value for value in vars(errors).values() if isinstance(value, str)}
    for action, listed in DOCUMENTED.items():
        assert listed <= official, action
    named = {value for value in vars(codes).values() if isinstance(value, tuple)}
    assert {code for each in named for code in each if "." in code} <= official


@pytest.mark.parametrize("action", sorted(REASONS))
def test_what_is_not_done_is_not_answered_as_if_it_were(apigw_looker: Client, action: str) -> None:
    """With the reason."""
    code, message = apigw_looker.fails(action)
    assert code == "UnsupportedOperation"
    assert message == f"this gateway does not do {action}: {REASONS[action]}"


def test_an_action_of_another_api_is_none(apigw_looker: Client) -> None:
    """The version says which API is asked."""
    assert apigw_looker.fails("CreateFunction")[0] == "InvalidAction"


@pytest.mark.parametrize(("action", "name"), NEEDS)
def test_what_is_needed_and_missing_is_named(apigw_looker: Client, action: str, name: str) -> None:
    """By one code for all."""
    given = {key: value for key, value in COMPLETE[action].items() if key != name}
    code, message = apigw_looker.fails(action, **given)
    assert (code, message) == ("MissingParameter", f"the parameter {name} is missing")


@pytest.mark.parametrize(("action", "name"), NEEDS)
def test_what_is_of_another_type_is_named(apigw_looker: Client, action: str, name: str) -> None:
    """Nothing is made another value in silence."""
    code, message = apigw_looker.fails(action, **{**COMPLETE[action], name: 1.5})
    assert code == format_code(action)
    assert message.startswith(f"the parameter {name} is 1.5; input should be ")


def unknown(shop: Shop) -> list[tuple[str, str, str]]:
    """Every action with one id that nothing has, and the kind of thing that is missing."""
    kinds = {
        "ServiceId": "InvalidService",
        "ApiId": "InvalidApi",
        "UsagePlanId": "InvalidUsagePlan",
        "AccessKeyId": "InvalidAccessKeyId",
        "PluginId": "InvalidPlugin",
    }
    assert shop.service
    return [
        (action, name, kinds[name.removesuffix("s")])
        for action, given in COMPLETE.items()
        for name in given
        if name.removesuffix("s") in kinds
    ]


def test_what_is_not_there_is_named(looked_at: Shop) -> None:
    """By the code of its kind, while all the rest is there; and the nearest is told."""
    there = {
        "ServiceId": looked_at.service,
        "ApiId": looked_at.api,
        "ApiIds": [looked_at.api],
        "UsagePlanId": looked_at.plan,
        "UsagePlanIds": [looked_at.plan],
        "AccessKeyId": looked_at.key,
        "AccessKeyIds": [looked_at.key],
        "PluginId": looked_at.plugin,
    }
    rows = unknown(looked_at)
    assert len(rows) == 60
    for action, name, kind in rows:
        given = {key: there.get(key, value) for key, value in COMPLETE[action].items()}
        given[name] = COMPLETE[action][name]
        code, message = looked_at.client.fails(action, **given)
        expected = f"ResourceNotFound.{kind}"
        if action in GENERAL and name == "ServiceId":
            expected = "ResourceNotFound"
        assert code == expected, (action, name)
        assert is_documented(code, action)
        assert ("none" in message) or ("nobody" in message), (action, message)


STAGED = {
    *("ReleaseService", "UnReleaseService", "ModifyApiEnvironmentStrategy", "AttachPlugin"),
    *("DetachPlugin", "DescribeAllPluginApis"),
}


@pytest.mark.parametrize("action", sorted(STAGED))
def test_there_are_three_stages(looked_at: Shop, action: str) -> None:
    """By the code that each action has."""
    given = {**COMPLETE[action], **looked_at.on, "EnvironmentName": "relase"}
    given |= {"PluginId": looked_at.plugin} if "PluginId" in given else {}
    code, message = looked_at.client.fails(action, **given)
    assert code == "InvalidParameter.FormatError"
    assert message == (
        "there is no environment 'relase'; allowed: test, prepub, release; did you mean 'release'?"
    )


CREATE = {"ServiceTimeout": 15, "Protocol": "HTTP"}
SCF = {"ServiceType": "SCF", "ServiceScfFunctionName": "orders"}
HTTP = {"ServiceType": "HTTP", "ServiceConfig": {"Url": "http://127.0.0.1:9"}}
MOCK = {"ServiceType": "MOCK", "ServiceMockReturnMessage": "pong"}
QUERY = {"Name": "a", "Position": "QUERY"}
GOAL = {
    "Name": "b",
    "Position": "HEADER",
    "RelevantRequestParameterPosition": "QUERY",
    "RelevantRequestParameterName": "a",
}

DEFINITIONS: dict[str, tuple[Given, str, str]] = {
    "a path that is none": (
        {**MOCK, "RequestConfig": {"Path": "ping", "Method": "GET"}},
        "InvalidParameterValue.InvalidApiRequestConfig",
        "did you mean '/ping'?",
    ),
    "a method that is none": (
        {**MOCK, "RequestConfig": {"Path": "/ping", "Method": "get"}},
        "InvalidParameterValue.InvalidApiRequestConfig",
        "the method 'get' is unknown",
    ),
    "a path that another API has": (
        {**MOCK, "RequestConfig": {"Path": "/user/{name}", "Method": "ANY"}},
        "InvalidParameterValue.InvalidApiRequestConfig",
        "/user/{name}",
    ),
    "a back end that is none": (
        {"ServiceType": "SCFS"},
        "InvalidParameterValue.InvalidServiceType",
        "allowed: SCF, HTTP, MOCK; did you mean 'SCF'?",
    ),
    "a back end that is elsewhere": (
        {"ServiceType": "COS"},
        "UnsupportedOperation",
        "there are no back ends of the type COS; SCF, HTTP, MOCK are",
    ),
    "a protocol that is elsewhere": (
        {**MOCK, "Protocol": "WEBSOCKET"},
        "UnsupportedOperation",
        "web functions take them",
    ),
    "a protocol that is none": (
        {**MOCK, "Protocol": "FTP"},
        "InvalidParameterValue.NotInOptions",
        "Protocol is 'FTP'; allowed: HTTP",
    ),
    "microservices": ({**MOCK, "ApiType": "TSF"}, "UnsupportedOperation", "ApiType: NORMAL"),
    "a type that is none": (
        {**MOCK, "ApiType": "X"},
        "InvalidParameterValue.InvalidApiType",
        "ApiType is 'X'",
    ),
    "authentication that is elsewhere": (
        {**MOCK, "AuthType": "OAUTH"},
        "UnsupportedOperation",
        "of the type OAUTH; NONE, SECRET are",
    ),
    "authentication that is none": (
        {**MOCK, "AuthType": "KEY"},
        "InvalidParameterValue.NotInOptions",
        "allowed: NONE, SECRET",
    ),
    "OAuth by another name": (
        {**MOCK, "ApiBusinessType": "OAUTH"},
        "InvalidParameterValue.InvalidApiBusinessType",
        "allowed: NORMAL",
    ),
    "a timeout of nothing": (
        {**MOCK, "ServiceTimeout": 0},
        "InvalidParameterValue.RangeExceeded",
        "ServiceTimeout is 0; allowed: 1 to 1800",
    ),
    "a call that nobody waits for": (
        {**SCF, "ServiceScfEventIsAsyncCall": True},
        "UnsupportedOperation",
        "answered by its function",
    ),
    "codes that are converted": (
        {**MOCK, "ResponseErrorCodes": [{"Code": 1, "NeedConvert": True}]},
        "UnsupportedOperation",
        "NeedConvert",
    ),
    "a function that is not there": (
        {**SCF, "ServiceScfFunctionName": "order"},
        "InvalidParameterValue.InvalidScfConfig",
        "did you mean 'orders'?",
    ),
    "no function": (
        {"ServiceType": "SCF"},
        "InvalidParameterValue.InvalidScfConfig",
        "function",
    ),
    "a qualifier that is not there": (
        {**SCF, "ServiceScfFunctionQualifier": "relase"},
        "InvalidParameterValue.InvalidScfConfig",
        "did you mean 'release'?",
    ),
    "a namespace that is not there": (
        {**SCF, "ServiceScfFunctionNamespace": "other"},
        "InvalidParameterValue.InvalidScfConfig",
        "there is no namespace 'other'; there is default",
    ),
    "a function of another type": (
        {**SCF, "ServiceScfFunctionType": "HTTP"},
        "InvalidParameterValue.InvalidScfConfig",
        "'orders' is of the type EVENT",
    ),
    "a type of functions that is none": (
        {**SCF, "ServiceScfFunctionType": "WEB"},
        "InvalidParameterValue.InvalidScfConfig",
        "allowed: EVENT, HTTP",
    ),
    "no text of a mock": (
        {"ServiceType": "MOCK"},
        "InvalidParameterValue.InvalidServiceMockReturnMessage",
        "needs ServiceMockReturnMessage",
    ),
    "no server": (
        {"ServiceType": "HTTP"},
        "InvalidParameterValue.InvalidServiceConfig",
        "needs ServiceConfig.Url",
    ),
    "a server in a private network": (
        {"ServiceType": "HTTP", "ServiceConfig": {"Url": "http://a", "UniqVpcId": "vpc-1"}},
        "UnsupportedOperation",
        "no private networks",
    ),
    "a server with another method": (
        {"ServiceType": "HTTP", "ServiceConfig": {"Url": "http://a", "Method": "POST"}},
        "UnsupportedOperation",
        "'POST', allowed: GET",
    ),
    "a server with another protocol": (
        {"ServiceType": "HTTP", "ServiceConfig": {"Url": "ftp://a"}},
        "InvalidParameterValue.InvalidUrl",
        "must start with 'http://'",
    ),
    "a parameter of another type": (
        {**MOCK, "RequestParameters": [{**QUERY, "Type": "date"}]},
        "InvalidParameterValue.InvalidRequestParameters",
        "Type of parameter 'a' is 'date'",
    ),
    "a parameter that is nowhere": (
        {**MOCK, "RequestParameters": [{**QUERY, "Position": "cookie"}]},
        "InvalidParameterValue.InvalidRequestParameters",
        "cookie",
    ),
    "a default of another type": (
        {**MOCK, "RequestParameters": [{**QUERY, "Type": "int", "DefaultValue": "x"}]},
        "InvalidParameterValue.InvalidRequestParameters",
        "'x', which is no int",
    ),
    "a goal of a parameter that is not there": (
        {**HTTP, "ServiceParameters": [GOAL]},
        "InvalidParameterValue.InvalidServiceParameters",
        "RequestParameters has none",
    ),
    "two goals of a parameter": (
        {**HTTP, "RequestParameters": [QUERY], "ServiceParameters": [GOAL, GOAL]},
        "InvalidParameterValue.InvalidServiceParameters",
        "'a' twice",
    ),
    "a goal that is nowhere": (
        {
            **HTTP,
            "RequestParameters": [QUERY],
            "ServiceParameters": [{**GOAL, "Position": "PATH"}],
        },
        "InvalidParameterValue.InvalidServiceParameters",
        "path",
    ),
    "a constant that is nowhere": (
        {**HTTP, "ConstantParameters": [{"Name": "a", "Position": "PATH"}]},
        "InvalidParameterValue.InvalidServiceParam",
        "path",
    ),
    "a long name": (
        {**MOCK, "ApiName": "x" * 61},
        "InvalidParameter.FormatError",
        "at most 60 characters",
    ),
}


@pytest.mark.parametrize("mistake", sorted(DEFINITIONS))
def test_a_definition_is_refused_for_what_is_wrong_in_it(looked_at: Shop, mistake: str) -> None:
    """By its own code; when an API is altered, by one of those that are documented for that."""
    given, expected, fragment = DEFINITIONS[mistake]
    base = {**looked_at.on, "RequestConfig": {"Path": "/ping", "Method": "GET"}}
    whole = {**base, **CREATE, **given}
    code, message = looked_at.client.fails("CreateApi", **whole)
    assert (code, is_documented(code, "CreateApi")) == (expected, True), message
    assert fragment in message
    altered = {**base, "ApiId": looked_at.http, "RequestParameters": [], **given}
    if mistake in {"no function", "no server", "no text of a mock"}:
        return  # what is not named stays
    code, message = looked_at.client.fails("ModifyApi", **altered)
    assert is_documented(code, "ModifyApi"), (code, message)


def data(**said: object) -> dict[str, str]:
    """What a plugin says."""
    return {"PluginData": json.dumps(said)}


PLUGIN = "InvalidParameterValue.InvalidPluginConfig"
IP = {"PluginName": "a", "PluginType": "IPControl"}
RATE = {"PluginName": "a", "PluginType": "TrafficControl"}
PAGES = {"PluginName": "a", "PluginType": "Cors"}
HOUR = {"expire_type": "hour", "expire": 1}

PLUGINS: dict[str, tuple[Given, str, str]] = {
    "no name": ({**IP, "PluginName": "", **data()}, "InvalidParameterValue.LengthExceeded", "50"),
    "another type": (
        {**IP, "PluginType": "IPControls", **data()},
        "InvalidParameterValue.NotInOptions",
        "did you mean 'IPControl'?",
    ),
    "a type that is elsewhere": (
        {**IP, "PluginType": "Routing", **data()},
        "UnsupportedOperation",
        "IPControl, TrafficControl, Cors are",
    ),
    "no JSON": ({**IP, "PluginData": "{"}, PLUGIN, "no JSON"),
    "no object": ({**IP, "PluginData": "[]"}, PLUGIN, "a JSON object"),
    "no list of addresses": (
        {**IP, **data(type="white_list")},
        "MissingParameter.PluginConfig",
        "no blocks",
    ),
    "another list": ({**IP, **data(type="white", blocks="::1")}, PLUGIN, "white_list, black_list"),
    "an empty list": ({**IP, **data(type="white_list", blocks="\n")}, PLUGIN, "no address"),
    "numbers for addresses": ({**IP, **data(type="white_list", blocks=1)}, PLUGIN, "a text"),
    "no address": (
        {**IP, **data(type="white_list", blocks="10.0.0.0/8\n10.0.0.256")},
        "InvalidParameterValue.InvalidIPAddress",
        "'10.0.0.256'",
    ),
    "a misspelled field": (
        {**IP, **data(type="white_list", blocks="::1", block="::2")},
        PLUGIN,
        "did you mean 'blocks'?",
    ),
    "no limit": ({**RATE, **data(**HOUR)}, "MissingParameter.PluginConfig", "ip_rate_limit"),
    "a limit of nothing": ({**RATE, **data(**HOUR, api_rate_limit=-1)}, PLUGIN, "is -1"),
    "another span": (
        {**RATE, **data(expire_type="week", expire=1, api_rate_limit=1)},
        PLUGIN,
        "second, minute, hour, day",
    ),
    "half a span": (
        {**RATE, **data(expire_type="hour", expire=0.5, api_rate_limit=1)},
        PLUGIN,
        "1 to 10",
    ),
    "a limit of applications": (
        {**RATE, **data(**HOUR, app_rate_limit=1)},
        "UnsupportedOperation",
        "allowed: api_rate_limit, ip_rate_limit",
    ),
    "no origins": ({**PAGES, **data()}, "MissingParameter.PluginConfig", "allow_origin"),
    "an origin with a path": (
        {**PAGES, **data(allow_origin=["http://a/b"])},
        PLUGIN,
        "'http://a/b'",
    ),
    "origins in a text": ({**PAGES, **data(allow_origin="*")}, PLUGIN, "a list of texts"),
    "another method": (
        {**PAGES, **data(allow_origin=["*"], allow_methods=["get"])},
        PLUGIN,
        "'get'",
    ),
    "a header with white space": (
        {**PAGES, **data(allow_origin=["*"], allow_headers=["a b"])},
        PLUGIN,
        "'a b'",
    ),
    "credentials by a word": (
        {**PAGES, **data(allow_origin=["*"], allow_credentials="yes")},
        PLUGIN,
        "true, false",
    ),
    "an age below nothing": (
        {**PAGES, **data(allow_origin=["*"], max_age=-1)},
        PLUGIN,
        "0 to 86400",
    ),
}


@pytest.mark.parametrize("mistake", sorted(PLUGINS))
def test_a_plugin_is_refused_for_what_is_wrong_in_it(apigw_looker: Client, mistake: str) -> None:
    """By its own code."""
    given, expected, fragment = PLUGINS[mistake]
    code, message = apigw_looker.fails("CreatePlugin", **given)
    assert (code, is_documented(code, "CreatePlugin")) == (expected, True), message
    assert fragment in message


Row = tuple[str, Callable[[Shop], Given], str, str]

VALUES: dict[str, Row] = {
    "a service without a name": (
        "CreateService",
        lambda _: {"ServiceName": "", "Protocol": "http"},
        "InvalidParameter.FormatError",
        "1 to 50 characters",
    ),
    "a long description": (
        "CreateService",
        lambda _: {"ServiceName": "a", "Protocol": "http", "ServiceDesc": "x" * 201},
        "InvalidParameter.FormatError",
        "at most 200",
    ),
    "another protocol": (
        "CreateService",
        lambda _: {"ServiceName": "a", "Protocol": "ftp"},
        "InvalidParameterValue.NotInOptions",
        "http, https, http&https",
    ),
    "HTTPS alone": (
        "ModifyService",
        lambda shop: {**shop.on, "Protocol": "https"},
        "UnsupportedOperation",
        "HTTPS is not spoken",
    ),
    "another net": (
        "ModifyService",
        lambda shop: {**shop.on, "NetTypes": ["INTER"]},
        "InvalidParameterValue.NotInOptions",
        "OUTER, INNER",
    ),
    "another internet": (
        "CreateService",
        lambda _: {"ServiceName": "a", "Protocol": "http", "IpVersion": "IPv6"},
        "InvalidParameterValue.NotInOptions",
        "IPv4",
    ),
    "a dedicated instance": (
        "CreateService",
        lambda _: {"ServiceName": "a", "Protocol": "http", "InstanceId": "instance-1"},
        "UnsupportedOperation",
        "no dedicated instances",
    ),
    "a service that is released": (
        "DeleteService",
        lambda shop: shop.on,
        "UnsupportedOperation.ExistingOnlineEnvironment",
        "is released to release",
    ),
    "a domain of another": (
        "DescribeServiceSubDomainMappings",
        lambda shop: {**shop.on, "SubDomain": "example.com"},
        "FailedOperation.ServiceError",
        ".localhost:8080",
    ),
    "an API that a plan opens": (
        "DeleteApi",
        lambda shop: {**shop.on, "ApiId": shop.api},
        "FailedOperation.ApiBindEnvironmen",
        "unbind it first",
    ),
    "a release that never was": (
        "UpdateService",
        lambda shop: {**shop.stage, "VersionName": "2020"},
        "ResourceNotFound",
        "has no release '2020'",
    ),
    "a stage that nothing was released to": (
        "UpdateService",
        lambda shop: {**shop.on, "EnvironmentName": "test", "VersionName": shop.version},
        "FailedOperation.ServiceError",
        "not released to 'test'; it is to release",
    ),
    "the end of what never began": (
        "UnReleaseService",
        lambda shop: {**shop.on, "EnvironmentName": "prepub"},
        "FailedOperation.ServiceError",
        "not released to 'prepub'",
    ),
    "a limit of nothing": (
        "ModifyServiceEnvironmentStrategy",
        lambda shop: {**shop.on, "Strategy": 0, "EnvironmentNames": ["test"]},
        "InvalidParameterValue.RangeExceeded",
        "1 to 5000",
    ),
    "another stage of a limit": (
        "ModifyServiceEnvironmentStrategy",
        lambda shop: {**shop.on, "Strategy": 1, "EnvironmentNames": ["live"]},
        "InvalidParameter",
        "test, prepub, release",
    ),
    "a limit of an API that is too high": (
        "ModifyApiEnvironmentStrategy",
        lambda shop: {**shop.stage, "Strategy": 5001, "ApiIds": [shop.api]},
        "InvalidParameterValue.RangeExceeded",
        "1 to 5000",
    ),
    "a part that begins nowhere": (
        "DescribeApisStatus",
        lambda shop: {**shop.on, "Offset": -1},
        "InvalidParameter.FormatError",
        "Offset is -1",
    ),
    "another filter": (
        "DescribeApisStatus",
        lambda shop: {**shop.on, "Filters": [{"Name": "ApiNames", "Values": ["a"]}]},
        "InvalidParameterValue.InvalidFilterNotSupportedName",
        "there is no filter 'ApiNames'",
    ),
    "a filter of plugins": (
        "DescribePlugins",
        lambda _: {"Filters": [{"Name": "PluginId", "Values": ["a"]}]},
        "InvalidParameterValue.InvalidFilterNotSupportedName",
        "use PluginIds",
    ),
    "a plugin that is not there": (
        "DescribePlugins",
        lambda _: {"PluginIds": ["plugin-none"]},
        "ResourceNotFound.InvalidPlugin",
        "'plugin-none'",
    ),
    "a key without a name": (
        "CreateApiKey",
        lambda _: {"SecretName": ""},
        "InvalidParameter.FormatError",
        "1 to 50 characters",
    ),
    "another kind of key": (
        "CreateApiKey",
        lambda _: {"SecretName": "a", "AccessKeyType": "own"},
        "InvalidParameter.FormatError",
        "auto, manual",
    ),
    "an own key without a secret": (
        "CreateApiKey",
        lambda _: {"SecretName": "a", "AccessKeyType": "manual", "AccessKeyId": "partner"},
        "MissingParameter",
        "AccessKeySecret is missing",
    ),
    "an own key that is short": (
        "CreateApiKey",
        lambda _: {"SecretName": "a", "AccessKeyType": "manual", "AccessKeyId": "a"},
        "InvalidParameter.FormatError",
        "5 to 50",
    ),
    "an own key that is there": (
        "CreateApiKey",
        lambda shop: {
            "SecretName": "a",
            "AccessKeyType": "manual",
            "AccessKeyId": shop.key,
            "AccessKeySecret": "0123456789",
        },
        "FailedOperation.AccessKeyExist",
        "already",
    ),
    "a key in a plan": (
        "DeleteApiKey",
        lambda shop: {"AccessKeyId": shop.key},
        "UnsupportedOperation.ResourceIsInUse",
        "unbind it first",
    ),
    "a secret that is short": (
        "UpdateApiKey",
        lambda shop: {"AccessKeyId": shop.key, "AccessKeySecret": "a"},
        "InvalidParameter.FormatError",
        "10 to 50",
    ),
    "a plan without a name": (
        "CreateUsagePlan",
        lambda _: {"UsagePlanName": ""},
        "InvalidParameter.FormatError",
        "1 to 50 characters",
    ),
    "a plan of no requests": (
        "CreateUsagePlan",
        lambda _: {"UsagePlanName": "a", "MaxRequestNum": 0},
        "InvalidParameterValue.InvalidMaxRequestNum",
        "1 to 99999999, or -1",
    ),
    "a plan that is fast": (
        "ModifyUsagePlan",
        lambda shop: {"UsagePlanId": shop.plan, "MaxRequestNumPreSec": 2001},
        "InvalidParameter.FormatError",
        "1 to 2000, or -1",
    ),
    "a plan that is bound": (
        "DeleteUsagePlan",
        lambda shop: {"UsagePlanId": shop.plan},
        "UnsupportedOperation.UsagePlanInUse",
        "unbind it first",
    ),
    "a key that is in the plan": (
        "BindSecretIds",
        lambda shop: {"UsagePlanId": shop.plan, "AccessKeyIds": [shop.key]},
        "UnsupportedOperation.AlreadyBindUsagePlan",
        "already",
    ),
    "a binding of another type": (
        "BindEnvironment",
        lambda shop: {**shop.bound, "BindType": "APIS"},
        "InvalidParameter.FormatError",
        "did you mean 'API'?",
    ),
    "a binding of no APIs": (
        "BindEnvironment",
        lambda shop: {**shop.bound, "BindType": "API"},
        "InvalidParameterValue.InvalidApiIds",
        "needs ApiIds",
    ),
    "the end of a binding that is none": (
        "UnBindEnvironment",
        lambda shop: {**shop.bound, "Environment": "test", "BindType": "SERVICE"},
        "UnsupportedOperation.UnsupportedUnBindEnvironment",
        "is not bound to",
    ),
    "less of a binding that is none": (
        "DemoteServiceUsagePlan",
        lambda shop: {"UsagePlanId": shop.plan, **shop.on, "Environment": "test"},
        "UnsupportedOperation.NoUsagePlanEnv",
        "is not bound to",
    ),
    "a plugin that is attached": (
        "DeletePlugin",
        lambda shop: {"PluginId": shop.plugin},
        "UnsupportedOperation.InvalidAction",
        "detach it first",
    ),
    "a plugin that is there already": (
        "AttachPlugin",
        lambda shop: {**shop.stage, "PluginId": shop.plugin, "ApiIds": [shop.api]},
        "InvalidParameterValue.DuplicatePluginConfig",
        "of the type IPControl in release",
    ),
    "a plugin at a stage that is off": (
        "AttachPlugin",
        lambda shop: {
            **shop.on,
            "EnvironmentName": "test",
            "PluginId": shop.plugin,
            "ApiIds": [shop.api],
        },
        "InvalidParameterValue.InvalidEnvStatus",
        "not released to 'test'",
    ),
    "the end of a plugin where it is not": (
        "DetachPlugin",
        lambda shop: {**shop.stage, "PluginId": shop.plugin, "ApiId": shop.http},
        "InvalidParameterValue.InvalidApiIds",
        "is not attached to",
    ),
    "a plugin with a long name": (
        "ModifyPlugin",
        lambda shop: {"PluginId": shop.plugin, "PluginName": "x" * 51},
        "InvalidParameterValue.LengthExceeded",
        "1 to 50 characters",
    ),
}


@pytest.mark.parametrize("mistake", sorted(VALUES))
def test_a_value_or_a_conflict_has_its_code(looked_at: Shop, mistake: str) -> None:
    """And nothing was altered."""
    action, given, expected, fragment = VALUES[mistake]
    revision = looked_at.client.panel.revision
    code, message = looked_at.client.fails(action, **given(looked_at))
    assert code == expected, message
    assert is_documented(code, action)
    assert fragment in message
    assert looked_at.client.panel.revision == revision
