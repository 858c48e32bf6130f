"""Paths, hosts and headers: what becomes of them, and what cannot be meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import Refused
from gateway.traffic.mapping import HeaderEdit, HostMap, PathMap

PATHS = {
    "a leading part": ("/shop/ -> /", "/shop/a/b", "/a/b"),
    "the part alone": ("/shop/ -> /", "/shop/", "/"),
    "the part without its slash": ("/shop/ -> /", "/shop", None),
    "a segment": ("/shop -> /", "/shop", "/"),
    "a segment with more": ("/shop -> /", "/shop/a", "/a"),
    "half a segment": ("/shop -> /", "/shopping", None),
    "another path": ("/shop -> /", "/other", None),
    "everything": ("/ -> /api", "/a", "/api/a"),
    "everything, and nothing of it": ("/ -> /api", "/", "/api/"),
    "another part": ("/v1/shop -> /v2", "/v1/shop/a", "/v2/a"),
    "an expression": (r"~/v[0-9]+(/.*) -> \1", "/v12/a", "/a"),
    "a part of an expression": ("~/v[0-9]+ -> /", "/v12/a", None),
    "groups": (r"~/(a)/(b)? -> /x\2/y\1", "/a/", "/x/ya"),
    "everything by an expression": ("~.* -> /orders/1", "/a/b", "/orders/1"),
    "a group without a slash": (r"~/(.*) -> \1", "/a", "/a"),
    "an arrow in an expression": ("~/a->b -> /c", "/a->b", "/c"),
}


@pytest.mark.parametrize(("text", "path", "mapped"), PATHS.values(), ids=PATHS)
def test_paths(text: str, path: str, mapped: str | None) -> None:
    """Leading segments, or the whole by an expression."""
    assert PathMap.parse(text).mapped(path) == mapped


BAD_PATHS = {
    "no arrow": ("/a", "is no 'FROM -> TO'; for example: /shop/ -> /"),
    "nothing on the left": ("-> /a", "is no 'FROM -> TO'"),
    "nothing on the right": ("/a ->", "is no 'FROM -> TO'"),
    "no path on the left": ("a -> /b", "'a' in 'a -> /b' is no path; it begins with '/'"),
    "a query on the right": ("/a -> /b?c", "'/b?c' in '/a -> /b?c' is no path"),
    "no expression": ("~( -> /a", "'(' is not a regular expression of RE2: "),
    "half a surrogate pair": ("~\ud800 -> /a", "is not a regular expression of RE2: "),
    "a group that is not there": (r"~/(a) -> /\2", "names group 2; the expression has 1"),
    "another escape": (r"~/a -> /\g<0>", r"allowed: percent-encoded ASCII, and \1 to \9"),
    "no path by an expression": ("~/a -> /b c", "'/b c' is no path"),
}


@pytest.mark.parametrize(("text", "sentence"), BAD_PATHS.values(), ids=BAD_PATHS)
def test_path_maps_that_cannot_be_meant(text: str, sentence: str) -> None:
    """With what is wrong."""
    with pytest.raises(Refused) as refused:
        PathMap.parse(text)
    assert refused.value.code == "bad-mapping"
    assert sentence in str(refused.value)


HOSTS = {
    "a host": ("shop.example -> x:1", "shop.example", "x:1"),
    "its port does not count": ("shop.example -> x", "shop.example:8080", "x"),
    "nor does its case": ("Shop.Example -> x", "SHOP.example", "x"),
    "a host with a port": ("shop:80 -> x", "shop:80", "x"),
    "another port": ("shop:80 -> x", "shop:81", None),
    "another host": ("shop -> x", "other", None),
    "any host": ("* -> x", "other", "x"),
    "no host": ("shop -> x", None, None),
    "any host and none": ("* -> x", None, "x"),
}


@pytest.mark.parametrize(("text", "host", "mapped"), HOSTS.values(), ids=HOSTS)
def test_hosts(text: str, host: str | None, mapped: str | None) -> None:
    """Other headers stay, in their order."""
    headers = (("A", "b"), *((("host", host),) if host else ()), ("C", "d"))
    wanted = None if mapped is None else (("Host", mapped), ("A", "b"), ("C", "d"))
    assert HostMap.parse(text).mapped(headers) == wanted


@pytest.mark.parametrize("text", ["shop", "a/b -> c", "a b -> c", "http://a -> b", "ü -> a"])
def test_host_maps_that_cannot_be_meant(text: str) -> None:
    """With what is wrong."""
    with pytest.raises(Refused) as refused:
        HostMap.parse(text)
    assert refused.value.code == "bad-mapping"


HEADERS = (("A", "1"), ("x-b", "2"), ("X-C", "3"), ("a", "4"))
EDITS: dict[str, tuple[tuple[str, ...], dict[str, str], object]] = {
    "nothing": ((), {}, HEADERS),
    "one goes, however often": (("A",), {}, (("x-b", "2"), ("X-C", "3"))),
    "all that begin so go": (("X-*",), {}, (("A", "1"), ("a", "4"))),
    "all go": (("*",), {}, ()),
    "one comes": ((), {"D": "5"}, (*HEADERS, ("D", "5"))),
    "one takes the place of its like": ((), {"A": "5"}, (*HEADERS[1:3], ("A", "5"))),
    "all go but what comes": (("*",), {"A": "5"}, (("A", "5"),)),
    "the user": ((), {"a": "<{user}>"}, (*HEADERS[1:3], ("a", "<Bob>"))),
    "text beyond Latin": ((), {"a": "Ω"}, (*HEADERS[1:3], ("a", "\xce\xa9"))),
}


@pytest.mark.parametrize(("remove", "put", "edited"), EDITS.values(), ids=EDITS)
def test_headers(remove: tuple[str, ...], put: dict[str, str], edited: object) -> None:
    """What goes goes first."""
    assert HeaderEdit.parse(remove, put).edited(HEADERS, "Bob") == edited


def test_without_a_user_no_header_names_one() -> None:
    """And what was there stays."""
    edit = HeaderEdit.parse((), {"A": "{user}", "D": "5"})
    assert edit.edited(HEADERS, None) == (*HEADERS, ("D", "5"))


@given(st.text())
def test_any_user_fits_into_a_header(user: str) -> None:
    """Whatever a body called it."""
    [(_, value)] = HeaderEdit.parse((), {"User": "{user}"}).edited((), user)
    assert all(letter == "\t" or letter >= " " for letter in value)
    assert value.isascii() or max(value) <= "\xff"
    assert "\x7f" not in value


@pytest.mark.parametrize(
    ("remove", "put"),
    [(("a b",), {}), ((), {"a:": "b"}), ((), {"": "b"}), ((), {"a": "b\nc"}), ((), {"a": "\x7f"})],
    ids=["a space", "a colon", "no name", "two lines", "a control character"],
)
def test_headers_that_cannot_be_meant(remove: tuple[str, ...], put: dict[str, str]) -> None:
    """With what is wrong."""
    with pytest.raises(Refused) as refused:
        HeaderEdit.parse(remove, put)
    assert refused.value.code == "bad-header"


def test_an_edit_of_nothing_is_none() -> None:
    """So that it costs nothing."""
    assert not HeaderEdit()
    assert HeaderEdit.parse(("a",), {})
    assert HeaderEdit.parse((), {"a": ""})
