"""The official SDK for Python, unmodified, makes a service and steers who answers its callers."""

from __future__ import annotations

import importlib
import json
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha1
from hmac import new as hmac
from typing import Any

import httpx
import pytest

from gateway.controlplane.cloud.app import SECRET_ID, SECRET_KEY

Served = Any

pytestmark = pytest.mark.sockets

SDK = "tencentcloud"
models: Any = importlib.import_module(f"{SDK}.apigateway.v20180808.models")
ApigatewayClient: Any = importlib.import_module(
    f"{SDK}.apigateway.v20180808.apigateway_client"
).ApigatewayClient
credential: Any = importlib.import_module(f"{SDK}.common.credential")
ClientProfile: Any = importlib.import_module(f"{SDK}.common.profile.client_profile").ClientProfile
HttpProfile: Any = importlib.import_module(f"{SDK}.common.profile.http_profile").HttpProfile
Failure: Any = importlib.import_module(
    f"{SDK}.common.exception.tencent_cloud_sdk_exception"
).TencentCloudSDKException


class ApiGateway:
    """The SDK's client, and a caller of what it makes."""

    def __init__(self, served: Served) -> None:
        endpoint = served.control.removeprefix("http://")
        profile = ClientProfile(httpProfile=HttpProfile(protocol="http", endpoint=endpoint))
        secret = credential.Credential(SECRET_ID, SECRET_KEY)
        self._client = ApigatewayClient(secret, "ap-guangzhou", profile)
        self._data = served.data
        self._callers = httpx.Client(trust_env=False)
        self.served = served
        made = self("CreateService", ServiceName="shop", Protocol="http&https")
        self.service, self.domain = made.ServiceId, made.OuterSubDomain

    def __call__(self, action: str, **fields: object) -> Any:  # noqa: ANN401
        """One action; the answer is the SDK's own object."""
        request = getattr(models, f"{action}Request")()
        request.from_json_string(json.dumps(fields))
        return getattr(self._client, action)(request)

    def on(self, action: str, **fields: object) -> Any:  # noqa: ANN401
        """One action on the service."""
        return self(action, ServiceId=self.service, **fields)

    def fails(self, action: str, **fields: object) -> str:
        """The code of an action on the service that is refused."""
        with pytest.raises(Failure) as caught:
            self.on(action, **fields)
        return str(caught.value.code)

    def make(self, path: str = "/user", **fields: object) -> str:
        """A new API of `orders`, by its alias `$DEFAULT`."""
        usual = {
            "ServiceType": "SCF",
            "ServiceTimeout": 15,
            "Protocol": "HTTP",
            "RequestConfig": {"Path": path, "Method": "ANY"},
            "ServiceScfFunctionName": "orders",
            "ServiceScfFunctionType": "EVENT",
            "ServiceScfFunctionQualifier": "$DEFAULT",
        }
        return str(self.on("CreateApi", **{**usual, **fields}).Result.ApiId)

    def aim(self, api: str, qualifier: str) -> None:
        """Another qualifier for an API."""
        self.on(
            "ModifyApi",
            ApiId=api,
            ServiceType="SCF",
            RequestConfig={"Path": "/user", "Method": "ANY"},
            ServiceScfFunctionQualifier=qualifier,
        )

    def release(self, stage: str) -> str:
        """Release the service; gives the version's name."""
        told = self.on("ReleaseService", EnvironmentName=stage, ReleaseDesc=f"to {stage}")
        return str(told.Result.ReleaseVersion)

    def call(self, stage: str, path: str = "/user", **headers: str) -> httpx.Response:
        """What a caller is answered at the service's own domain."""
        fields = {"Host": self.domain, **headers}
        return self._callers.get(f"{self._data}/{stage}{path}", headers=fields)

    def who(self, stage: str) -> str:
        """Which version answers."""
        return str(self.call(stage).json()["version"])

    def close(self) -> None:
        """Let go of the callers' connections."""
        self._callers.close()


@pytest.fixture
def gateway(served: Served) -> Iterator[ApiGateway]:
    """The SDK's client, with a service that it made."""
    made = ApiGateway(served)
    yield made
    made.close()


