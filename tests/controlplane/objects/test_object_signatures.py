"""Who asks the object store: the official client's own signatures, and what is none."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qsl

import pytest

from gateway.controlplane.objects.errors import ObjectRefused
from gateway.controlplane.objects.signatures import MAX_SKEW, Asked, Signers, signature

KEYS = {"AKIDLOCALGATEWAY": "local-gateway-key"}
HOST = "code-12.cos.ap-guangzhou.myqcloud.com"
START, END = 1795530803, 1795531703
SIGNED = (
    "q-sign-algorithm=sha1&q-ak=AKIDLOCALGATEWAY&q-sign-time=1795530803;1795531703"
    "&q-key-time=1795530803;1795531703"
)

# What the official client for Node.js makes of these requests.
PUT = Asked(
    "PUT",
    "/a b/ü(1).zip",
    (),
    {
        "host": HOST,
        "content-length": "3",
        "content-md5": "kAFQmDzST7DWlj99KOF/cg==",
        "x-cos-meta-a": "it's",
        "user-agent": "any",
        "authorization": f"{SIGNED}&q-header-list=content-length;content-md5;host;x-cos-meta-a"
        "&q-url-param-list=&q-signature=db074de50d2a2b19e5cc5b15308215bfd0e64bfe",
    },
)
GET = Asked(
    "GET",
    "/",
    (("max-keys", "10"), ("prefix", "a/b"), ("lifecycle", "")),
    {
        "host": HOST,
        "authorization": f"{SIGNED}&q-header-list=host&q-url-param-list=lifecycle;max-keys;prefix"
        "&q-signature=f8928f42acb4bbd9e7675ec5fa3a7add274a5106",
    },
)
POST = Asked(
    "POST",
    "/",
    (("delete", ""),),
    {
        "authorization": f"{SIGNED}&q-header-list=&q-url-param-list=delete"
        "&q-signature=9a5ae9964d4ebfb8da4bf342c55e4bd16181828c",
    },
)


def refusal(asked: Asked, now: float = START) -> str:
    """The code with which a request is refused; empty where it is not."""
    try:
        Signers(KEYS, lambda: now).check(asked)
    except ObjectRefused as refused:
        code: str = refused.code
    else:
        code = ""
    return code


def with_header(asked: Asked, name: str, value: str) -> Asked:
    """A request with another header."""
    return replace(asked, headers={**asked.headers, name: value})


@pytest.mark.parametrize("asked", [PUT, GET, POST], ids=lambda asked: asked.method)
def test_the_official_clients_signature_is_right(asked: Asked) -> None:
    """In a header, or in the query of an address that was made for somebody else."""
    assert refusal(asked) == ""
    query = [*asked.query, *parse_qsl(asked.headers["authorization"], keep_blank_values=True)]
    headers = {name: each for name, each in asked.headers.items() if name != "authorization"}
    assert refusal(replace(asked, query=query, headers=headers)) == ""
    assert refusal(replace(asked, headers=headers)) == "AccessDenied"


def test_the_host_may_be_signed_without_its_port() -> None:
    """Clients differ in that."""
    assert refusal(with_header(PUT, "host", f"{HOST}:443")) == ""
    assert refusal(with_header(PUT, "host", f"other-{HOST}")) == "SignatureDoesNotMatch"


@pytest.mark.parametrize(
    ("other", "code"),
    [
        (replace(PUT, method="GET"), "SignatureDoesNotMatch"),
        (replace(PUT, path="/a b/ü(2).zip"), "SignatureDoesNotMatch"),
        (with_header(PUT, "x-cos-meta-a", "its"), "SignatureDoesNotMatch"),
        (with_header(PUT, "user-agent", "another"), ""),
        (replace(GET, query=(("max-keys", "11"), ("prefix", "a/b"))), "SignatureDoesNotMatch"),
        (with_header(PUT, "authorization", "Bearer x"), "AccessDenied"),
        (with_header(PUT, "authorization", f"{SIGNED}&q-signature=0"), "AccessDenied"),
        (
            with_header(PUT, "authorization", PUT.headers["authorization"].replace("sha1", "md5")),
            "AccessDenied",
        ),
        (
            with_header(PUT, "authorization", PUT.headers["authorization"].replace("AKID", "X")),
            "InvalidAccessKeyId",
        ),
        (
            with_header(PUT, "authorization", PUT.headers["authorization"].replace("3;1", "3,1")),
            "AccessDenied",
        ),
        (
            with_header(
                PUT, "authorization", PUT.headers["authorization"].replace("time=1", "time=2")
            ),
            "RequestTimeTooSkewed",
        ),
        (
            with_header(PUT, "authorization", PUT.headers["authorization"] + "ü"),
            "SignatureDoesNotMatch",
        ),
    ],
)
def test_what_was_not_signed_so_is_refused(other: Asked, code: str) -> None:
    """Each part that a signature covers, and each part of it."""
    assert refusal(other) == code


@pytest.mark.parametrize(
    ("now", "code"),
    [
        (START - MAX_SKEW, ""),
        (START - MAX_SKEW - 1, "RequestTimeTooSkewed"),
        (END, ""),
        (END + 1, "RequestTimeTooSkewed"),
    ],
)
def test_a_signature_is_for_a_span_of_time(now: float, code: str) -> None:
    """A client's clock may be ahead a little."""
    assert refusal(PUT, now) == code


def test_another_key_makes_another_signature() -> None:
    """Nobody without the key signs."""
    given = dict(parse_qsl(PUT.headers["authorization"], keep_blank_values=True))
    assert signature(PUT, given, KEYS["AKIDLOCALGATEWAY"]) == given["q-signature"]
    assert signature(PUT, given, "another") != given["q-signature"]


def test_signatures_are_not_looked_at_where_that_is_asked_for() -> None:
    """Even none is enough."""
    Signers(KEYS, lambda: 0.0, accept_any=True).check(replace(PUT, headers={}))
