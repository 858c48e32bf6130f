"""Requests as official clients have sent them, byte for byte, each answered as its client needs.

They were signed long ago, so that the gateway's clock stands at the moment of each. A row is what
cannot be derived: the client's address, the action, the parameters as they were on the wire, and
the signature; everything else is the same for all of a client.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest

from gateway.controlplane.app import control_app
from gateway.controlplane.cloud import Access, CloudApi
from gateway.controlplane.cloud.errors import NOT_FOUND
from gateway.controlplane.guard import Guard

Panel = Any

ID: Final = "AKIDEXAMPLE"
KEY: Final = "EXAMPLESECRETKEY"
FIRST: Final = 1795494308
VERSIONS: Final = {"scf": "2018-04-16", "apigateway": "2018-08-08"}
FORM: Final = "application/x-www-form-urlencoded"
SDK: Final = "127.0.0.1:18080"
TCCLI: Final = "http://127.0.0.1:18082"
CLI_NAME: Final = "SDK_PYTHON_3.1.140; _CLI_3.1.189.1"

ZIP: Final = (
    "UEsDBBQAAAAAACQjeF08fXjBJwAAACcAAAAIAAAAaW5kZXgucHlkZWYgbWFpbl9oYW5kbGVyKGUsYyk6CiAgICByZXR1"
    "cm4gInYxIgpQSwECFAMUAAAAAAAkI3hdPH14wScAAAAnAAAACAAAAAAAAAAAAAAAgAEAAAAAaW5kZXgucHlQSwUGAAAA"
    "AAEAAQA2AAAATQAAAAAA"
)
CREATE: Final = (
    f'{{"FunctionName": "B", "Code": {{"ZipFile": "{ZIP}"}}, "Handler": "index.main_handler", '
    '"MemorySize": 128, "Timeout": 3, "Environment": {"Variables": [{"Key": "K", "Value": "V"}]}, '
    '"Runtime": "Python3.6"}'
)
EMPTY: Final = (
    '{"FunctionName": "B", "Code": {"ZipFile": "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA=="}, '
    '"Handler": "index.main_handler", "Runtime": "Python3.6"}'
)
SERVICE: Final = "service-1115c176"
API: Final = "api-9dcdfcb6"
MADE_API: Final = (
    f'{{"ServiceId": "{SERVICE}", "ServiceType": "SCF", "ServiceTimeout": 15, "Protocol": "HTTP", '
    '"RequestConfig": {"Path": "/user", "Method": "ANY"}, "ApiName": "user", "AuthType": "NONE", '
    '"EnableCORS": true, "ServiceScfFunctionName": "B", "ServiceScfFunctionNamespace": "default", '
    '"ServiceScfFunctionQualifier": "release", "ServiceScfIsIntegratedResponse": true, '
    '"ServiceScfFunctionType": "EVENT"}'
)
ALTERED_API: Final = (
    f'{{"ServiceId": "{SERVICE}", "ServiceType": "SCF", "RequestConfig": {{"Path": "/user", '
    f'"Method": "ANY"}}, "ApiId": "{API}", "ServiceScfFunctionName": "B", '
    '"ServiceScfFunctionQualifier": "prepub"}'
)
RELEASED: Final = f'{{"ServiceId": "{SERVICE}", "EnvironmentName": "release", "ReleaseDesc": "x"}}'
SHIFT: Final = (
    '"FunctionName": "B", "FunctionVersion": "1", '
    '"RoutingConfig": {"AdditionalVersionWeights": [{"Version": "2", "Weight": 0.1}]}}'
)
BOB: Final = (
    '{"FunctionName": "B", "Name": "prepub", "FunctionVersion": "3", "RoutingConfig": '
    '{"AddtionVersionMatchs": [{"Version": "4", "Key": "invoke.headers.User", "Method": "exact", '
    '"Expression": "Bob"}]}}'
)
CALL: Final = r'{"FunctionName": "B", "Qualifier": "prepub", '
ROUTED: Final = (
    "FunctionName=B&FunctionVersion=%24LATEST"
    "&RoutingConfig.AdditionalVersionWeights.0.Version=1"
    "&RoutingConfig.AdditionalVersionWeights.0.Weight=0.5&Description=a+b%26c+%E4%B8%AD"
)


@dataclass(frozen=True)
class Sent:
    """One request.

    Attributes:
        action: The action.
        text: The body, or the query.
        signature: The signature; empty where the text holds it.
        host: The Host header.
        at: The time stamp.
        method: The method.
        program: What the client calls itself; empty where the text holds it.
        language: The language that it asks for.
        api: The API that it is for.
    """

    action: str
    text: str
    signature: str = ""
    host: str = SDK
    at: int = FIRST
    method: str = "POST"
    program: str = "SDK_PYTHON_3.1.140"
    language: str = "en-US"
    api: str = "scf"

    def request(self) -> httpx.Request:
        """As it was on the wire."""
        older = not self.signature
        is_json = self.method == "POST" and not older
        headers = {
            "User-Agent": "python-requests/2.34.2",
            "Accept-Encoding": "gzip, deflate",
            "Accept": "*/*",
            "Connection": "keep-alive",
            "Content-Type": "application/json" if is_json else FORM,
            "Host": self.host,
        }
        if not older:
            headers |= {
                "X-TC-Action": self.action,
                "X-TC-RequestClient": self.program,
                "X-TC-Timestamp": str(self.at),
                "X-TC-Version": VERSIONS[self.api],
                "X-TC-Region": "ap-guangzhou",
                "X-TC-Language": self.language,
                "Authorization": (
                    f"TC3-HMAC-SHA256 Credential={ID}/2026-11-24/{self.api}/tc3_request, "
                    f"SignedHeaders=content-type;host, Signature={self.signature}"
                ),
            }
        query = f"?{self.text}" if self.method == "GET" else ""
        body = self.text.encode() if self.method == "POST" else b""
        return httpx.Request(
            self.method, f"http://127.0.0.1/{query}", headers=headers, content=body
        )


def gateway(action: str, text: str, signature: str) -> Sent:
    """A request of the SDK for API Gateway."""
    return Sent(action, text, signature, api="apigateway")


def cli(action: str, text: str, after: int, signature: str) -> Sent:
    """A request of the command line, so many seconds after its first one."""
    at = 1795494867 + after
    return Sent(action, text, signature, TCCLI, at, "POST", CLI_NAME, "zh-CN")


def older(method: str, kind: str, nonce: str, signature: str) -> Sent:
    """A request that the SDK signed by the older scheme."""
    text = (
        f"Name=r3&{ROUTED}&Action=CreateAlias&RequestClient=SDK_PYTHON_3.1.140&Nonce={nonce}"
        f"&Timestamp={FIRST}&Version=2018-04-16&Region=ap-guangzhou&SecretId={ID}"
        f"&SignatureMethod={kind}&Language=en-US&Signature={signature}"
    )
    return Sent("CreateAlias", text, method=method)


Check = Callable[[Mapping[str, Any]], bool]


def done(told: Mapping[str, Any]) -> bool:
    """Nothing beside the request's id."""
    return set(told) == {"RequestId"}


