"""Clients that know no other hosts than the cloud's, through the front of a running gateway."""

from __future__ import annotations

import hashlib
import importlib
import ssl
import stat
from collections.abc import Iterator
from time import time
from typing import TYPE_CHECKING, Any

import httpx
import psutil
import pytest

from gateway.controlplane.cloud.app import SECRET_ID, SECRET_KEY
from gateway.controlplane.objects.signatures import Asked, signature

if TYPE_CHECKING:
    from tests.intercept.conftest import Serve, Serving

pytestmark = pytest.mark.sockets

SDK = "tencentcloud"
MB = 1024 * 1024
COS = "code-12.cos.ap-guangzhou.myqcloud.com"


def sdk(name: str) -> Any:  # noqa: ANN401
    """A part of the official SDK, which has no types."""
    return importlib.import_module(f"{SDK}.{name}")


def asked(serving: Serving, action: str, protocol: str = "https", key: str = SECRET_KEY) -> Any:  # noqa: ANN401
    """What the official SDK is told at the cloud's own host about the function `orders`."""
    models, clients = sdk("scf.v20180416.models"), sdk("scf.v20180416.scf_client")
    http = sdk("common.profile.http_profile").HttpProfile(
        protocol=protocol, proxy=serving.proxy, certification=str(serving.ca)
    )
    profile = sdk("common.profile.client_profile").ClientProfile(httpProfile=http)
    secret = sdk("common.credential").Credential(SECRET_ID, key)
    client = clients.ScfClient(secret, "ap-guangzhou", profile)
    request = getattr(models, f"{action}Request")()
    request.FunctionName = "orders"
    try:
        return getattr(client, action)(request)
    finally:
        client.request.conn._session.close()


@pytest.mark.parametrize("protocol", ["https", "http"])
def test_the_official_sdk_needs_a_proxy_and_a_certificate_alone(
    standing: Serving, protocol: str
) -> None:
    """Its host stays the cloud's; its mistakes are told as the cloud tells them."""
    assert asked(standing, "GetFunction", protocol).FunctionName == "orders"
    assert asked(standing, "GetFunctionAddress", protocol).Url.startswith(f"{standing.control}/")
    failure = sdk("common.exception.tencent_cloud_sdk_exception").TencentCloudSDKException
    with pytest.raises(failure, match=r"AuthFailure\.SignatureFailure"):
        asked(standing, "GetFunction", protocol, key="another")


def test_the_authority_is_kept_beside_the_state(serve: Serve) -> None:
    """A client that trusts it goes on trusting it after a restart."""
    first = serve()
    folder = first.ca.parent
    assert (folder / "state.db").exists()
    assert stat.S_IMODE((folder / "intercept-ca.key").stat().st_mode) == 0o600
    trusted = first.ca.read_bytes()
    first.stop()
    again = serve()
    assert (again.ca, again.ca.read_bytes()) == (first.ca, trusted)
    assert asked(again, "GetFunction").FunctionName == "orders"


def test_any_other_host_is_refused_and_told(serve: Serve) -> None:
    """On standard error, once; nothing is forwarded."""
    serving = serve("--state", ":memory:")
    with httpx.Client(proxy=serving.proxy, trust_env=False) as client:
        for _ in range(2):
            with pytest.raises(httpx.ProxyError, match="403"):
                client.get("https://cvm.tencentcloudapi.com/")
        answer = client.get("http://example.com/")
    assert answer.status_code == 403
    assert "forwards to nowhere" in answer.text
    serving.stop()
    told = [line for line in serving.said().splitlines() if line.startswith("intercept: ")]
    assert [line.partition(";")[0] for line in told] == [
        "intercept: the request is for 'cvm.tencentcloudapi.com'",
        "intercept: the request is for 'example.com'",
    ]


def signed(method: str, path: str) -> dict[str, str]:
    """The headers of a request for an object."""
    now = int(time())
    headers = {"host": COS}
    given = {
        "q-sign-algorithm": "sha1",
        "q-ak": SECRET_ID,
        "q-sign-time": f"{now};{now + 900}",
        "q-key-time": f"{now};{now + 900}",
        "q-header-list": "host",
        "q-url-param-list": "",
    }
    given["q-signature"] = signature(Asked(method, path, (), headers), given, SECRET_KEY)
    return {**headers, "authorization": "&".join(f"{k}={v}" for k, v in given.items())}


def pieces(count: int) -> Iterator[bytes]:
    """A body of so many pieces of 1 MB, each another one."""
    for number in range(count):
        yield bytes([number]) * MB


def test_an_upload_of_50_mb_is_not_felt_in_memory(standing: Serving) -> None:
    """Nor is the way back."""
    process = psutil.Process(standing.process.pid)
    context = ssl.create_default_context(cafile=standing.ca)
    url = f"https://{COS}/code.zip"
    peak = before = process.memory_info().rss
    wanted, found = (hashlib.md5(usedforsecurity=False) for _ in range(2))

    def watched() -> Iterator[bytes]:
        nonlocal peak
        for piece in pieces(50):
            wanted.update(piece)
            yield piece
            peak = max(peak, process.memory_info().rss)

    with httpx.Client(proxy=standing.proxy, verify=context, trust_env=False) as client:
        put = client.put(url, content=watched(), headers=signed("PUT", "/code.zip"))
        assert (put.status_code, put.headers["etag"]) == (200, f'"{wanted.hexdigest()}"')
        with client.stream("GET", url, headers=signed("GET", "/code.zip")) as answer:
            for piece in answer.iter_bytes():
                found.update(piece)
                peak = max(peak, process.memory_info().rss)
    assert found.digest() == wanted.digest()
    assert peak - before < 25 * MB
