"""Services, APIs, releases, keys, plans and plugins: what is altered, what stays, the limits."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from gateway.core.apply import apply
from gateway.core.changes import Batch, PutResource, PutService, Release
from gateway.core.features import ApiFeatures
from gateway.core.rebuild import rebuild
from gateway.core.routes import parse_path
from gateway.core.snapshot import EMPTY, Api, HttpBackend, MockBackend, Snapshot
from gateway.store.protocol import Author

Client = Any
Shop = Any

FRONT = {"RequestConfig": {"Path": "/ping", "Method": "GET"}}
MOCK = {**FRONT, "ServiceType": "MOCK", "ServiceTimeout": 15, "Protocol": "HTTP"}


def altered(shop: Shop, change: Any) -> None:  # noqa: ANN401 - a change, or what makes one
    """Make a change by other ways than the cloud's."""
    panel = shop.client.panel
    panel.run(panel.gateway.service.change(change, Author("test", "here")))


def snapshot(shop: Shop) -> Snapshot:
    """What is live."""
    found: Snapshot = shop.client.panel.gateway.live.snapshot
    return found


def called(shop: Shop, path: str, **headers: str) -> httpx.Response:
    """What a caller of the service is answered."""

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(shop.client.panel.gateway.plane, client=("10.0.0.7", 1))
        url = f"http://{shop.service}.localhost:8080/{path}"
        answer = await transport.handle_async_request(httpx.Request("GET", url, headers=headers))
        await answer.aread()
        return answer

    answer: httpx.Response = shop.client.panel.run(ask())
    return answer


def test_what_is_not_named_stays(shop: Shop) -> None:
    """Of a service, of an API, of a plan and of a plugin."""
    ask = shop.client
    ask("ModifyService", **shop.on, ServiceDesc="a shop", NetTypes=["INNER"])
    ask("ModifyService", **shop.on, ServiceName="store", Protocol="http&https")
    told = ask("DescribeService", **shop.on)
    said = [told[name] for name in ("ServiceName", "ServiceDesc", "Protocol", "NetTypes")]
    assert said == ["store", "a shop", "http&https", ["INNER"]]
    api = {**shop.on, "ApiId": shop.http}
    before = ask("DescribeApi", **api)["Result"]
    ask("ModifyApi", **api, ServiceType="HTTP", RequestConfig={"Path": "/old", "Method": "GET"})
    assert ask("DescribeApi", **api)["Result"] == before
    ask("ModifyApi", **api, ServiceType="HTTP", ApiName="old", **FRONT)
    after = ask("DescribeApi", **api)["Result"]
    differing = {name for name in after if after[name] != before.get(name)}
    assert differing - {"ModifiedTime"} == {"ApiName", "RequestConfig"}
    ask("ModifyUsagePlan", UsagePlanId=shop.plan, MaxRequestNumPreSec=7)
    ask("ModifyUsagePlan", UsagePlanId=shop.plan, UsagePlanName="tiny")
    plan = ask("DescribeUsagePlan", UsagePlanId=shop.plan)["Result"]
    assert (plan["UsagePlanName"], plan["MaxRequestNumPreSec"]) == ("tiny", 7)
    assert (plan["BindSecretIds"], plan["BindEnvironmentTotalCount"]) == ([shop.key], 1)
    ask("ModifyPlugin", PluginId=shop.plugin, PluginName="gate")
    plugin = ask("DescribePlugin", PluginId=shop.plugin)["Result"]
    assert (plugin["PluginName"], plugin["AttachedApiTotalCount"]) == ("gate", 1)
    assert json.loads(plugin["PluginData"]) == {"type": "black_list", "blocks": "10.0.0.0/8"}


def test_an_api_may_get_another_back_end(shop: Shop) -> None:
    """What belonged to the old one is forgotten."""
    api = {**shop.on, "ApiId": shop.http}
    shop.client("ModifyApi", **api, **FRONT, ServiceType="MOCK", ServiceMockReturnMessage="pong")
    code, message = shop.client.fails("ModifyApi", **api, **FRONT, ServiceType="HTTP")
    assert (code, "ServiceConfig.Url" in message) == (
        "InvalidParameterValue.InvalidServiceConfig",
        True,
    )