def told_version(told: Mapping[str, Any]) -> bool:
    """The first version was published."""
    return (told["FunctionVersion"], told["Description"]) == ("1", "one")


def told_shift(told: Mapping[str, Any]) -> bool:
    """The alias gives a tenth to version 2."""
    routing = told["RoutingConfig"]
    return (told["FunctionVersion"], routing) == (
        "1",
        {
            "AdditionalVersionWeights": [{"Version": "2", "Weight": 0.1}],
            "AddtionVersionMatchs": [],
        },
    )


def told_bob(told: Mapping[str, Any]) -> bool:
    """The alias has the rule."""
    (match,) = told["RoutingConfig"]["AddtionVersionMatchs"]
    return (told["FunctionVersion"], match["Version"], match["Expression"]) == ("3", "4", "Bob")


def told_value(told: Mapping[str, Any]) -> bool:
    """The handler was run."""
    return (told["Result"]["RetMsg"], told["Result"]["InvokeResult"]) == ("v1", 0)


def told_log(told: Mapping[str, Any]) -> bool:
    """The handler was run, and its log is there."""
    return told_value(told) and told["Result"]["Log"].startswith("START RequestId: ")


def told_absent(told: Mapping[str, Any]) -> bool:
    """The alias is missing, in words that clients look for."""
    error = told["Error"]
    return error["Code"] == "ResourceNotFound.Alias" and NOT_FOUND in error["Message"]


