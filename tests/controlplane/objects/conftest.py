"""An object store that is asked without sockets, by a client that signs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

import httpx
import pytest

from gateway.controlplane.objects import Objects, ObjectsApi, Signers
from gateway.controlplane.objects.signatures import Asked, signature

KEYS = {"AKIDLOCALGATEWAY": "local-gateway-key"}
HOST = "code-12.cos.ap-guangzhou.myqcloud.com"
NOW = 1795530803.0


def authorization(method: str, url: str, headers: Mapping[str, str]) -> str:
    """The header that an official client sends."""
    path, _, query = url.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    given = {
        "q-sign-algorithm": "sha1",
        "q-ak": "AKIDLOCALGATEWAY",
        "q-sign-time": f"{NOW:.0f};{NOW + 900:.0f}",
        "q-key-time": f"{NOW:.0f};{NOW + 900:.0f}",
        "q-header-list": ";".join(sorted(headers)),
        "q-url-param-list": ";".join(sorted(name for name, _ in pairs)),
    }
    asked = Asked(method, unquote(path), pairs, headers)
    given["q-signature"] = signature(asked, given, KEYS["AKIDLOCALGATEWAY"])
    return "&".join(f"{name}={value}" for name, value in given.items())


class Bucket:
    """Asks an object store.

    Attributes:
        objects: Its objects.
        app: The ASGI application.
    """

    def __init__(self, root: Path) -> None:
        self.objects = Objects(root, lambda: NOW)
        self.app = ObjectsApi(self.objects, Signers(KEYS, lambda: NOW), new_id=lambda: "id")

    def __call__(
        self, method: str, url: str, content: bytes = b"", **headers: str
    ) -> httpx.Response:
        """One request; a header of the name `host` says which bucket."""
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        fields = {"host": HOST, **fields}
        signed = {"authorization": authorization(method, url, fields), **fields}
        target = f"http://{fields['host']}{url}"
        return self.send(httpx.Request(method, target, headers=signed, content=content))

    def send(self, request: httpx.Request) -> httpx.Response:
        """One request as it is."""

        async def whole() -> httpx.Response:
            answer = await httpx.ASGITransport(self.app).handle_async_request(request)
            await answer.aread()
            return answer

        return asyncio.run(whole())

    async def run(self, method: str, path: str, receive: Callable[[], Any]) -> list[Any]:
        """The messages of an answer to a request whose body comes as the server says."""
        fields = {"host": HOST}
        fields["authorization"] = authorization(method, path, fields)
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in fields.items()],
        }
        sent: list[Any] = []

        async def send(message: Any) -> None:  # noqa: ANN401
            sent.append(message)

        await self.app(scope, receive, send)
        return sent


@pytest.fixture
def bucket(tmp_path: Path) -> Bucket:
    """Asks the object store about the bucket `code-12`."""
    return Bucket(tmp_path / "objects")
