"""Whoever speaks the cloud's protocol to a real gateway, with and without sockets."""

from __future__ import annotations

import asyncio
import io
import json
import threading
import zipfile
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from time import time
from typing import Any, Self

import httpx
import pytest

from gateway.app import Gateway, Setup
from gateway.controlplane.cloud.app import SECRET_ID, SECRET_KEY
from gateway.controlplane.cloud.signatures import (
    Scope,
    canonical_request,
    day_of,
    payload_hash,
    tc3_signature,
)
from gateway.dataplane.limits import STEERING
from gateway.dataplane.server import HttpServer, bind

HOST = "127.0.0.1:8081"
VERSION = "2018-04-16"
APIGATEWAY = "2018-08-08"


# It needs a client of every service of the cloud, 600 MB of them: whoever has it runs it.
collect_ignore = [] if find_spec("tccli") else ["test_cloud_tccli.py"]


def signed(body: bytes, action: str, timestamp: int, media: str) -> dict[str, str]:
    """The headers that an official client sends."""
    scope = Scope(day_of(timestamp), "scf")
    fields = [("content-type", media), ("host", HOST)]
    canonical = canonical_request("POST", "", fields, payload_hash(body))
    signature = tc3_signature(SECRET_KEY, scope, timestamp, canonical)
    return {
        "Content-Type": media,
        "Host": HOST,
        "X-TC-Action": action,
        "X-TC-Version": VERSION,
        "X-TC-Timestamp": str(timestamp),
        "X-TC-Region": "ap-guangzhou",
        "X-TC-RequestClient": "SDK_TEST",
        "Authorization": (
            f"TC3-HMAC-SHA256 Credential={SECRET_ID}/{scope}, "
            f"SignedHeaders=content-type;host, Signature={signature}"
        ),
    }


class Client:
    """Asks one gateway in the cloud's protocol, without sockets.

    Attributes:
        panel: Runs things in the gateway's loop.
        clock: The client's clock.
        version: The version of the API that is asked.
    """

    def __init__(
        self,
        panel: Any,  # noqa: ANN401
        clock: Callable[[], float],
        version: str = VERSION,
    ) -> None:
        self.panel = panel
        self.clock = clock
        self.version = version

    def send(self, request: httpx.Request) -> httpx.Response:
        """One request as it is."""

        async def whole() -> httpx.Response:
            transport = httpx.ASGITransport(self.panel.gateway.control, client=("10.0.0.7", 51000))
            answer = await transport.handle_async_request(request)
            await answer.aread()
            answer.request = request
            return answer

        response: httpx.Response = self.panel.run(whole())
        return response

    def post(self, action: str, body: bytes, **headers: str) -> httpx.Response:
        """One signed request, with other headers over those of an official client."""
        media = headers.get("Content-Type", "application/json")
        fields = signed(body, action, int(self.clock()), media)
        fields |= {"X-TC-Version": self.version} | headers
        return self.send(httpx.Request("POST", f"http://{HOST}/", headers=fields, content=body))

    def __call__(self, action: str, **parameters: object) -> dict[str, Any]:
        """What the envelope holds."""
        answer = self.post(action, json.dumps(parameters).encode())
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/json"
        told: dict[str, Any] = answer.json()["Response"]
        assert told["RequestId"]
        return told

    def fails(self, action: str, **parameters: object) -> tuple[str, str]:
        """The code and the message of an error."""
        told = self(action, **parameters)
        assert set(told) == {"Error", "RequestId"}, told
        return told["Error"]["Code"], told["Error"]["Message"]


@pytest.fixture
def client(panel: Any) -> Client:  # noqa: ANN401
    """Asks a gateway with the small project: `orders` with versions 1 to 3, and `idle`."""
    return Client(panel, time)


@pytest.fixture
def asking() -> Callable[[Any], Client]:
    """Makes a client of a gateway."""
    return lambda panel: Client(panel, time)


