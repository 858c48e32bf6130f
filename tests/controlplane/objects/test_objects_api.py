"""The object store over HTTP: what the cloud's tools do with it, and what it does not do."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from gateway.controlplane.objects import asked as reading
from gateway.controlplane.objects import operations
from gateway.controlplane.objects.stored import Room

if TYPE_CHECKING:
    from tests.controlplane.objects.conftest import Bucket

MD5 = "900150983cd24fb0d6963f7d28e17f72"


def error(answer: httpx.Response) -> tuple[int, str]:
    """The status and the code of an error."""
    assert answer.headers["content-type"] == "application/xml"
    found = re.search("<Code>(.*)</Code><Message>.+</Message>", answer.text)
    assert found is not None, answer.text
    return answer.status_code, found[1]


def keys(answer: httpx.Response) -> list[str]:
    """The keys that an answer names."""
    return re.findall("<Key>(.*?)</Key>", answer.text)


def test_an_object_is_put_looked_at_fetched_and_deleted(bucket: Bucket) -> None:
    """As the official clients do it."""
    answer = bucket("PUT", "/a%20b/x.zip", b"abc", content_type="application/zip")
    assert (answer.status_code, answer.headers["etag"]) == (200, f'"{MD5}"')
    assert answer.headers["x-cos-request-id"] == "id"
    looked = bucket("HEAD", "/a%20b/x.zip")
    assert (looked.status_code, looked.headers["content-length"], looked.content) == (200, "3", b"")
    fetched = bucket("GET", "/a%20b/x.zip")
    assert (fetched.status_code, fetched.content) == (200, b"abc")
    for each in (looked, fetched):
        assert each.headers["content-type"] == "application/zip"
        assert each.headers["etag"] == f'"{MD5}"'
        assert each.headers["last-modified"] == "Tue, 24 Nov 2026 14:33:23 GMT"
    gone = bucket("DELETE", "/a%20b/x.zip")
    assert (gone.status_code, gone.content) == (204, b"")
    assert "content-length" not in gone.headers
    assert error(bucket("GET", "/a%20b/x.zip")) == (404, "NoSuchKey")
    missing = bucket("HEAD", "/a%20b/x.zip")
    assert (missing.status_code, missing.content) == (404, b"")


def test_a_large_object_comes_back_in_pieces(bucket: Bucket) -> None:
    """And whole."""
    body = bytes(range(256)) * 4096
    assert bucket("PUT", "/large", body).status_code == 200
    assert bucket("GET", "/large").content == body


def test_the_path_may_name_the_bucket(bucket: Bucket) -> None:
    """Where the host names none."""
    host = "cos.ap-guangzhou.myqcloud.com"
    assert bucket("PUT", "/code-12/x/y", b"abc", host=host).status_code == 200
    assert bucket("GET", "/x/y").content == b"abc"
    assert bucket("GET", "/x/y", host="other-12.cos.ap-guangzhou.myqcloud.com").status_code == 404
    assert error(bucket("GET", "/", host=host)) == (501, "NotImplemented")


def test_every_bucket_is_there(bucket: Bucket) -> None:
    """Made or not; one with objects in it cannot be deleted."""
    assert bucket("PUT", "/").status_code == 200
    assert bucket("HEAD", "/").status_code == 200
    bucket("PUT", "/x", b"")
    assert error(bucket("DELETE", "/")) == (409, "BucketNotEmpty")
    bucket("DELETE", "/x")
    assert bucket("DELETE", "/").status_code == 204


def test_a_bucket_is_listed_page_by_page(bucket: Bucket) -> None:
    """With what a client needs to go on."""
    for name in ("b&c", "a", "b/1", "b/2"):
        bucket("PUT", f"/{name.replace('&', '%26')}", b"abc")
    whole = bucket("GET", "/")
    assert keys(whole) == ["a", "b&amp;c", "b/1", "b/2"]
    assert "<Name>code-12</Name>" in whole.text
    assert "<IsTruncated>false</IsTruncated>" in whole.text
    assert f'<ETag>"{MD5}"</ETag><Size>3</Size>' in whole.text
    assert "<LastModified>2026-11-24T14:33:23.000Z</LastModified>" in whole.text
    page = bucket("GET", "/?prefix=b%2F&max-keys=1")
    assert keys(page) == ["b/1"]
    assert "<IsTruncated>true</IsTruncated><NextMarker>b/1</NextMarker>" in page.text
    assert keys(bucket("GET", "/?prefix=b%2F&marker=b%2F1")) == ["b/2"]
    assert keys(bucket("GET", "/?max-keys=0")) == []
    coded = bucket("GET", "/?encoding-type=url&delimiter=&prefix=b%26&max-keys=1")
    assert keys(coded) == ["b%26c"]
    assert "<EncodingType>url</EncodingType><Prefix>b%26</Prefix>" in coded.text
    assert error(bucket("GET", "/?max-keys=x")) == (400, "InvalidArgument")


def test_many_objects_are_deleted_at_once(bucket: Bucket) -> None:
    """Those that are named, there or not."""
    for name in ("a%26b", "c", "d"):
        bucket("PUT", f"/{name}", b"x")
    body = "<Delete><Object><Key>a&amp;b</Key></Object><Object><Key>d</Key></Object></Delete>"
    assert keys(bucket("POST", "/?delete", body.encode())) == ["a&amp;b", "d"]
    assert keys(bucket("GET", "/")) == ["c"]


def test_a_lifecycle_is_kept_and_told(bucket: Bucket) -> None:
    """It is no object of the bucket."""
    assert error(bucket("GET", "/?lifecycle")) == (404, "NoSuchLifecycleConfiguration")
    assert bucket("PUT", "/?lifecycle", b"<LifecycleConfiguration/>").status_code == 200
    assert bucket("GET", "/?lifecycle").text == "<LifecycleConfiguration/>"
    assert keys(bucket("GET", "/")) == []
    assert bucket("DELETE", "/?lifecycle").status_code == 204
    assert bucket("GET", "/?lifecycle").status_code == 404


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("PUT", "/?acl"),
        ("GET", "/?versioning"),
        ("GET", "/?delimiter=%2F"),
        ("PUT", "/x?acl"),
        ("POST", "/x?uploads"),
        ("PUT", "/x?partNumber=1&uploadId=2"),
        ("GET", "/x?versionId=1"),
        ("POST", "/x"),
        ("PATCH", "/x"),
        ("POST", "/?delete&acl"),
    ],
)
def test_what_it_does_not_do_it_says(bucket: Bucket, method: str, url: str) -> None:
    """No parameter that would alter what is meant is passed over."""
    answer = bucket(method, url, b"")
    assert error(answer) == (501, "NotImplemented")
    assert f"does not do {method} " in answer.text


def test_an_object_is_not_copied(bucket: Bucket) -> None:
    """It would become an empty one."""
    assert error(bucket("PUT", "/x", b"", x_cos_copy_source="a/b")) == (501, "NotImplemented")


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"authorization": "q-sign-algorithm=sha1"}, (403, "AccessDenied")),
        ({"origin": "http://127.0.0.1"}, (403, "AccessDenied")),
        ({"sec_fetch_site": "same-origin"}, (403, "AccessDenied")),
        ({"content_md5": "kAFQmDzST7DWlj99KOF/cg=="}, (400, "BadDigest")),
    ],
)
def test_a_request_is_refused(
    bucket: Bucket, headers: dict[str, str], code: tuple[int, str]
) -> None:
    """Who signs nothing, a browser, and a body that is another one."""
    assert error(bucket("PUT", "/x", b"other", **headers)) == code
    assert bucket.objects.listed("code-12") == []


@pytest.mark.parametrize(
    ("method", "url", "body", "most", "code"),
    [
        ("PUT", "/x", b"x" * 11, "room", "EntityTooLarge"),
        ("PUT", "/" + "k" * 851, b"", "", "KeyTooLong"),
        ("PUT", "/?lifecycle", b"x" * 11, "MAX_LIFECYCLE", "EntityTooLarge"),
        ("POST", "/?delete", b"x" * 11, "MAX_DELETION", "EntityTooLarge"),
    ],
)
def test_everything_has_its_limit(  # noqa: PLR0917
    bucket: Bucket,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    url: str,
    body: bytes,
    most: str,
    code: str,
) -> None:
    """A length that is announced is believed before anything is read."""
    if most == "room":
        bucket.objects.room = Room(largest=10)
    elif most:
        monkeypatch.setattr(operations, most, 10)
    assert error(bucket(method, url, body)) == (400, code)


def test_a_body_that_does_not_come_is_waited_for_so_long(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of it is kept."""
    patient = reading.pieces_of
    monkeypatch.setattr(operations, "pieces_of", lambda request: patient(request, 0.01))

    async def never() -> None:
        await asyncio.Event().wait()

    start, end = asyncio.run(bucket.run("PUT", "/x", never))
    assert start["status"] == 400
    assert (b"connection", b"close") in start["headers"]
    assert b"<Code>RequestTimeout</Code>" in end["body"]
    assert list(bucket.objects.root.iterdir()) == []