def told_service(told: Mapping[str, Any]) -> bool:
    """A service of that name."""
    return bool(told["ServiceName"] == "A" and told["ServiceId"].startswith("service-"))


def told_api(told: Mapping[str, Any]) -> bool:
    """An API of the service."""
    return (told["Result"]["ApiId"], told["Result"]["Path"]) == (API, "/user")


def told_release(told: Mapping[str, Any]) -> bool:
    """A release, with a name of its own."""
    return told["Result"]["ReleaseDesc"] == "x" and len(told["Result"]["ReleaseVersion"]) > 14


def told_functions(told: Mapping[str, Any]) -> bool:
    """The function is among them."""
    return "B" in [each["FunctionName"] for each in told["Functions"]]


def told_no_code(told: Mapping[str, Any]) -> bool:
    """The zip is empty: there is nothing that could run, which is told at once."""
    error = told["Error"]
    return error["Code"] == "InvalidParameterValue.ZipFile" and "no files" in error["Message"]


Prepared = tuple[str, dict[str, object]]
"""What a client must have done before, whose request was not recorded."""

PUBLISH: Final[Prepared] = ("PublishVersion", {"FunctionName": "B"})
GONE: Final[Prepared] = ("DeleteAlias", {"FunctionName": "B", "Name": "r3"})
PREPUB: Final[Prepared] = (
    "CreateAlias",
    {"FunctionName": "B", "Name": "prepub", "FunctionVersion": "3"},
)
MADE: Final[Prepared] = (
    "CreateFunction",
    {"FunctionName": "B", "Code": {"ZipFile": ZIP}, "Handler": "index.main_handler"},
)