@pytest.fixture(scope="module")
def looker(standing: Any) -> Client:  # noqa: ANN401
    """Asks one gateway for all tests of a module: for those in which nothing is altered."""
    return Client(standing, time)


@pytest.fixture
def apigw(panel: Any) -> Client:  # noqa: ANN401
    """Asks the same gateway for actions of API Gateway."""
    return Client(panel, time, APIGATEWAY)


@pytest.fixture(scope="module")
def apigw_looker(standing: Any) -> Client:  # noqa: ANN401
    """The same for all tests of a module: for those in which nothing is altered."""
    return Client(standing, time, APIGATEWAY)


class Served:
    """A gateway on sockets, in a thread of its own.

    Attributes:
        gateway: The gateway.
        data: Where callers reach it.
        control: Where it is steered.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))

    async def _run(self) -> None:
        self.gateway = await Gateway.open(Setup(file=self._file, seed=1))
        servers = [
            HttpServer(self.gateway.plane, bind("127.0.0.1", 0)),
            HttpServer(self.gateway.control, bind("127.0.0.1", 0), edge=STEERING),
        ]
        self.data, self.control = (server.url for server in servers)
        self.gateway.service.data_url = self.data
        self._servers = servers
        running = [asyncio.create_task(server.run_until_stopped()) for server in servers]
        for server in servers:
            await server.ready.wait()
        self._ready.set()
        await asyncio.gather(*running)
        await self.gateway.close()

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(60)
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._servers:
            server.stop()
        self._thread.join()


@pytest.fixture
def served(project: Path) -> Iterator[Served]:
    """A gateway with the small project, on sockets."""
    with Served(project) as serving:
        yield serving


Do = Callable[..., dict[str, Any]]
"""Runs one action: API, action, fields; gives the answer as the client has it."""

BOB = {"Version": "4", "Key": "invoke.headers.User", "Method": "exact", "Expression": "Bob"}


def saying(version: str) -> str:
    """The zip, in base64, of a handler that says which version it is, to callers and its log."""
    text = (
        "async def main_handler(event, context):\n"
        f"    print('this is {version}')\n"
        f"    return {{'statusCode': 200, 'body': {version!r}}}\n"
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("index.py", text)
    return b64encode(buffer.getvalue()).decode()


class Scheme:
    """The grayscale scheme from nothing: a function, an API in three stages, four versions.

    Args:
        do: Runs the actions.
        data: Where callers reach the data plane.
        calls: How many callers a share is looked at with.
    """

    def __init__(self, do: Do, data: str, calls: int = 60) -> None:
        self._do = do
        self._data = data
        self._calls = calls
        self._service = ""

    def play(self) -> None:
        """All of it, in its order; nothing is released again once the API is."""
        self._make()
        releases = self._release()
        self._publish()
        self._test_with_one_user()
        self._shift_and_roll_back()
        self._look_into_logs()
        assert self._releases() == releases

    def _scf(self, action: str, **fields: object) -> dict[str, Any]:
        return self._do("scf", action, FunctionName="B", **fields)

    def _apigateway(self, action: str, **fields: object) -> dict[str, Any]:
        return self._do("apigateway", action, ServiceId=self._service, **fields)

    def _callers(self, stage: str, user: str = "") -> Counter[str]:
        headers = {"User": user, "Host": f"{self._service}.localhost"}
        with httpx.Client(trust_env=False, headers=headers) as client:
            url = f"{self._data}/{stage}/orders"
            return Counter(client.get(url).text for _ in range(self._calls))

    def _invoked(self, user: str) -> Any:  # noqa: ANN401
        given = {"Qualifier": "prepub", "Event": "{}", "RoutingKey": json.dumps({"User": user})}
        return self._scf("InvokeFunction", **given)["Result"]

    def _point(self, name: str, version: str, **routing: object) -> None:
        more = {"RoutingConfig": routing} if routing else {}
        self._scf("UpdateAlias", Name=name, FunctionVersion=version, **more)

    def _make(self) -> None:
        self._scf("CreateFunction", Code={"ZipFile": saying("v1")}, Runtime="Python3.10")
        for name in ("release", "prepub"):
            self._scf("CreateAlias", Name=name, FunctionVersion="$LATEST")

    def _release(self) -> object:
        made = self._do("apigateway", "CreateService", ServiceName="A", Protocol="http&https")
        self._service = made["ServiceId"]
        api = {
            "ServiceType": "SCF",
            "RequestConfig": {"Path": "/orders", "Method": "ANY"},
            "ServiceScfFunctionName": "B",
            "ServiceScfIsIntegratedResponse": True,
        }
        new = {"ServiceTimeout": 15, "Protocol": "HTTP", "ServiceScfFunctionQualifier": "release"}
        named = {"ApiId": self._apigateway("CreateApi", **api, **new)["Result"]["ApiId"]}
        for stage, qualifier in (("release", ""), ("prepub", "prepub"), ("test", "$DEFAULT")):
            if qualifier:
                self._apigateway("ModifyApi", **named, **api, ServiceScfFunctionQualifier=qualifier)
            self._apigateway("ReleaseService", EnvironmentName=stage, ReleaseDesc=f"to {stage}")
            assert self._callers(stage) == {"v1": self._calls}
        return self._releases()

    def _releases(self) -> object:
        return self._apigateway("DescribeServiceReleaseVersion")["Result"]

    def _publish(self) -> None:
        for number in "1234":
            if number != "1":
                self._scf("UpdateFunctionCode", ZipFile=saying(f"v{number}"))
            assert self._scf("PublishVersion")["FunctionVersion"] == number
        self._point("$DEFAULT", "$LATEST")
        assert self._callers("test") == {"v4": self._calls}

    def _test_with_one_user(self) -> None:
        self._point("prepub", "3")
        assert self._callers("prepub") == {"v3": self._calls}
        self._point("prepub", "3", AddtionVersionMatchs=[BOB])
        assert self._callers("prepub", "Bob") == {"v4": self._calls}
        assert self._callers("prepub", "Alice") == self._callers("prepub") == {"v3": self._calls}
        for user, version in (("Bob", "v4"), ("bob", "v3")):
            assert json.loads(self._invoked(user)["RetMsg"])["body"] == version

    def _shift_and_roll_back(self) -> None:
        self._point("release", "1")
        assert self._callers("release") == {"v1": self._calls}
        for share in (0.1, 0.5):
            self._point(
                "release", "1", AdditionalVersionWeights=[{"Version": "2", "Weight": share}]
            )
            seen = self._callers("release")
            assert set(seen) == {"v1", "v2"}, share
        self._point("release", "1", AdditionalVersionWeights=[{"Version": "2", "Weight": 1}])
        assert self._callers("release") == {"v2": self._calls}
        self._point("release", "2")
        assert self._callers("release") == {"v2": self._calls}
        self._point("release", "1")
        assert self._callers("release") == {"v1": self._calls}, "everybody is back"

    def _look_into_logs(self) -> None:
        ours = {"FunctionRequestId": self._invoked("Bob")["FunctionRequestId"]}
        (log,) = self._scf("GetFunctionLogs", Limit=5, **ours)["Data"]
        assert "this is v4" in log["Log"]
        assert (log["RetCode"], log["InvokeFinished"]) == (0, 1)
        (status,) = self._scf("GetRequestStatus", **ours)["Data"]
        assert status["RetCode"] == 0
        (log,) = self._scf("GetFunctionLogs", Limit=1, Qualifier="release")["Data"]
        assert "this is v1" in log["Log"], "the last request over HTTP"


@pytest.fixture
def play(project: Path) -> Callable[[Callable[[Served], Do]], None]:
    """Plays the grayscale scheme on a gateway of its own, with the client that is made for it."""

    def playing(client: Callable[[Served], Do]) -> None:
        # Opened by the test itself: standard output, which the gateway keeps, is another one now.
        with Served(project) as served:
            Scheme(client(served), served.data).play()

    return playing