def test_a_client_that_leaves_is_not_answered(bucket: Bucket) -> None:
    """And its upload is gone."""
    messages = [
        {"type": "http.request", "body": b"abc", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Any:  # noqa: ANN401
        return messages.pop(0)

    assert asyncio.run(bucket.run("PUT", "/x", receive)) == []
    assert list(bucket.objects.root.iterdir()) == []


def test_an_object_that_goes_while_it_is_fetched_is_missing(
    bucket: Bucket,
) -> None:
    """Another upload took its place in that moment."""
    bucket("PUT", "/x", b"abc")
    for path in bucket.objects.root.iterdir():
        if path.suffix != ".json":
            path.unlink()
    assert error(bucket("GET", "/x")) == (404, "NoSuchKey")


def test_what_nobody_foresaw_is_an_error_too(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told before the answer began, and by a cut connection afterwards."""
    bucket("PUT", "/x", b"abc")

    def broken(*_: object) -> None:
        raise RuntimeError("a disk that burns")

    monkeypatch.setattr(bucket.objects, "find", broken)
    assert error(bucket("GET", "/x")) == (500, "InternalError")
    monkeypatch.undo()
    monkeypatch.setattr(asyncio, "to_thread", broken)
    with pytest.raises(Exception, match="something unexpected went wrong"):
        bucket("GET", "/x")