def test_a_mock_with_constants_is_a_mock(shop: Shop) -> None:
    """Its parameters are told as they were given, in the cloud's words."""
    declared = {"Name": "n", "Position": "QUERY", "Type": "long", "Required": True, "Desc": "how"}
    key = shop.make(
        "CreateApi",
        "ApiId",
        **shop.on,
        **MOCK,
        ServiceMockReturnMessage="pong",
        RequestParameters=[declared],
        ResponseErrorCodes=[{"Code": 7, "Msg": "no"}],
    )
    told = shop.client("DescribeApi", **shop.on, ApiId=key)["Result"]
    (parameter,) = told["RequestParameters"]
    assert parameter == {
        "Name": "n",
        "Position": "query",
        "Type": "int",
        "DefaultValue": "",
        "Required": True,
        "Desc": "how",
    }
    assert told["ResponseErrorCodes"] == [{"Code": 7, "Msg": "no"}]
    assert told["ServiceMockReturnMessage"] == "pong"
    shop.client("ReleaseService", **shop.stage, ReleaseDesc="two")
    assert called(shop, "release/ping?n=1").text == "pong"
    assert called(shop, "release/ping").status_code == 403


def test_lists_are_told_by_conditions_and_in_parts(shop: Shop) -> None:
    """Each condition is met by any of its values."""
    ask = shop.client

    def apis(**given: object) -> tuple[int, list[str]]:
        told = ask("DescribeApisStatus", **shop.on, **given)["Result"]
        return told["TotalCount"], [each["ApiId"] for each in told["ApiIdStatusSet"]]

    assert apis() == (2, [shop.api, shop.http])
    assert apis(Limit=1, Offset=1) == (2, [shop.http])
    assert apis(Filters=[{"Name": "ApiPath", "Values": ["/old", "/new"]}]) == (1, [shop.http])
    two = [{"Name": "ApiPath", "Values": ["/old"]}, {"Name": "ApiId", "Values": [shop.api]}]
    assert apis(Filters=two) == (0, [])
    on = {"Name": "Environment", "Values": ["release"]}
    assert ask("DescribeServicesStatus", Filters=[on])["Result"]["TotalCount"] == 2
    on["Values"] = ["prepub"]
    assert ask("DescribeServicesStatus", Filters=[on])["Result"]["TotalCount"] == 0
    off = [{"Name": "Status", "Values": ["0"]}]
    assert ask("DescribeApiKeysStatus", Filters=off)["Result"]["TotalCount"] == 0
    for name, value, count in (
        ("PluginName", "block", 1),
        ("PluginName", "other", 0),
        ("PluginType", "IPControl", 1),
        ("PluginIds", [shop.plugin], 1),
    ):
        assert ask("DescribePlugins", **{name: value})["Result"]["TotalCount"] == count


def test_one_api_or_one_stage_may_be_asked_about(shop: Shop) -> None:
    """Limits of one API, plugins in one stage, history of one."""
    ask = shop.client
    told = ask(
        "DescribeApiEnvironmentStrategy", **shop.on, ApiId=shop.api, EnvironmentNames=["test"]
    )["Result"]
    (one,) = told["ApiEnvironmentStrategySet"]
    assert one["EnvironmentStrategySet"] == [{"EnvironmentName": "test", "Quota": -1}]
    for stage, count in (("release", 1), ("prepub", 0)):
        given = {**shop.on, "EnvironmentName": stage}
        plugins = ask("DescribePluginsByApi", **given, ApiId=shop.api)["Result"]
        history = ask("DescribeServiceEnvironmentReleaseHistory", **given)["Result"]
        assert (plugins["TotalCount"], history["TotalCount"]) == (count, count)
    everywhere = ask("DescribePluginsByApi", **shop.on, ApiId=shop.api)["Result"]
    assert everywhere["TotalCount"] == 1
    other = ask("DescribePluginsByApi", **shop.on, ApiId=shop.http)["Result"]
    assert other["TotalCount"] == 0