def test_three_stages_keep_what_was_released_to_them(gateway: ApiGateway) -> None:
    """Drafts answer nobody; a stage goes back to an earlier release, or off the air."""
    assert gateway.domain == f"{gateway.service}.localhost:{gateway.served.data.rpartition(':')[2]}"
    api = gateway.make()
    assert gateway.call("release").status_code == 404, "a draft answers nobody"
    gateway.aim(api, "release")
    first = gateway.release("release")
    gateway.aim(api, "2")
    gateway.release("prepub")
    gateway.aim(api, "$DEFAULT")
    gateway.release("test")
    seen = {stage: gateway.who(stage) for stage in ("test", "dev", "prepub", "release")}
    assert seen == {"test": "latest", "dev": "latest", "prepub": "v2", "release": "v1"}
    assert gateway.on("DescribeService").AvailableEnvironments == ["test", "prepub", "release"]
    second = gateway.release("release")
    assert gateway.who("release") == "latest"
    gateway.on("UpdateService", EnvironmentName="release", VersionName=first)
    assert gateway.who("release") == "v1"
    history = gateway.on("DescribeServiceEnvironmentReleaseHistory", EnvironmentName="release")
    names = [each.VersionName for each in history.Result.VersionList]
    assert names == [first, second, first]
    versions = gateway.on("DescribeServiceReleaseVersion").Result
    assert versions.TotalCount == 4, "each release is told once"
    listed = gateway.on("DescribeServiceEnvironmentList").Result.EnvironmentList
    assert [(each.EnvironmentName, each.Status) for each in listed] == [
        ("test", 1),
        ("prepub", 1),
        ("release", 1),
    ]
    assert listed[2].VersionName == first
    with httpx.Client(trust_env=False) as caller:
        host, _, stage = listed[2].Url.partition("/")
        told = caller.get(f"{gateway.served.data}/{stage}/user", headers={"Host": host})
        assert told.json()["version"] == "v1", "the told address is where callers are answered"
    gateway.on("UnReleaseService", EnvironmentName="release")
    assert gateway.call("release").status_code == 404
    assert gateway.who("prepub") == "v2"
    assert gateway.fails("UnReleaseService", EnvironmentName="release") == (
        "FailedOperation.ServiceError"
    )


def test_an_alias_moves_without_a_release(gateway: ApiGateway) -> None:
    """The qualifier is released, where it leads is not."""
    gateway.make(ServiceScfFunctionQualifier="release")
    gateway.release("release")
    assert gateway.who("release") == "v1"
    with httpx.Client(trust_env=False) as steering:
        url = f"{gateway.served.control}/api/functions/orders/aliases/release"
        steering.put(url, json={"version": "3"}).raise_for_status()
    assert gateway.who("release") == "v3"


def test_a_strategy_limits_a_stage_and_an_api(gateway: ApiGateway) -> None:
    """At once, for releases to come, and back again."""
    api = gateway.make()
    gateway.on("ModifyServiceEnvironmentStrategy", Strategy=1, EnvironmentNames=["test"])
    gateway.release("test")
    gateway.release("release")
    told = gateway.on("DescribeServiceEnvironmentStrategy").Result.EnvironmentList
    assert [each.Strategy for each in told] == [1, 5000, 5000]
    assert {gateway.call("test").status_code for _ in range(5)} == {200, 429}
    assert {gateway.call("release").status_code for _ in range(5)} == {200}
    limit = {"EnvironmentName": "release", "ApiIds": [api]}
    gateway.on("ModifyApiEnvironmentStrategy", Strategy=1, **limit)
    answers = [gateway.call("release") for _ in range(5)]
    assert {answer.status_code for answer in answers} == {200, 429}
    assert answers[-1].json() == {"message": "API rate limit exceeded."}
    shown = gateway.on("DescribeApiEnvironmentStrategy").Result.ApiEnvironmentStrategySet
    quotas = {one.EnvironmentName: one.Quota for one in shown[0].EnvironmentStrategySet}
    assert quotas == {"test": -1, "prepub": -1, "release": 1}
    gateway.on("ModifyApiEnvironmentStrategy", Strategy=-1, **limit)
    assert {gateway.call("release").status_code for _ in range(5)} == {200}


def authorization(key: str, secret: str) -> dict[str, str]:
    """The headers of a caller who signs."""
    date = "Tue, 24 Nov 2026 00:00:00 GMT"
    text = f"date: {date}\nsource: test"
    signature = b64encode(hmac(secret.encode(), text.encode(), sha1).digest()).decode()
    said = f'hmac id="{key}", algorithm="hmac-sha1", headers="date source"'
    return {
        "Date": date,
        "Source": "test",
        "Authorization": f'{said}, signature="{signature}"',
    }


