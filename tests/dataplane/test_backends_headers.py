"""Which headers go through, in either direction, and which requests do not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dataplane.backends_answer import Head
from gateway.dataplane.backends_headers import MAX_PASSES, Onward, RequestRefused, back, onward

Headers = list[tuple[bytes, bytes]]

OWN = [
    b"via: 1.1 gateway-simulator",
    b"x-forwarded-for: 10.0.0.7",
    b"x-real-ip: 10.0.0.7",
    b"x-client-proto: http",
    b"x-client-proto-ver: HTTP/1.1",
    b"x-api-scheme: http",
    b"x-api-requestid: abc",
    b"x-b3-traceid: abc",
]
"""What the gateway says itself, last of all."""


def sent(headers: Headers, method: str = "GET", target: bytes = b"/x", **more: Any) -> Onward:  # noqa: ANN401
    """A request on its way."""
    scope = {
        "method": method,
        "headers": headers,
        "client": ("10.0.0.7", 5),
        "scheme": "http",
        "http_version": "1.1",
        **more,
    }
    return onward(scope, target, b"back.test", "abc")


def lines(headers: Headers, method: str = "GET") -> list[bytes]:
    """The header lines between the back end's host and the gateway's own."""
    first, host, *rest = sent(headers, method).head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    assert first == method.encode() + b" /x HTTP/1.1"
    assert host == b"host: back.test"
    assert rest[-len(OWN) :] == OWN
    return rest[: -len(OWN)]


def test_what_is_not_of_this_hop_goes_through_in_its_order() -> None:
    """Repeated names too."""
    headers = [
        (b"x-b", b"2"),
        (b"x-a", b"1"),
        (b"x-b", b"\xfc"),
        (b"cookie", b"a=1"),
        (b"x-e", b""),
    ]
    assert lines(headers) == [b"x-b: 2", b"x-a: 1", b"x-b: \xfc", b"cookie: a=1", b"x-e: "]


@pytest.mark.parametrize(
    "name",
    [
        "connection", "keep-alive", "te", "trailer", "upgrade", "expect",
        "proxy-authenticate", "proxy-authorization", "proxy-connection", "proxy-anything",
        "forwarded", "host", "x-forwarded-for", "x-forwarded-host", "x-forwarded-port",
        "x-forwarded-proto", "x-real-ip", "x-client-proto", "x-client-proto-ver",
        "x-api-requestid", "x-api-scheme", "x-b3-traceid", "x-gateway-version",
        "x_gateway_version", "x_real_ip", "x_forwarded-for", "any_thing", "_",
    ],
)  # fmt: skip
def test_what_belongs_to_a_hop_or_to_the_gateway_stays_behind(name: str) -> None:
    """And so does every name that a server may read as another one."""
    assert lines([(b"x-a", b"1"), (name.encode(), b"evil"), (b"x-b", b"2")]) == [
        b"x-a: 1",
        b"x-b: 2",
    ]


def test_what_connection_names_stays_behind() -> None:
    """In every line of it, whatever its case."""
    headers = [
        (b"connection", b"close, X-Hop ,"),
        (b"x-hop", b"1"),
        (b"x-stays", b"1"),
        (b"connection", b"x-leap"),
        (b"x-leap", b"1"),
    ]
    assert lines(headers) == [b"x-stays: 1"]


@pytest.mark.parametrize(
    "name",
    ["Host", "content-length", "expect", "Forwarded", "via", "X-Forwarded-For", "x-forwarded-by",
     "x-real-ip", "X-Api-RequestId", "x-b3-traceid", "X-Gateway-Stage", "X_Gateway_Stage"],
)  # fmt: skip
def test_connection_may_not_name_what_others_rely_on(name: str) -> None:
    """No caller takes the gateway's word off a request."""
    with pytest.raises(RequestRefused, match=r"Bad Request\.") as refused:
        sent([(b"connection", b"keep-alive, " + name.encode())])
    assert refused.value.status == 400


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_no_connection_header_removes_what_the_gateway_says(one: bytes, other: bytes) -> None:
    """Either the request is refused, or every line of ours is there."""
    try:
        lines([(b"connection", one), (b"connection", other)])
    except RequestRefused as refused:
        assert refused.status == 400  # noqa: PT017


@pytest.mark.parametrize(
    ("method", "headers", "framing", "flags"),
    [
        ("GET", [], [], (False, False, False)),
        ("DELETE", [], [], (False, False, False)),
        ("POST", [], [b"content-length: 0"], (False, False, False)),
        ("PUT", [], [b"content-length: 0"], (False, False, False)),
        ("POST", [(b"content-length", b"3")], [b"content-length: 3"], (True, False, False)),
        ("GET", [(b"content-length", b"3")], [b"content-length: 3"], (True, False, False)),
        ("POST", [(b"transfer-encoding", b"chunked")], [b"transfer-encoding: chunked"],
         (True, True, False)),
        ("POST", [(b"transfer-encoding", b"chunked"), (b"content-length", b"3")],
         [b"transfer-encoding: chunked"], (True, True, False)),
        ("POST", [(b"content-length", b"3"), (b"expect", b"100-Continue")],
         [b"content-length: 3", b"expect: 100-continue"], (True, False, True)),
        ("POST", [(b"expect", b"100-continue")], [b"content-length: 0"], (False, False, False)),
        ("POST", [(b"content-length", b"3"), (b"expect", b"miracles")], [b"content-length: 3"],
         (True, False, False)),
    ],
)  # fmt: skip
def test_a_body_is_framed_once(
    method: str, headers: Headers, framing: list[bytes], flags: tuple[bool, bool, bool]
) -> None:
    """By its length or in chunks, never both."""
    request = sent(headers, method)
    assert lines(headers, method) == framing
    assert (request.has_body, request.is_chunked, request.expects) == flags


