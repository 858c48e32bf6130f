"""The official SDK for Python, unmodified, against a gateway on sockets: a grayscale release."""

from __future__ import annotations

import importlib
import io
import json
import zipfile
from base64 import b64encode
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from gateway.controlplane.cloud.app import SECRET_ID, SECRET_KEY

Served = Any
Play = Callable[[Callable[[Served], Any]], None]

pytestmark = pytest.mark.sockets

SDK = "tencentcloud"
models: Any = importlib.import_module(f"{SDK}.scf.v20180416.models")
ScfClient: Any = importlib.import_module(f"{SDK}.scf.v20180416.scf_client").ScfClient
credential: Any = importlib.import_module(f"{SDK}.common.credential")
ClientProfile: Any = importlib.import_module(f"{SDK}.common.profile.client_profile").ClientProfile
HttpProfile: Any = importlib.import_module(f"{SDK}.common.profile.http_profile").HttpProfile
CommonClient: Any = importlib.import_module(f"{SDK}.common.common_client").CommonClient
Failure: Any = importlib.import_module(
    f"{SDK}.common.exception.tencent_cloud_sdk_exception"
).TencentCloudSDKException

VERSIONS = {"scf": "2018-04-16", "apigateway": "2018-08-08"}
BOB = {"Version": "4", "Key": "invoke.headers.User", "Method": "exact", "Expression": "Bob"}


