"""API Gateway triggers of functions: APIs that are made, told and deleted with their function."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

Client = Any
Fields = dict[str, Any]

TRIGGER = {"FunctionName": "orders", "TriggerName": "SCF_API_SERVICE", "Type": "apigw"}


def create(client: Client, desc: object = None, **given: object) -> Fields:
    """A new trigger; gives its TriggerInfo."""
    said = {} if desc is None else {"TriggerDesc": json.dumps(desc)}
    told = client("CreateTrigger", **TRIGGER, **said, **given)
    assert "Error" not in told, told
    info: Fields = told["TriggerInfo"]
    return info


def listed(client: Client) -> list[Fields]:
    """The triggers of `orders`."""
    found: list[Fields] = client("ListTriggers", FunctionName="orders")["Triggers"]
    return found


def called(client: Client, url: str) -> httpx.Response:
    """What a caller of an address is answered."""

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(client.panel.gateway.plane, client=("10.0.0.7", 1))
        answer = await transport.handle_async_request(httpx.Request("GET", url))
        await answer.aread()
        return answer

    answer: httpx.Response = client.panel.run(ask())
    return answer


def test_a_trigger_is_a_released_api(client: Client, apigw: Client) -> None:
    """With everything as the cloud has it where nothing is said; its address answers."""
    desc = json.loads(create(client)["TriggerDesc"])
    assert desc["api"] | {"apiId": ""} == {
        "apiId": "",
        "apiName": "orders",
        "authRequired": "FALSE",
        "isIntegratedResponse": "FALSE",
        "IsBase64Encoded": "FALSE",
        "requestConfig": {"method": "ANY", "path": "/orders"},
    }
    service = desc["service"]["serviceId"]
    url = f"http://{service}.localhost:8080/release/orders"
    assert desc["service"] == {
        "serviceId": service,
        "serviceName": "SCF_API_SERVICE",
        "subDomain": url,
    }
    assert desc["release"] == {"environmentName": "release"}
    assert called(client, url).json()["version"] == "latest"
    told = apigw("DescribeApi", ServiceId=service, ApiId=desc["api"]["apiId"])["Result"]
    assert (told["ServiceScfFunctionName"], told["Environments"]) == ("orders", ["release"])
    (trigger,) = listed(client)
    assert json.loads(trigger["TriggerDesc"]) == desc
    assert (trigger["Type"], trigger["Qualifier"]) == ("apigw", "$LATEST")


def test_a_trigger_says_what_it_wants(client: Client) -> None:
    """Another stage, another path, an alias, the function's own answers; in the same service."""
    first = create(client)
    desc: Any = {
        "api": {
            "authRequired": "TRUE",
            "isIntegratedResponse": "TRUE",
            "IsBase64Encoded": "TRUE",
            "requestConfig": {"method": "GET", "path": "/other"},
        },
        "service": {"serviceName": "SCF_API_SERVICE"},
        "release": {"environmentName": "test"},
    }
    second = create(client, desc, Qualifier="release")
    told = json.loads(second["TriggerDesc"])
    assert told["service"]["serviceId"] == json.loads(first["TriggerDesc"])["service"]["serviceId"]
    assert {name: told["api"][name] for name in desc["api"]} == desc["api"]
    assert told["release"] == {"environmentName": "test"}
    assert called(client, told["service"]["subDomain"]).status_code == 401
    third = create(
        client,
        {
            "api": {"requestConfig": {"path": "=/third"}},
            "service": {"serviceId": told["service"]["serviceId"]},
            "release": {"environmentName": "test"},
        },
    )
    url = json.loads(third["TriggerDesc"])["service"]["subDomain"]
    assert url.endswith("/test/third")
    assert called(client, url).json()["version"] == "latest"
    assert [each["Qualifier"] for each in listed(client)] == ["$LATEST", "release", "$LATEST"]