def test_releases_by_other_ways_are_part_of_the_history(shop: Shop) -> None:
    """They have no names of their own; what only says who may call is no release."""
    ask, panel = shop.client, shop.client.panel
    revision = panel.revision
    ask("ModifyServiceEnvironmentStrategy", **shop.on, Strategy=9, EnvironmentNames=["release"])
    assert panel.revision == revision + 1

    def again(state: Snapshot) -> Release:
        stage = state.services[shop.service].stages["release"]
        return Release(shop.service, "release", stage.apis[:1], {}, stage.features)

    altered(shop, again)
    told = ask("DescribeServiceEnvironmentReleaseHistory", **shop.stage)["Result"]["VersionList"]
    assert [each["VersionName"] for each in told] == [f"revision-{panel.revision}", shop.version]
    listed = ask("DescribeServiceEnvironmentList", **shop.on)["Result"]["EnvironmentList"]
    assert listed[2]["VersionName"] == f"revision-{panel.revision}"
    assert called(shop, "release/old").status_code == 404
    ask("UpdateService", **shop.stage, VersionName=shop.version, UpdateDesc="back")
    told = ask("DescribeServiceEnvironmentReleaseHistory", **shop.stage)["Result"]["VersionList"]
    assert (told[0]["VersionName"], told[0]["VersionDesc"]) == (shop.version, "back")
    ask("UpdateService", **shop.stage, VersionName=told[1]["VersionName"])
    assert called(shop, "release/old").status_code == 404


def test_a_service_of_a_file_is_told_like_others(apigw: Client) -> None:
    """It can be steered by both; its limits are its own."""
    (service,) = apigw("DescribeServicesStatus")["Result"]["ServiceSet"]
    assert service["AvailableEnvironments"] == ["test", "release"]
    on = {"ServiceId": service["ServiceId"]}
    for api in apigw("DescribeApisStatus", **on)["Result"]["ApiIdStatusSet"]:
        told = apigw("DescribeApi", **on, ApiId=api["ApiId"])["Result"]
        assert told["ApiName"] == api["ApiId"]
        assert told["CreatedTime"].endswith("Z")
    told = apigw("DescribeServiceEnvironmentStrategy", **on)["Result"]["EnvironmentList"]
    assert [each["Strategy"] for each in told] == [-1, 5000, -1]
    versions = apigw("DescribeServiceReleaseVersion", **on)["Result"]["VersionList"]
    assert [each["VersionName"] for each in versions] == ["revision-1"]
    release = {**on, "EnvironmentName": "release"}
    apigw("ReleaseService", **release, ReleaseDesc="one")
    altered_variables(apigw, service["ServiceId"])
    apigw("UpdateService", **release, VersionName="revision-1")
    stages = apigw.panel.gateway.live.snapshot.services[service["ServiceId"]].stages
    assert stages["release"].variables == {"region": "local"}, "they belong to a release"
    apigw("ModifyService", **on, ServiceDesc="of a file")
    apigw("ReleaseService", **on, EnvironmentName="prepub", ReleaseDesc="one")
    assert apigw("DescribeService", **on)["ServiceDesc"] == "of a file"
    told = apigw("DescribeServiceEnvironmentStrategy", **on)["Result"]["EnvironmentList"]
    assert [each["Strategy"] for each in told] == [-1, -1, -1], "it was not made here"


def altered_variables(client: Client, key: str) -> None:
    """Release the same APIs to the stage `release` with other variables."""

    def ask(state: Snapshot) -> Release:
        stage = state.services[key].stages["release"]
        return Release(key, "release", stage.apis, {"region": "far"}, stage.features)

    client.panel.run(client.panel.gateway.service.change(ask, Author("test", "here")))