@pytest.mark.parametrize(
    ("method", "headers", "is_repeatable"),
    [
        ("GET", [], True),
        ("DELETE", [], True),
        ("POST", [], False),
        ("PATCH", [], False),
        ("PUT", [(b"content-length", b"3")], False),
    ],
)
def test_what_may_arrive_twice(method: str, headers: Headers, is_repeatable: bool) -> None:
    """Idempotent requests whose body is not read already."""
    assert sent(headers, method).is_repeatable is is_repeatable


def test_via_grows_by_one_entry() -> None:
    """Behind those of others."""
    assert lines([(b"via", b"1.0 fred"), (b"via", b"1.1 gateway-simulator")]) == [
        b"via: 1.0 fred",
        b"via: 1.1 gateway-simulator",
    ]
    spoken = sent([], http_version="1.0").head
    assert b"\r\nvia: 1.0 gateway-simulator\r\n" in spoken


def test_a_request_that_runs_in_circles_is_stopped() -> None:
    """Counted over all lines, and only where the name is whole."""
    once = b"1.1 Gateway-Simulator (comment)"
    others = (b"via", b"1.1 gateway-simulators, 1.1 my-gateway-simulator")
    passing = [(b"via", b", ".join([once] * (MAX_PASSES - 1))), others]
    assert len(lines(passing)) == 2
    with pytest.raises(RequestRefused, match="Loop Detected") as refused:
        sent([*passing, (b"via", once)])
    assert refused.value.status == 508


@pytest.mark.parametrize(
    ("method", "value", "onwards"),
    [
        ("OPTIONS", b"10", b"9"),
        ("TRACE", b"1", b"0"),
        ("OPTIONS", b"many", b"many"),
        ("OPTIONS", b"-1", b"-1"),
        ("GET", b"0", b"0"),
    ],
)
def test_max_forwards_counts_down(method: str, value: bytes, onwards: bytes) -> None:
    """For the two methods that it is for."""
    assert lines([(b"x-a", b"max-forwards"), (b"max-forwards", value), (b"x-b", b"1")], method) == [
        b"x-a: max-forwards",
        b"max-forwards: " + onwards,
        b"x-b: 1",
    ]


@pytest.mark.parametrize(
    ("method", "status", "text"),
    [("OPTIONS", 200, ""), ("TRACE", 405, "Method Not Allowed.")],
)
def test_after_the_last_hop_the_gateway_answers(method: str, status: int, text: str) -> None:
    """And repeats nobody's credentials."""
    with pytest.raises(RequestRefused) as refused:
        sent([(b"max-forwards", b"0")], method)
    assert (refused.value.status, refused.value.text) == (status, text)


@pytest.mark.parametrize("target", [b"", b"/a b", b"/a\r\nx: y", b"/\x00", b"/\x7f"])
def test_a_target_that_would_break_the_line_is_refused(target: bytes) -> None:
    """Whatever let it in."""
    with pytest.raises(RequestRefused):
        sent([], target=target)


def test_a_caller_without_an_address_has_none() -> None:
    """As over a Unix socket."""
    assert b"\r\nx-forwarded-for: \r\nx-real-ip: \r\n" in sent([], client=None).head


@pytest.mark.parametrize(
    ("headers", "listed", "kept"),
    [
        pytest.param(
            [(b"x-b", b"2"), (b"set-cookie", b"a"), (b"x-b", b"1"), (b"set-cookie", b"b")], b"",
            [(b"x-b", b"2"), (b"set-cookie", b"a"), (b"x-b", b"1"), (b"set-cookie", b"b")],
            id="order and duplicates",
        ),
        pytest.param(
            [(b"connection", b"x-hop"), (b"x-hop", b"1"), (b"x-a", b"1")], b"close, X-Hop",
            [(b"x-a", b"1")], id="named by connection",
        ),
        pytest.param(
            [(b"content-length", b"5")], b"content-length", [(b"content-length", b"5")],
            id="a length cannot be named",
        ),
        pytest.param(
            [(b"transfer-encoding", b"chunked"), (b"keep-alive", b"5"), (b"trailer", b"x"),
             (b"upgrade", b"h2"), (b"proxy-authenticate", b"x"), (b"date", b"now"),
             (b"x-api-requestid", b"theirs"), (b"x-gateway-stage", b"lie"),
             (b"x_gateway_stage", b"lie"), (b"proxy-status", b"ok")], b"",
            [(b"proxy-status", b"ok")], id="of the hop, or the gateway's own",
        ),
    ],
)  # fmt: skip
def test_what_comes_back(headers: Headers, listed: bytes, kept: Headers) -> None:
    """All but what belongs to the hop."""
    assert back(Head(200, headers, listed), with_length=True) == kept


def test_a_length_comes_back_only_where_it_is_wanted() -> None:
    """Where the server below counts itself, there would be two."""
    head = Head(200, [(b"content-length", b"5"), (b"x-a", b"1")], b"")
    assert back(head, with_length=False) == [(b"x-a", b"1")]