def test_a_trigger_goes_with_its_api(client: Client, apigw: Client) -> None:
    """From its stage as well; others of its service stay."""
    first = create(client)
    second = create(client, {"api": {"requestConfig": {"path": "/other"}}})
    url = json.loads(first["TriggerDesc"])["service"]["subDomain"]
    gone = client("DeleteTrigger", **TRIGGER, TriggerDesc=first["TriggerDesc"])
    assert set(gone) == {"RequestId"}
    assert called(client, url).status_code == 404
    assert [each["ResourceId"] for each in listed(client)] == [second["ResourceId"]]
    other = json.loads(second["TriggerDesc"])["service"]
    assert called(client, other["subDomain"]).status_code == 200
    apigw("UnReleaseService", ServiceId=other["serviceId"], EnvironmentName="release")
    client("DeleteTrigger", **TRIGGER, TriggerDesc=second["TriggerDesc"])
    assert listed(client) == []
    apigw("DeleteService", ServiceId=other["serviceId"])
    assert apigw.fails("DescribeService", ServiceId=other["serviceId"])[0] == (
        "ResourceNotFound.InvalidService"
    )


def test_a_trigger_that_a_plan_opens_stays(client: Client, apigw: Client) -> None:
    """As an API does; nothing is kept of one that went."""
    trigger = create(client)
    desc = json.loads(trigger["TriggerDesc"])
    plan = apigw("CreateUsagePlan", UsagePlanName="small")["Result"]["UsagePlanId"]
    bound = {"UsagePlanIds": [plan], "BindType": "API", "Environment": "release"}
    on = {"ServiceId": desc["service"]["serviceId"], "ApiIds": [desc["api"]["apiId"]]}
    apigw("BindEnvironment", **bound, **on)
    code, message = client.fails("DeleteTrigger", **TRIGGER)
    assert (code, plan in message) == ("ResourceInUse", True)
    apigw("UnBindEnvironment", **bound, **on)
    client("DeleteTrigger", **TRIGGER)
    left = client.panel.gateway.live.snapshot.resources
    assert set(left) == {"services", "plans"}


def test_an_api_that_leads_elsewhere_is_no_trigger_any_more(client: Client, apigw: Client) -> None:
    """Whatever it was made by."""
    for last in ("other function", "other back end", "deleted"):
        desc = json.loads(create(client)["TriggerDesc"])
        api = {"ServiceId": desc["service"]["serviceId"], "ApiId": desc["api"]["apiId"]}
        front = {"RequestConfig": {"Path": "/" + last.replace(" ", ""), "Method": "GET"}}
        if last == "other function":
            apigw("ModifyApi", **api, **front, ServiceType="SCF", ServiceScfFunctionName="idle")
        elif last == "deleted":
            apigw("DeleteApi", **api)
        else:
            apigw("ModifyApi", **api, **front, ServiceType="MOCK", ServiceMockReturnMessage="")
        assert listed(client) == [], last


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        ("{", "TriggerDesc is no JSON"),
        ("[]", "api in TriggerDesc is None; allowed: a JSON object"),
        ('{"api": 1}', "api in TriggerDesc is 1; allowed: a JSON object"),
        ('{"service": {"serviceName": 1}}', "serviceName in TriggerDesc is 1; allowed: a text"),
        ('{"api": {"authRequired": "YES"}}', "allowed: TRUE, FALSE"),
        ('{"release": {"environmentName": "live"}}', "allowed: test, prepub, release"),
        ('{"api": {"requestConfig": {"path": "a"}}}', "must start with '/'"),
    ],
)
def test_a_description_that_is_none_is_refused(client: Client, text: str, fragment: str) -> None:
    """With what is wrong in it; nothing is made."""
    revision = client.panel.revision
    code, message = client.fails("CreateTrigger", **TRIGGER, TriggerDesc=text)
    assert code.startswith("InvalidParameter")
    assert fragment in message
    assert client.panel.revision == revision


def test_a_service_that_is_not_there_gets_no_trigger(client: Client) -> None:
    """It is made only where a name is given."""
    text = json.dumps({"service": {"serviceId": "service-none"}})
    code, message = client.fails("CreateTrigger", **TRIGGER, TriggerDesc=text)
    assert (code, "service-none" in message) == ("ResourceNotFound", True)
