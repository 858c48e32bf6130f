"""Code that was put into the object store before a request names it."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.controlplane.objects.stored import Coming

Client = Any


def zipped(version: str) -> bytes:
    """A zip with a handler that says which one it is."""
    text = f"async def main_handler(event, context):\n    return {{'version': {version!r}}}\n"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("index.py", text)
    return buffer.getvalue()


def upload(client: Client, key: str, data: bytes, bucket: str = "code-12") -> None:
    """Put an object into the gateway's object store."""

    async def whole() -> AsyncIterator[bytes]:
        yield data

    objects = client.panel.gateway.service.objects
    client.panel.run(objects.put(Coming(bucket, key, "application/zip"), whole()))


def named(bucket: str, key: str) -> dict[str, object]:
    """The source of a `Code`."""
    return {"CosBucketName": bucket, "CosObjectName": key, "CosBucketRegion": "ap-guangzhou"}


def answered(client: Client, function: str) -> Any:  # noqa: ANN401
    """Which code answers."""
    told = client("InvokeFunction", FunctionName=function)
    return json.loads(told["Result"]["RetMsg"])["version"]


@pytest.mark.parametrize("bucket", ["code-12", "code"], ids=["exact", "without the account"])
@pytest.mark.parametrize("key", ["a/b.zip", "/a/b.zip"], ids=["plain", "with a slash"])
def test_a_function_is_made_of_an_upload(client: Client, bucket: str, key: str) -> None:
    """Tools leave out the account's number, and begin keys with a slash."""
    upload(client, "a/b.zip", zipped("uploaded"))
    told = client("CreateFunction", FunctionName="made", Code=named(bucket, key))
    assert set(told) == {"RequestId"}, told
    assert answered(client, "made") == "uploaded"


@pytest.mark.parametrize("nested", [True, False], ids=["in Code", "beside it"])
def test_code_is_updated_from_an_upload(client: Client, nested: bool) -> None:
    """The newest one under the key."""
    upload(client, "b.zip", zipped("old"))
    upload(client, "b.zip", zipped("new"))
    source = named("code", "b.zip")
    given = {"Code": source} if nested else source
    assert set(client("UpdateFunctionCode", FunctionName="orders", **given)) == {"RequestId"}
    assert answered(client, "orders") == "new"


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        (named("code", "c.zip"), ("ResourceNotFound.CosObject", "there is a.zip, b.zip")),
        (named("other", "a.zip"), ("ResourceNotFound.CosObject", "in the bucket 'other'")),
        (named("", "a.zip"), ("InvalidParameterValue.CosBucketName", "CosBucketName is missing")),
        (named("code", ""), ("InvalidParameterValue.CosObjectName", "CosObjectName is missing")),
        (named("code", "b.zip"), ("InvalidParameterValue.CosObjectName", "no zip archive")),
        ({**named("code", "a.zip"), "DemoId": "x"}, ("InvalidParameterValue.Code", "DemoId")),
        ({**named("code", "a.zip"), "ZipFile": "x"}, ("InvalidParameterValue.Code", "one source")),
    ],
)
def test_an_upload_that_cannot_be_used_is_told(
    client: Client, code: dict[str, object], wanted: tuple[str, str]
) -> None:
    """With what there is instead."""
    upload(client, "a.zip", zipped("a"), bucket="code")
    upload(client, "b.zip", b"no zip", bucket="code")
    found, message = client.fails("CreateFunction", FunctionName="made", Code=code)
    assert found == wanted[0]
    assert wanted[1] in message


def test_an_upload_that_goes_in_that_moment_is_missing(client: Client) -> None:
    """Another one took its place."""
    upload(client, "a.zip", zipped("a"))
    objects = client.panel.gateway.service.objects
    (objects.root / objects.find("code-12", "a.zip").file).unlink()
    code = named("code", "a.zip")
    assert client.fails("CreateFunction", FunctionName="made", Code=code)[0] == (
        "ResourceNotFound.CosObject"
    )


def test_uploads_survive_the_gateway(tmp_path: Path) -> None:
    """They are beside its state."""
    from gateway.app import Gateway, Setup

    async def whole() -> tuple[bool, bool]:
        setup = Setup(state=tmp_path / "state" / "state.db")
        gateway = await Gateway.open(setup)
        try:

            async def body() -> AsyncIterator[bytes]:
                yield b"x"

            await gateway.service.objects.put(Coming("b", "k", ""), body())
        finally:
            await gateway.close()
        again = await Gateway.open(setup)
        kept = again.service.objects.find("b", "k") is not None
        await again.close()
        forgetful = await Gateway.open(Setup())
        folder = forgetful.service.objects.root
        there = folder.exists()
        await forgetful.close()
        assert not folder.exists()
        return kept, there

    assert asyncio.run(whole()) == (True, True)