def test_a_key_and_its_plan_open_an_api(gateway: ApiGateway) -> None:
    """Bound to the service, then to one API; disabled, enabled, unbound, and all of it deleted."""
    api = gateway.make(AuthType="SECRET")
    gateway.make("/other", AuthType="SECRET")
    gateway.release("release")
    key = gateway("CreateApiKey", SecretName="partner").Result
    plan = gateway("CreateUsagePlan", UsagePlanName="small", MaxRequestNum=3).Result.UsagePlanId
    signed = authorization(key.AccessKeyId, key.AccessKeySecret)
    assert gateway.call("release").status_code == 401
    gateway("BindSecretIds", UsagePlanId=plan, AccessKeyIds=[key.AccessKeyId])
    bound = {"UsagePlanIds": [plan], "Environment": "release"}
    gateway.on("BindEnvironment", BindType="SERVICE", **bound)
    answer = gateway.call("release", **signed)
    assert (answer.status_code, answer.headers["x-ratelimit-used"]) == (200, "1/3")
    assert answer.headers["x-usageplan-id"] == plan
    assert gateway.call("release", "/other", **signed).status_code == 200
    gateway(
        "DemoteServiceUsagePlan", UsagePlanId=plan, ServiceId=gateway.service, Environment="release"
    )
    other = [
        each.ApiId
        for each in gateway.on("DescribeApiUsagePlan").Result.ApiUsagePlanList
        if each.ApiId != api
    ]
    gateway.on("UnBindEnvironment", BindType="API", ApiIds=other, **bound)
    assert gateway.call("release", **signed).status_code == 200
    assert gateway.call("release", "/other", **signed).status_code == 403, "not in the plan"
    assert gateway.call("release", **signed).status_code == 429, "the quota is used up"
    gateway("ModifyUsagePlan", UsagePlanId=plan, MaxRequestNum=100)
    assert gateway.call("release", **signed).status_code == 200
    gateway("DisableApiKey", AccessKeyId=key.AccessKeyId)
    assert gateway.call("release", **signed).status_code == 401
    assert gateway.fails("DeleteApi", ApiId=api) == "FailedOperation.ApiBindEnvironmen"
    gateway.on("UnBindEnvironment", BindType="API", ApiIds=[api], **bound)
    gateway("UnBindSecretIds", UsagePlanId=plan, AccessKeyIds=[key.AccessKeyId])
    gateway("DeleteApiKey", AccessKeyId=key.AccessKeyId)
    gateway("DeleteUsagePlan", UsagePlanId=plan)
    assert gateway("DescribeApiKeysStatus").Result.TotalCount == 0
    assert gateway("DescribeUsagePlansStatus").Result.TotalCount == 0


def plugin(gateway: ApiGateway, kind: str, **data: object) -> str:
    """A new plugin."""
    told = gateway("CreatePlugin", PluginName="one", PluginType=kind, PluginData=json.dumps(data))
    return str(told.Result.PluginId)


def test_a_plugin_lets_addresses_in_or_not(gateway: ApiGateway) -> None:
    """As soon as it is attached, at one API of one stage, and through another release."""
    api = gateway.make()
    gateway.make("/other")
    gateway.release("test")
    gateway.release("release")
    key = plugin(gateway, "IPControl", type="black_list", blocks="10.0.0.1\n127.0.0.0/8")
    at = {"PluginId": key, "ServiceId": gateway.service, "EnvironmentName": "release"}
    gateway("AttachPlugin", **at, ApiIds=[api])
    refused = gateway.call("release")
    assert (refused.status_code, refused.json()) == (
        403,
        {"message": "Endpoint IP address is not allowed."},
    )
    assert gateway.call("release", "/other").status_code == 200
    assert gateway.call("test").status_code == 200
    gateway.release("release")
    assert gateway.call("release").status_code == 403, "a release does not detach it"
    white = json.dumps({"type": "white_list", "blocks": "127.0.0.1"})
    gateway("ModifyPlugin", PluginId=key, PluginData=white)
    assert gateway.call("release").status_code == 200
    (shown,) = gateway("DescribePlugin", PluginId=key).Result.AttachedApis
    assert (shown.ApiId, shown.Environment) == (api, "release")
    gateway("DetachPlugin", **at, ApiId=api)
    gateway("DeletePlugin", PluginId=key)


def test_a_plugin_limits_each_address(gateway: ApiGateway) -> None:
    """In a window of its own length."""
    api = gateway.make()
    gateway.release("release")
    key = plugin(gateway, "TrafficControl", expire_type="hour", expire=1, ip_rate_limit=2)
    at = {"PluginId": key, "ServiceId": gateway.service, "EnvironmentName": "release"}
    gateway("AttachPlugin", **at, ApiIds=[api])
    seen = [gateway.call("release").status_code for _ in range(4)]
    assert seen == [200, 200, 429, 429]


def test_a_plugin_says_which_pages_may_call(gateway: ApiGateway) -> None:
    """Instead of the API's own switch."""
    api = gateway.make(EnableCORS=True)
    gateway.release("release")
    page = {"Origin": "https://shop.example"}
    assert gateway.call("release", **page).headers["access-control-allow-origin"] == "*"
    key = plugin(gateway, "Cors", allow_origin=["https://shop.example"], allow_credentials=True)
    at = {"PluginId": key, "ServiceId": gateway.service, "EnvironmentName": "release"}
    gateway("AttachPlugin", **at, ApiIds=[api])
    told = gateway.call("release", **page).headers
    assert told["access-control-allow-origin"] == "https://shop.example"
    assert told["access-control-allow-credentials"] == "true"
    other = gateway.call("release", Origin="https://other.example").headers
    assert "access-control-allow-origin" not in other


def test_a_service_is_gone_when_nothing_is_left_of_it(gateway: ApiGateway) -> None:
    """Not before: what is in its way is named by its code."""
    api = gateway.make()
    gateway.release("test")
    assert gateway.fails("DeleteService") == "UnsupportedOperation.ExistingOnlineEnvironment"
    gateway.on("UnReleaseService", EnvironmentName="test")
    assert gateway.fails("DeleteService") == "UnsupportedOperation.ApiListNotEmpty"
    gateway.on("DeleteApi", ApiId=api)
    gateway.on("DeleteService")
    assert gateway.fails("DescribeService") == "ResourceNotFound.InvalidService"
    assert gateway.call("test").status_code == 404