BY_SDK: Final[list[Prepared | tuple[Sent, Check]]] = [
    (
        Sent(
            "CreateFunction",
            CREATE,
            "266746cc7832674cc7b546aa20e6f4e67c7579a86bbbe3e0001b6e6545d6ed36",
        ),
        done,
    ),
    (
        Sent(
            "PublishVersion",
            '{"FunctionName": "B", "Description": "one"}',
            "d78dbcc90c3a0f936f89a945e3090af666bf42ef5a4a34f663aa9630d39d0c2d",
        ),
        told_version,
    ),
    *[PUBLISH] * 3,
    (
        Sent(
            "CreateAlias",
            '{"Name": "release", ' + SHIFT,
            "79fc4ce0e13723727c6cdeb3f552ba206581f1373e10da3ec27a96edf461466d",
        ),
        done,
    ),
    PREPUB,
    (
        Sent(
            "UpdateAlias",
            BOB,
            "7e1c50337ff6463eb934cfc1b9af907bb15ccd492585533c77b80d8246e4b952",
        ),
        done,
    ),
    (
        Sent(
            "GetAlias",
            '{"FunctionName": "B", "Name": "release"}',
            "5ed83878e8a1d399baae07abac8be20edd58cc4e34bd5d90e9ac61f6229b01ac",
        ),
        told_shift,
    ),
    (
        Sent(
            "InvokeFunction",
            CALL + r'"Event": "{\"a\":1}", "LogType": "Tail", "RoutingKey": "{\"User\":\"Bob\"}"}',
            "5124bbbb302e38561830f261576ca7da61c653c3d238fa97c6d713fd717b1fd2",
        ),
        told_log,
    ),
    (
        Sent(
            "Invoke",
            CALL + r'"ClientContext": "{\"a\":1}", "RoutingKey": "{\"User\":\"Bob\"}"}',
            "8e5648c2a21f0cce26e32d43b2d261a359a81e2eb01f94a5283741c446485555",
        ),
        told_value,
    ),
    (
        Sent(
            "CreateAlias",
            f"Name=r2&{ROUTED}",
            "362ffd6626b9c2e6ff717103c1e478b915e063739b0b92ddcfd343dc7487f2e8",
            method="GET",
        ),
        done,
    ),
    (older("GET", "HmacSHA1", "6208506568475614632", "3kN3G%2BUuoA8HIyMgo2Dc1MOzCw8%3D"), done),
    GONE,
    (older("POST", "HmacSHA1", "8551979612646573287", "wlialkP9%2F3FKoOOFklAqsjOlnNU%3D"), done),
    GONE,
    (
        older(
            "GET",
            "HmacSHA256",
            "466049260651199526",
            "N1dCJudzfW1EoIvkTo%2BtEUOp1fnbKZSydVVR3UCOw6U%3D",
        ),
        done,
    ),
    GONE,
    (
        older(
            "POST",
            "HmacSHA256",
            "8549702156334393189",
            "NtH68oo3%2BJDd3A30MqD4mroiDjW0iBmyRD9RYzFhZWc%3D",
        ),
        done,
    ),
    (
        Sent(
            "ListFunctions",
            "{}",
            "a85136de0b40613892fcb088dafb7948f90079143395a5f31dafeb45d4d02945",
            "localhost:18080",
        ),
        told_functions,
    ),
    (
        Sent(
            "ListFunctions",
            "{}",
            "666be3f597b3dfcf23e30b0b2e29d791b02b5bcbb627d8cec05a2096f4fb8a3f",
            "http://127.0.0.1:18080",
        ),
        told_functions,
    ),
    (
        Sent(
            "GetAlias",
            '{"FunctionName": "B", "Name": "nope"}',
            "2c6756e344675cbc62c0ee1eb52a1521b0a6f5a5b340fad44e70edce5ec5e69e",
        ),
        told_absent,
    ),
    (
        gateway(
            "CreateService",
            '{"ServiceName": "A", "Protocol": "http&https"}',
            "12e841e4b8b851434618e6d5bef19277ef31864db67db401618324f61dba4ea8",
        ),
        told_service,
    ),
    (
        gateway(
            "CreateApi",
            MADE_API,
            "5b48a56bbf09092a6f15a653f21005c4fe10b642b8b9c2dc39dac390f6b41dc5",
        ),
        told_api,
    ),
    (
        gateway(
            "ModifyApi",
            ALTERED_API,
            "cc24f23fed342129dd9f2d816ffa321e92a2e219184134ac44177dcfd65ce90b",
        ),
        done,
    ),
    (
        gateway(
            "ReleaseService",
            RELEASED,
            "7f36a1c78a26c1c9b4572b628595c77ea053872a8f0243793c5fb6b8549f1dc2",
        ),
        told_release,
    ),
    (
        Sent(
            "ListFunctions",
            "{}",
            "67b271e88564ff249d3800333c12bab2ffe5d78aeb95672ad08e4ce7910c03b8",
            "http://127.0.0.1:18080",
            FIRST + 102,
            program=CLI_NAME,
            language="zh-CN",
        ),
        told_functions,
    ),
]