def zipped(version: str) -> str:
    """The zip, in base64, of a handler that says which one it is."""
    text = (
        "async def main_handler(event, context):\n"
        f"    return {{'statusCode': 200, 'body': {version!r}}}\n"
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("index.py", text)
    return b64encode(buffer.getvalue()).decode()


class Scf:
    """The SDK's client; requests are given as their fields."""

    def __init__(
        self,
        endpoint: str | None,
        key: str = SECRET_KEY,
        sign: str | None = None,
        method: str = "POST",
        proxy: str | None = None,
    ) -> None:
        http = HttpProfile(protocol="http", endpoint=endpoint, reqMethod=method, proxy=proxy)
        self.profile = ClientProfile(httpProfile=http, signMethod=sign)
        secret = credential.Credential(SECRET_ID, key)
        self._client = ScfClient(secret, "ap-guangzhou", self.profile)

    def __call__(self, action: str, **fields: object) -> Any:  # noqa: ANN401
        """One action; the answer is the SDK's own object."""
        request = getattr(models, f"{action}Request")()
        request.from_json_string(json.dumps(fields))
        return getattr(self._client, action)(request)

    def point(self, name: str, version: str, **routing: object) -> None:
        """Point an alias of `orders` somewhere else."""
        more = {"RoutingConfig": routing} if routing else {}
        self("UpdateAlias", FunctionName="orders", Name=name, FunctionVersion=version, **more)

    def answers(self, qualifier: str, key: str = "") -> str:
        """Which version of `orders` answers."""
        given = {"Qualifier": qualifier, "Event": "{}", "RoutingKey": key}
        told = self("InvokeFunction", FunctionName="orders", **given)
        return str(json.loads(told.Result.RetMsg)["body"])


class Anything:
    """The SDK's client for any API, which takes the names of actions and fields as they are."""

    def __init__(self, endpoint: str) -> None:
        profile = ClientProfile(httpProfile=HttpProfile(protocol="http", endpoint=endpoint))
        secret = credential.Credential(SECRET_ID, SECRET_KEY)
        self._clients = {
            service: CommonClient(service, version, secret, "ap-guangzhou", profile)
            for service, version in VERSIONS.items()
        }

    def __call__(self, service: str, action: str, **fields: object) -> dict[str, Any]:
        """One action."""
        told: dict[str, Any] = self._clients[service].call_json(action, fields)["Response"]
        return told


def endpoint(served: Served) -> str:
    """Where the SDK is aimed at."""
    return str(served.control).removeprefix("http://")


def weight(version: str, share: float) -> dict[str, object]:
    """A routing by weight."""
    return {"AdditionalVersionWeights": [{"Version": version, "Weight": share}]}


def test_the_whole_scheme_is_played_by_the_official_sdk(play: Play) -> None:
    """From nothing to the roll-back and the logs."""
    play(lambda served: Anything(endpoint(served)))


def test_a_release_is_steered_by_the_official_sdk(served: Served) -> None:
    """Four versions, Bob, shares that grow, and back again; HTTP callers follow at once."""
    scf = Scf(endpoint(served))

    def callers(stage: str, user: str = "") -> Counter[str]:
        with httpx.Client(trust_env=False, headers={"User": user}) as client:
            url = f"{served.data}/{stage}/orders/7"
            return Counter(client.get(url).text for _ in range(60))

    for number in ("4", "5", "6", "7"):  # the project has three versions already
        scf("UpdateFunctionCode", FunctionName="orders", ZipFile=zipped(f"v{number}"))
        published = scf("PublishVersion", FunctionName="orders", Description=f"number {number}")
        assert published.FunctionVersion == number
    scf("CreateAlias", FunctionName="orders", Name="prepub", FunctionVersion="5")
    scf.point("prepub", "5", AddtionVersionMatchs=[BOB])
    assert scf.answers("prepub", '{"User": "Bob"}') == "v4"
    assert scf.answers("prepub", '{"User": "Alice"}') == scf.answers("prepub") == "v5"
    shown = scf("GetAlias", FunctionName="orders", Name="prepub").RoutingConfig
    assert (shown.AdditionalVersionWeights, len(shown.AddtionVersionMatchs)) == ([], 1)
    scf.point("release", "4")
    assert callers("release") == {"v4": 60}
    for share in (0.1, 0.5):
        scf.point("release", "4", **weight("5", share))
        seen = callers("release")
        assert set(seen) == {"v4", "v5"}
    scf.point("release", "4", **weight("5", 1))
    assert callers("release") == {"v5": 60}
    scf.point("release", "4")
    assert callers("release") == {"v4": 60}, "everybody is back"
    assert [a.Name for a in scf("ListAliases", FunctionName="orders").Aliases] == [
        "$DEFAULT",
        "release",
        "spare",
        "prepub",
    ]


def test_a_function_lives_and_dies_by_the_official_sdk(served: Served) -> None:
    """Made, looked at, invoked, altered, copied, listed, deleted."""
    scf = Scf(endpoint(served))
    variables = {"Variables": [{"Key": "A", "Value": "1"}]}
    scf(
        "CreateFunction",
        FunctionName="made",
        Code={"ZipFile": zipped("first")},
        Runtime="Python3.6",
        Environment=variables,
    )
    found = scf("GetFunction", FunctionName="made")
    assert (found.Status, found.Environment.Variables[0].Value) == ("Active", "1")
    told = scf("Invoke", FunctionName="made", ClientContext="{}", LogType="Tail").Result
    assert (json.loads(told.RetMsg)["body"], told.InvokeResult) == ("first", 0)
    assert told.Log.startswith("START RequestId: ")
    scf("UpdateFunctionConfiguration", FunctionName="made", Timeout=9)
    scf("CopyFunction", FunctionName="made", NewFunctionName="copy")
    assert scf("ListFunctions", SearchKey="copy").Functions[0].FunctionName == "copy"
    url = scf("GetFunctionAddress", FunctionName="made").Url
    with httpx.Client(trust_env=False) as client:
        assert client.get(url).content.startswith(b"PK")
    scf("DeleteFunction", FunctionName="made")
    with pytest.raises(Failure) as caught:
        scf("GetFunction", FunctionName="made")
    assert caught.value.code == "ResourceNotFound.FunctionName"
    assert caught.value.requestId


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("sign", ["TC3-HMAC-SHA256", "HmacSHA1", "HmacSHA256"])
def test_every_way_to_sign_is_understood(served: Served, sign: str, method: str) -> None:
    """With nested and with flat parameters, with white space and with letters of any script."""
    for number, where in enumerate((endpoint(served), served.control), start=1):
        scf = Scf(where, sign=sign, method=method)
        given = {"FunctionName": "orders", "Name": f"alias{number}", "FunctionVersion": "1"}
        said = "a b&c=中"
        scf("CreateAlias", **given, RoutingConfig=weight("2", 0.5), Description=said)
        found = scf("GetAlias", FunctionName="orders", Name=f"alias{number}")
        (share,) = found.RoutingConfig.AdditionalVersionWeights
        assert (share.Version, share.Weight, found.Description) == ("2", 0.5, said)
        copied = {"FunctionName": "orders", "NewFunctionName": f"copy{number}"}
        scf("CopyFunction", **copied, CopyConfiguration=False)


def test_a_body_may_be_left_out_of_the_signature(served: Served) -> None:
    """By an option of the SDK."""
    scf = Scf(endpoint(served))
    scf.profile.unsignedPayload = True
    assert scf("ListFunctions").TotalCount == 2


@pytest.mark.parametrize("sign", ["TC3-HMAC-SHA256", "HmacSHA1"])
def test_the_gateway_may_be_the_proxy_to_the_cloud(served: Served, sign: str) -> None:
    """The SDK believes that it talks to the cloud itself."""
    scf = Scf(None, sign=sign, proxy=endpoint(served))
    assert scf("ListFunctions").TotalCount == 2


def test_another_key_is_refused_by_its_code(served: Served) -> None:
    """The SDK raises it, and nothing was altered."""
    for sign in ("TC3-HMAC-SHA256", "HmacSHA1"):
        with pytest.raises(Failure) as caught:
            Scf(endpoint(served), key="another", sign=sign)("DeleteFunction", FunctionName="idle")
        assert caught.value.code == "AuthFailure.SignatureFailure"
    assert Scf(endpoint(served))("ListFunctions").TotalCount == 2
