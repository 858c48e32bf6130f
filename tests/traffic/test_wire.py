"""Targets and headers as recordings keep them: what HTTP can carry, and nothing else."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.traffic.recording_line import METHOD, PATH, QUERY, VALUE
from gateway.traffic.wire import (
    NoTarget,
    bytewise,
    header,
    is_method,
    query_of,
    split_target,
    with_host,
)

BYTES = st.text(st.characters(max_codepoint=0xFF))

TARGETS = {
    "a path": ("/a/b", ("/a/b", "", "")),
    "a query": ("/a?b=1&c", ("/a", "b=1&c", "")),
    "a question mark in the query": ("/a?b?c", ("/a", "b?c", "")),
    "two question marks": ("/a??b", ("/a", "?b", "")),
    "nothing behind the question mark": ("/a?", ("/a", "", "")),
    "an encoded path": ("/%C3%BC", ("/%C3%BC", "", "")),
    "bytes of a path": ("/\xc3\xbc?\xff", ("/%C3%BC", "%FF", "")),
    "a space": ("/a b?c d", ("/a%20b", "c%20d", "")),
    "a fragment": ("/a#b?c#d", ("/a%23b", "c%23d", "")),
    "a whole address": ("http://shop:80/a?b", ("/a", "b", "shop:80")),
    "an address with a user": ("HTTPS://u:p@shop/a", ("/a", "", "shop")),
    "an address without a path": ("http://shop", ("/", "", "shop")),
    "an address of WebSockets": ("wss://shop/a", ("/a", "", "shop")),
}


@pytest.mark.parametrize(("target", "parts"), TARGETS.values(), ids=TARGETS)
def test_targets(target: str, parts: tuple[str, str, str]) -> None:
    """Path, query and host."""
    assert split_target(target) == parts


@pytest.mark.parametrize("target", ["*", "", "shop:443", "ftp://a/b", "data:a", "http://[::1/a"])
def test_targets_without_a_path(target: str) -> None:
    """They cannot be sent to a stage."""
    with pytest.raises(NoTarget):
        split_target(target)


@given(BYTES)
def test_any_bytes_make_a_path_and_a_query(text: str) -> None:
    """That a recording takes."""
    path, query, host = split_target(f"/{text}")
    assert re.fullmatch(PATH, path)
    assert re.fullmatch(QUERY, query)
    assert host == ""
    assert re.fullmatch(QUERY, query_of(text))


@given(BYTES, BYTES)
def test_any_bytes_make_a_header_or_none(name: str, value: str) -> None:
    """That a recording takes."""
    pair = header(name, value)
    if pair is not None:
        assert re.fullmatch(METHOD, pair[0])
        assert re.fullmatch(VALUE, pair[1])


@pytest.mark.parametrize(
    ("name", "value", "pair"),
    [
        ("User", "Bob", ("User", "Bob")),
        ("X", "a\r\nb\tc\x00", ("X", "ab\tc")),
        ("Content-Length", "3", None),
        ("TRANSFER-ENCODING", "chunked", None),
        (":authority", "shop", None),
        ("", "a", None),
    ],
    ids=["usual", "control characters", "a length", "framing", "of HTTP/2", "no name"],
)
def test_headers(name: str, value: str, pair: tuple[str, str] | None) -> None:
    """Framing is left out."""
    assert header(name, value) == pair


@pytest.mark.parametrize(
    ("method", "known"), [("GET", True), ("PURGE", True), ("get it", False), ("", False)]
)
def test_methods(method: str, *, known: bool) -> None:
    """Any name of HTTP."""
    assert is_method(method) is known


def test_a_host_is_added_where_there_is_none() -> None:
    """And never twice."""
    assert with_host((("A", "b"),), "shop") == (("Host", "shop"), ("A", "b"))
    assert with_host((("host", "x"),), "shop") == (("host", "x"),)
    assert with_host((), "") == ()
    assert with_host((), "sh\x00op") == (("Host", "shop"),)


def test_text_is_kept_byte_by_byte() -> None:
    """Half a surrogate pair is no text."""
    assert bytewise("ü") == "\xc3\xbc"
    assert bytewise("\ud800") == "?"
