"""A service that has one of everything, made by actions of API Gateway."""

from __future__ import annotations

import json
from importlib.util import find_spec
from typing import Any

import pytest

Client = Any

# It needs a client of every service of the cloud, 600 MB of them: whoever has it runs it.
collect_ignore = [] if find_spec("tccli") else ["test_apigateway_tccli.py"]


class Shop:
    """A service that has one of everything."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.service = self.make("CreateService", "ServiceId", ServiceName="shop", Protocol="http")
        self.on = {"ServiceId": self.service}
        self.api = self.make(
            "CreateApi",
            "ApiId",
            **self.on,
            ServiceType="SCF",
            ServiceTimeout=15,
            Protocol="HTTP",
            RequestConfig={"Path": "/user/{id}", "Method": "ANY"},
            ServiceScfFunctionName="orders",
            RequestParameters=[
                {"Name": "id", "Position": "PATH", "Type": "int", "Required": True, "Desc": "whose"}
            ],
        )
        self.http = self.make(
            "CreateApi",
            "ApiId",
            **self.on,
            ServiceType="HTTP",
            ServiceTimeout=20,
            Protocol="HTTP",
            RequestConfig={"Path": "/old", "Method": "GET"},
            ServiceConfig={"Url": "http://127.0.0.1:9", "Path": "/new", "Method": "GET"},
            RequestParameters=[{"Name": "a", "Position": "QUERY", "DefaultValue": "1"}],
            ServiceParameters=[
                {
                    "Name": "X-A",
                    "Position": "HEADER",
                    "RelevantRequestParameterPosition": "QUERY",
                    "RelevantRequestParameterName": "a",
                }
            ],
            ConstantParameters=[{"Name": "b", "Position": "QUERY", "DefaultValue": "2"}],
        )
        self.stage = {**self.on, "EnvironmentName": "release"}
        self.version = self.make(
            "ReleaseService", "ReleaseVersion", **self.stage, ReleaseDesc="one"
        )
        self.key = self.make("CreateApiKey", "AccessKeyId", SecretName="partner")
        self.plan = self.make("CreateUsagePlan", "UsagePlanId", UsagePlanName="small")
        client("BindSecretIds", UsagePlanId=self.plan, AccessKeyIds=[self.key])
        self.bound = {**self.on, "UsagePlanIds": [self.plan], "Environment": "release"}
        client("BindEnvironment", **self.bound, BindType="SERVICE")
        client("BindEnvironment", **self.bound, BindType="API", ApiIds=[self.api])
        data = json.dumps({"type": "black_list", "blocks": "10.0.0.0/8"})
        self.plugin = self.make(
            "CreatePlugin", "PluginId", PluginName="block", PluginType="IPControl", PluginData=data
        )
        client("AttachPlugin", **self.stage, PluginId=self.plugin, ApiIds=[self.api])

    def make(self, action: str, field: str, **given: object) -> str:
        """Something new; gives its id."""
        told = self.client(action, **given)
        assert "Error" not in told, told
        return str(told.get("Result", told)[field])

    def there(self) -> dict[str, list[object]]:
        """Values of parameters that name what there is, by the parameters' names."""
        state = self.client.panel.gateway.live.snapshot
        apis = [api.id for service in state.services.values() for api in service.apis]
        kept = {
            group: list(state.resources.get(group, {})) for group in ("keys", "plans", "plugins")
        }
        return {
            "ServiceId": [*state.services],
            "ApiId": apis,
            "ApiIds": [[], apis[:1], apis],
            "AccessKeyId": [*kept["keys"], "partner"],
            "AccessKeyIds": [[], kept["keys"][:1]],
            "UsagePlanId": kept["plans"],
            "UsagePlanIds": [[], kept["plans"][:2]],
            "PluginId": kept["plugins"],
            "VersionName": [self.version, f"revision-{state.revision}"],
        }


@pytest.fixture
def shop(apigw: Client) -> Shop:
    """A service that has one of everything, in a gateway of its own."""
    return Shop(apigw)


@pytest.fixture(scope="module")
def looked_at(apigw_looker: Client) -> Shop:
    """The same for all tests of a module: for those in which nothing is altered."""
    return Shop(apigw_looker)