def test_what_the_cloud_has_no_words_for_stays(shop: Shop) -> None:
    """A limit, compression, a status, headers, half a second."""
    features = ApiFeatures(throttle=7, gzip=True)
    mock = MockBackend("pong", 418, {"X-A": "1"})
    http = HttpBackend("http://127.0.0.1:9/x", 0.5)
    old = (
        Api("mock", "GET", parse_path("/m"), mock, features),
        Api("http", "GET", parse_path("/h"), http, features),
    )
    altered(shop, PutService(shop.service, "shop", old))
    for key, kind in (("mock", "MOCK"), ("http", "HTTP")):
        front = {"Path": f"/{key}", "Method": "POST"}
        told = shop.client("ModifyApi", **shop.on, ApiId=key, ServiceType=kind, RequestConfig=front)
        assert set(told) == {"RequestId"}
    made = snapshot(shop).services[shop.service].apis
    assert [(api.backend, api.features, api.method) for api in made] == [
        (mock, features, "POST"),
        (http, features, "POST"),
    ]
    front = {"Path": "/http", "Method": "POST"}
    given = {"ApiId": "http", "ServiceType": "HTTP", "RequestConfig": front}
    shop.client("ModifyApi", **shop.on, **given, ServiceTimeout=3)
    assert snapshot(shop).services[shop.service].apis[1].backend == replace(http, timeout=3)


def test_a_release_of_what_is_gone_is_refused(shop: Shop) -> None:
    """A draft may lead to a function that was deleted since."""
    scf = {**MOCK, "ServiceType": "SCF", "ServiceScfFunctionName": "idle"}
    shop.make("CreateApi", "ApiId", **shop.on, **scf)
    shop.client.panel("DELETE", "/api/functions/idle")
    code, message = shop.client.fails("ReleaseService", **shop.stage, ReleaseDesc="two")
    assert (code, "idle" in message) == ("FailedOperation.ServiceError", True)


def test_what_others_set_stays(shop: Shop) -> None:
    """Keys, plans and networks of a file are no business of the cloud's plans and plugins."""
    service = next(each for each in snapshot(shop).services.values() if each.id != shop.service)
    on = {"ServiceId": service.id, "Environment": "release"}
    shop.client("BindEnvironment", **on, UsagePlanIds=[shop.plan], BindType="SERVICE")
    assert list(snapshot(shop).services[service.id].access.plans) == [shop.plan]
    shop.client("UnBindEnvironment", **on, UsagePlanIds=[shop.plan], BindType="SERVICE")
    assert snapshot(shop).services[service.id].access == service.access


def test_a_deleted_service_leaves_nothing_behind(shop: Shop) -> None:
    """Its plugins are attached to nothing, its plans are bound to nothing."""
    ask = shop.client
    ask("ModifyApiEnvironmentStrategy", **shop.stage, Strategy=5, ApiIds=[shop.api])
    ask("UnReleaseService", **shop.stage)
    ask("UnBindEnvironment", **shop.bound, BindType="API", ApiIds=[shop.api])
    for key in (shop.api, shop.http):
        ask("DeleteApi", **shop.on, ApiId=key)
    code, message = ask.fails("DeleteService", **shop.on)
    assert (code, shop.plan in message) == ("UnsupportedOperation.UsagePlanInUse", True)
    ask("UnBindEnvironment", **shop.bound, BindType="SERVICE")
    ask("DeleteService", **shop.on)
    assert ask("DescribePlugin", PluginId=shop.plugin)["Result"]["AttachedApis"] == []
    left = snapshot(shop).resources
    assert set(left) == {"keys", "plans", "plugins"}
    assert shop.service not in json.dumps(left)


def test_keys_of_ones_own(apigw: Client) -> None:
    """They are told as they were given, and renewed only as it is given."""
    own = {"AccessKeyId": "partner_1", "AccessKeySecret": "0123456789"}
    told = apigw("CreateApiKey", SecretName="a", AccessKeyType="manual", **own)["Result"]
    assert {name: told[name] for name in own} == own
    assert apigw.fails("UpdateApiKey", AccessKeyId="partner_1")[0] == "MissingParameter"
    apigw("UpdateApiKey", AccessKeyId="partner_1", AccessKeySecret="abcdefghij")
    assert apigw("DescribeApiKey", AccessKeyId="partner_1")["Result"]["AccessKeySecret"] == (
        "abcdefghij"
    )
    code, _ = apigw.fails("DeleteApiKey", AccessKeyId="partner_1")
    assert code == "UnsupportedOperation.InvalidStatus"
    apigw("DisableApiKey", AccessKeyId="partner_1")
    plan = apigw("CreateUsagePlan", UsagePlanName="small")["Result"]["UsagePlanId"]
    code, _ = apigw.fails("BindSecretIds", UsagePlanId=plan, AccessKeyIds=["partner_1"])
    assert code == "UnsupportedOperation.InvalidStatus"
    told = apigw.panel("GET", "/api/changes").text
    assert "partner_1" in told
    assert "abcdefghij" not in told, "a secret is told to nobody else"


