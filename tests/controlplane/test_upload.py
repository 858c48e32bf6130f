"""Code that comes as a form: one part for each file, within limits, and taken in as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.types import Message

from gateway.controlplane.problems import Rejected
from gateway.controlplane.rest import upload
from gateway.controlplane.rest.upload import MAX_UPLOAD, read_upload
from gateway.core.errors import Refused
from gateway.store.packages import MAX_FILES, Package, read_files, to_zip

Panel = Any

BOUNDARY = "frontier"
FORM = f"multipart/form-data; boundary={BOUNDARY}"
MINE = b"def main_handler(event, context):\n    return 'mine'\n"


def part(name: str, content: bytes, *, file: bool = True) -> bytes:
    """One part of a form."""
    disposition = f'Content-Disposition: form-data; name="{name}"'
    disposition += '; filename="x"' if file else ""
    head = f"--{BOUNDARY}\r\n{disposition}\r\nContent-Type: text/x-python\r\n\r\n"
    return head.encode() + content + b"\r\n"


def form(**files: bytes) -> bytes:
    """A form with these files."""
    parts = (part(name.replace("__", "/") + ".py", content) for name, content in files.items())
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def read(body: bytes, media: str = FORM, *, pieces: int = 1 << 16, length: str = "") -> Package:
    """The package in a body that comes in pieces."""
    cut = [body[start : start + pieces] for start in range(0, len(body), pieces)] or [b""]
    messages = iter(cut)
    left = len(cut)

    async def receive() -> Message:
        nonlocal left
        left -= 1
        return {"type": "http.request", "body": next(messages), "more_body": left > 0}

    headers = [(b"content-type", media.encode())]
    headers += [(b"content-length", length.encode())] if length else []
    return asyncio.run(read_upload(Request({"type": "http", "headers": headers}, receive)))


@given(
    st.dictionaries(
        st.from_regex(r"[a-z]{1,5}(/[a-z]{1,5}){0,2}\.py", fullmatch=True),
        st.binary(max_size=60) | st.sampled_from([b"\r\n--frontier", b"--frontier--\r\n", b"\r\n"]),
        min_size=1,
        max_size=4,
    ).filter(
        lambda files: all(f"\r\n--{BOUNDARY}".encode() not in b"\r\n" + c for c in files.values())
    ),
    st.integers(1, 80),
)
def test_a_form_is_read_however_it_is_cut(files: dict[str, bytes], pieces: int) -> None:
    """The package is the one that the files make."""
    body = b"".join(part(name, content) for name, content in files.items())
    body += f"--{BOUNDARY}--\r\n".encode()
    found = read(body, pieces=pieces)
    assert found == read_files(files)
    assert found.files == files


def test_a_zip_is_read_however_it_is_cut() -> None:
    """It is whole before it is opened."""
    package = read_files({"index.py": MINE, "lib/a.py": b""})
    for pieces in (1, 7, 1 << 20):
        assert read(to_zip(package), "application/zip", pieces=pieces) == package


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        pytest.param(
            part("a.py", b"1") + form(a=b"2"), "duplicate-path", "'a.py' more than once", id="twice"
        ),
        pytest.param(part("x", b"1", file=False) + form(a=b"2"), "not-a-file", "'x'", id="a field"),
        pytest.param(form(), "empty-package", "no files", id="no part"),
        pytest.param(form(__etc__passwd=b""), "bad-path", "", id="absolute"),
        pytest.param(part("../a.py", b"1") + form(a=b"1"), "bad-path", "../a.py", id="out"),
        pytest.param(part("", b"1") + form(a=b"1"), "bad-path", "", id="no name"),
    ],
)
def test_a_form_has_files_that_can_stand_in_a_package(body: bytes, code: str, said: str) -> None:
    """Anything else is refused by name; places in a package are none in JSON."""
    with pytest.raises(Refused) as caught:
        read(body)
    assert said in str(caught.value)
    assert {problem.at for problem in caught.value.problems} == {()}
    assert {problem.code for problem in caught.value.problems} == {code}


@pytest.mark.parametrize(
    ("body", "media"),
    [
        pytest.param(b"", FORM, id="nothing"),
        pytest.param(form(a=b"1")[:-4], FORM, id="cut off"),
        pytest.param(part("a", b"1"), FORM, id="no end"),
        pytest.param(b"a=b", FORM, id="another form"),
        pytest.param(b"--frontier\r\nContent-Disposition form-data\r\n\r\n", FORM, id="head"),
        pytest.param(form(a=b"1"), "multipart/form-data", id="no boundary"),
        pytest.param(form(a=b"1"), "multipart/form-data; boundary=", id="empty boundary"),
        pytest.param(form(a=b"1"), "multipart/form-data; boundary=other", id="another boundary"),
        pytest.param(
            form(a=b"1"), f"multipart/form-data; boundary={'x' * 300}", id="long boundary"
        ),
        pytest.param(part("a" * 100_000, b"") + form(a=b"1"), FORM, id="long head"),
    ],
)
def test_a_form_that_cannot_be_read_is_malformed(body: bytes, media: str) -> None:
    """And that is said."""
    with pytest.raises(Rejected) as caught:
        read(body, media)
    assert (caught.value.status, caught.value.code) == (400, "malformed-form")


def test_a_form_may_have_as_many_files_as_a_package() -> None:
    """One more is refused when it comes, whatever follows."""
    parts = [part(f"f{number}.py", b"") for number in range(MAX_FILES)]
    end = f"--{BOUNDARY}--\r\n".encode()
    assert len(read(b"".join(parts) + end).files) == MAX_FILES
    with pytest.raises(Refused, match="more files than allowed: at most 1,000"):
        read(b"".join([*parts, part("more.py", b"")]))


@pytest.mark.parametrize("media", [FORM, "application/zip"])
def test_a_body_that_says_that_it_is_too_large_is_not_read(media: str) -> None:
    """Not one byte of it."""

    async def receive() -> Message:
        raise AssertionError("nothing is read")

    headers = [(b"content-type", media.encode()), (b"content-length", b"%d" % (MAX_UPLOAD + 1))]
    with pytest.raises(Rejected) as caught:
        asyncio.run(read_upload(Request({"type": "http", "headers": headers}, receive)))
    assert (caught.value.status, caught.value.code) == (413, "too-large")


@pytest.mark.parametrize("media", [FORM, "application/zip"])
@pytest.mark.parametrize("length", ["", "10", "x"])
def test_a_body_that_grows_too_large_is_left(
    media: str, length: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it said before."""
    monkeypatch.setattr(upload, "MAX_UPLOAD", 1000)
    body = part("a.py", b"x" * 2000)
    with pytest.raises(Rejected, match="at most 1000 bytes"):
        read(body, media, pieces=100, length=length)


def test_a_form_makes_a_function(panel: Panel) -> None:
    """As `curl -F` sends it."""
    answer = panel(
        "PUT",
        "/api/functions/fresh/code",
        content=form(
            index=b"from lib.a import WHAT\ndef main_handler(e, c):\n    return WHAT\n",
            lib__a=b"WHAT = 7\n",
        ),
        headers={"Content-Type": FORM},
    )
    assert answer.status_code == 201
    assert panel("POST", "/api/functions/fresh/invoke").json()["value"] == 7


def test_a_json_body_is_limited_too(panel: Panel) -> None:
    """To the byte, and when it comes in pieces."""
    path = "/api/functions/orders/versions"
    text = b'{"description": "%s"}'
    room = (1 << 20) - len(text) + 2
    assert panel("POST", path, content=text % (b"x" * room)).status_code == 201
    answer = panel("POST", path, content=text % (b"x" * (room + 1)))
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")


def test_a_json_body_that_grows_too_large_is_left(panel: Panel) -> None:
    """Chunks say nothing of their number."""
    import httpx

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * (1 << 16)

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(panel.gateway.control)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            headers = {"Content-Type": "application/json"}
            return await client.post("/api/explain", content=chunks(), headers=headers)

    answer = panel.run(ask())
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")