BY_TCCLI: Final[list[Prepared | tuple[Sent, Check]]] = [
    (
        cli(
            "CreateFunction",
            EMPTY,
            0,
            "ec1cda52b49c0ddbd720356c21f69b632f70f23d57d8cd2acf36e7a152d63091",
        ),
        told_no_code,
    ),
    MADE,
    (
        cli(
            "PublishVersion",
            '{"FunctionName": "B", "Description": "one"}',
            1,
            "e6490e6c28ab26edf539db75a62146cf79ebefb5b067bcfd6caa249ea431ef15",
        ),
        told_version,
    ),
    *[PUBLISH] * 3,
    (
        cli(
            "CreateAlias",
            '{"Name": "release", "FunctionName": "B", "FunctionVersion": "$LATEST"}',
            2,
            "d0076a8ba9cf9de6da5f5b34f0cf3a523780a5b5ab683e8be096099c010fa015",
        ),
        done,
    ),
    (
        cli(
            "UpdateAlias",
            '{"FunctionName": "B", "Name": "release", "FunctionVersion": "1", '
            '"RoutingConfig": {"AdditionalVersionWeights": [{"Version": "2", "Weight": 0.1}]}}',
            3,
            "019517133adfbda87d09b69676eba6b7712f4edaf25d610dbf02cde3e89ce0d6",
        ),
        done,
    ),
    PREPUB,
    (
        cli(
            "UpdateAlias",
            BOB,
            4,
            "ef45440a1a8b3b4f22588c16d5c7994f8b5788852618fe48a845e3e4aa9b6eed",
        ),
        done,
    ),
    (
        cli(
            "GetAlias",
            '{"FunctionName": "B", "Name": "prepub"}',
            5,
            "bf44d328c9e3167ce5c926f7d9cbe8faa37393d92e9b043153d2331c6fd7ac71",
        ),
        told_bob,
    ),
    (
        cli(
            "InvokeFunction",
            CALL + r'"Event": "{\"a\":1}", "RoutingKey": "{\"User\":\"Bob\"}"}',
            6,
            "4368fceac71358552643ce9c28ce43ba7249e4f1c14ba3b19cac15ca86d29e1e",
        ),
        told_value,
    ),
    (
        cli(
            "GetAlias",
            '{"FunctionName": "B", "Name": "missing"}',
            7,
            "ef998aedfe412012d213ff5003e23fdd8564c862e713f6f238611e954f18a24b",
        ),
        told_absent,
    ),
    (
        replace(
            cli(
                "CreateService",
                '{"ServiceName": "A", "Protocol": "http"}',
                9,
                "4b3efa82975a359b507759daa098953b34502b13f233d9f4bc9ea615f583ec43",
            ),
            api="apigateway",
        ),
        told_service,
    ),
]


IDS: Final = {
    "CreateService": SERVICE.partition("-")[2],
    "CreateApi": API.partition("-")[2],
}
"""The ids that were given when the requests were recorded: later ones name them."""


class Replayed:
    """A gateway whose clock stands where a request was signed."""

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        self._now = 0.0
        self._id = ""
        control = panel.gateway.service
        access = Access({ID: KEY}, lambda: self._now)
        cloud = CloudApi(control, access, new_id=lambda: self._id or str(uuid4()))
        self._signed = Guard(cloud, signed=cloud)
        self._open = control_app(control, access=Access({}, lambda: 0.0, accept_any=True))

    def _ask(self, app: Any, request: httpx.Request) -> Mapping[str, Any]:  # noqa: ANN401
        async def whole() -> httpx.Response:
            answer = await httpx.ASGITransport(app).handle_async_request(request)
            await answer.aread()
            return answer

        answer = self._panel.run(whole())
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
        told: Mapping[str, Any] = answer.json()["Response"]
        return told

    def prepare(self, action: str, given: dict[str, object]) -> None:
        """Do what was not recorded."""
        headers = {"X-TC-Action": action, "X-TC-Version": "2018-04-16"}
        request = httpx.Request("POST", "http://127.0.0.1:1/", json=given, headers=headers)
        assert "Error" not in self._ask(self._open, request)

    def send(self, sent: Sent, off: int = 0) -> Mapping[str, Any]:
        """Send what was recorded, so many seconds later."""
        self._now = sent.at + off
        self._id = IDS.get(sent.action, "")
        return self._ask(self._signed, sent.request())


@pytest.mark.parametrize("story", [BY_SDK, BY_TCCLI], ids=["SDK", "tccli"])
def test_every_recorded_request_is_answered_as_its_client_needs(
    panel: Panel, story: list[Prepared | tuple[Sent, Check]]
) -> None:
    """In their order, with what must have come before."""
    replayed = Replayed(panel)
    for first, second in story:
        if isinstance(first, Sent):
            told = replayed.send(first)
            assert second(told), (first.action, told)  # type: ignore[operator]
        else:
            replayed.prepare(first, second)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "sent", [row[0] for row in (*BY_SDK, *BY_TCCLI) if isinstance(row[0], Sent)]
)
def test_a_recording_is_no_good_later(standing: Panel, sent: Sent) -> None:
    """Whoever finds one cannot send it again."""
    told = Replayed(standing).send(sent, off=301)
    assert told["Error"]["Code"] == "AuthFailure.SignatureExpire"