PLAN = {"name": "p", "description": "", "quota": -1, "rate": -1, "keys": [], "bindings": []}
KEY = {"name": "k", "secret": "s" * 10, "type": "auto", "enabled": True}


def services(_shop: Shop) -> list[Any]:
    """As many services as there may be."""
    return [PutService(f"service-{number}", "a") for number in range(50)]


def apis(shop: Shop) -> list[Any]:
    """As many APIs as a service may have."""
    made = [Api(f"api-{n}", "GET", parse_path(f"/{n}"), MockBackend("")) for n in range(200)]
    return [PutService(shop.service, "a", tuple(made))]


def keys(_shop: Shop) -> list[Any]:
    """As many keys as there may be."""
    return [PutResource("keys", f"key-{number}", KEY) for number in range(400)]


def plans(_shop: Shop) -> list[Any]:
    """As many usage plans as there may be."""
    return [PutResource("plans", f"plan-{number}", PLAN) for number in range(200)]


def full_plan(shop: Shop) -> list[Any]:
    """A usage plan with as many keys as it may have."""
    named = [f"key-{number}" for number in range(51)]
    made = [PutResource("keys", name, KEY) for name in named]
    return [*made, PutResource("plans", shop.plan, {**PLAN, "keys": named[:50]})]


def popular_key(_shop: Shop) -> list[Any]:
    """A key in as many usage plans as it may be in."""
    made = [PutResource("plans", f"plan-{n}", {**PLAN, "keys": ["key-50"]}) for n in range(10)]
    return [PutResource("keys", "key-50", KEY), *made]


@pytest.mark.parametrize(
    ("fill", "action", "given", "expected"),
    [
        (
            services,
            "CreateService",
            lambda _: {"ServiceName": "a", "Protocol": "http"},
            "LimitExceeded.ServiceCountLimitExceeded",
        ),
        (
            apis,
            "CreateApi",
            lambda shop: {**shop.on, **MOCK, "ServiceMockReturnMessage": ""},
            "LimitExceeded.ApiCountLimitExceeded",
        ),
        (
            keys,
            "CreateApiKey",
            lambda _: {"SecretName": "a"},
            "LimitExceeded.ApiKeyCountLimitExceeded",
        ),
        (
            plans,
            "CreateUsagePlan",
            lambda _: {"UsagePlanName": "a"},
            "LimitExceeded.UsagePlanLimitExceeded",
        ),
        (
            full_plan,
            "BindSecretIds",
            lambda shop: {"UsagePlanId": shop.plan, "AccessKeyIds": ["key-50"]},
            "LimitExceeded.AccessKeyCountInUsagePlanLimitExceeded",
        ),
        (
            popular_key,
            "BindSecretIds",
            lambda shop: {"UsagePlanId": shop.plan, "AccessKeyIds": ["key-50"]},
            "LimitExceeded.AccessKeyCountInUsagePlanLimitExceeded",
        ),
    ],
    ids=["services", "apis", "keys", "plans", "keys of a plan", "plans of a key"],
)
def test_there_is_a_most_of_everything(
    shop: Shop,
    fill: Callable[[Shop], list[Any]],
    action: str,
    given: Callable[[Shop], dict[str, Any]],
    expected: str,
) -> None:
    """By the cloud's numbers."""
    altered(shop, Batch(tuple(fill(shop))))
    assert shop.client.fails(action, **given(shop))[0] == expected


def test_a_state_is_the_same_after_a_restart(shop: Shop) -> None:
    """Every resource, and what follows from it."""
    state = snapshot(shop)
    again = apply(EMPTY, rebuild(state))
    assert (again.services, again.resources) == (state.services, state.resources)
