"""The one exception of the guard: signed requests, under more names, and from no browser."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

Client = Any

BODY = b'{"FunctionName": "orders", "Name": "release"}'


@pytest.mark.parametrize(
    ("host", "let_in"),
    [
        pytest.param("127.0.0.1:8081", True, id="address"),
        pytest.param("localhost", True, id="name"),
        pytest.param("http://127.0.0.1:8081", True, id="with a scheme"),
        pytest.param("HTTP://LocalHost:8081", True, id="any case"),
        pytest.param("scf.tencentcloudapi.com", True, id="the cloud's, through a proxy"),
        pytest.param("scf.ap-guangzhou.tencentcloudapi.com:80", True, id="the cloud's, a region"),
        pytest.param("evil.example", False, id="foreign"),
        pytest.param("http://evil.example", False, id="foreign with a scheme"),
        pytest.param("tencentcloudapi.com.evil.example", False, id="prefix"),
        pytest.param("eviltencentcloudapi.com", False, id="suffix"),
        pytest.param("https://127.0.0.1", False, id="another scheme"),
        pytest.param("", False, id="none"),
    ],
)
def test_signed_requests_come_under_more_names(looker: Client, host: str, let_in: bool) -> None:
    """What is let in is not answered before its signature is verified: here it is of another."""
    answer = looker.post("GetAlias", BODY, Host=host)
    if let_in:
        told = answer.json()["Response"]
        assert told.get("Name", told.get("Error", {}).get("Code")) in {
            "release",
            "AuthFailure.SignatureFailure",
        }
    else:
        assert (answer.status_code, answer.json()["code"]) == (421, "misdirected-host")


@pytest.mark.parametrize(
    "mark",
    [
        pytest.param({"Origin": "http://evil.example"}, id="a page's script"),
        pytest.param({"Origin": "null"}, id="a page without an origin"),
        pytest.param({"Origin": "http://127.0.0.1:8081"}, id="even its own page"),
        pytest.param({"Referer": "http://evil.example/x"}, id="a link"),
        pytest.param({"Sec-Fetch-Site": "cross-site"}, id="another site"),
        pytest.param({"Sec-Fetch-Mode": "navigate"}, id="an address that was typed"),
        pytest.param({"User-Agent": "Mozilla/5.0 (X11)"}, id="a browser that says nothing else"),
    ],
)
@pytest.mark.parametrize("scheme", ["TC3", "form"])
def test_a_browser_is_never_let_in(client: Client, mark: dict[str, str], scheme: str) -> None:
    """A page knows the documented key as well: a right signature does not help it."""
    if scheme == "TC3":
        answer = client.post("DeleteAlias", BODY, **mark)
    else:
        headers = {
            "Host": "127.0.0.1:8081",
            "Content-Type": "application/x-www-form-urlencoded",
            **mark,
        }
        request = httpx.Request("POST", "http://127.0.0.1:8081/", headers=headers, content=b"A=1")
        answer = client.send(request)
    assert (answer.status_code, answer.json()["code"]) == (403, "cross-site")
    assert "browser" in answer.json()["detail"]
    assert client.panel.revision == 1


def test_without_such_a_mark_the_same_request_is_let_in(client: Client) -> None:
    """So that it was the mark."""
    told = client("DeleteAlias", FunctionName="orders", Name="spare")
    assert (set(told), client.panel.revision) == ({"RequestId"}, 2)


@pytest.mark.parametrize("name", ["Host", "Authorization", "Content-Type"])
def test_what_counts_is_there_once(looker: Client, name: str) -> None:
    """Two readers could take different ones."""
    headers = list(looker.post("GetAlias", BODY).request.headers.multi_items())
    headers.append((name, dict(headers)[name.lower()]))
    request = httpx.Request("POST", "http://127.0.0.1:8081/", headers=headers, content=BODY)
    answer = looker.send(request)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad-header")


@pytest.mark.parametrize(
    ("method", "path", "headers", "taken"),
    [
        pytest.param("POST", "/", {"Content-Type": "application/json"}, False, id="plain POST"),
        pytest.param("GET", "/", {}, False, id="plain GET"),
        pytest.param("GET", "/?NoAction=1", {}, False, id="another query"),
        pytest.param("PUT", "/?Action=GetAlias", {}, False, id="another method"),
        pytest.param("GET", "/api/functions?Action=GetAlias", {}, False, id="another path"),
        pytest.param("GET", "/?Action=GetAlias", {}, True, id="the older scheme"),
        pytest.param("GET", "/", {"X-TC-Action": "GetAlias"}, True, id="the newer scheme"),
        pytest.param("GET", "/", {"Authorization": "TC3-HMAC-SHA256 x"}, True, id="a signature"),
    ],
)
def test_the_exception_is_the_root_and_nothing_else(
    looker: Client, method: str, path: str, headers: dict[str, str], taken: bool
) -> None:
    """Everything else is asked as before; what is taken is not answered without a signature."""
    fields = {"Host": "127.0.0.1:8081", **headers}
    content = b"{}" if method == "POST" else None
    url = f"http://127.0.0.1:8081{path}"
    answer = looker.send(httpx.Request(method, url, headers=fields, content=content))
    assert answer.text.startswith('{"Response":') is taken
    if taken:
        assert answer.status_code == 200
        code = answer.json()["Response"]["Error"]["Code"]
        assert code == "AuthFailure.InvalidAuthorization"
