"""Where a back end is, by its url."""

from __future__ import annotations

import pytest

from gateway.dataplane.backends_address import take_apart
from gateway.dataplane.backends_answer import BackendFailed
from gateway.dataplane.dialling import Origin


@pytest.mark.parametrize(
    ("url", "origin", "host", "path"),
    [
        ("http://127.0.0.1:9000", ("127.0.0.1", 9000, False), b"127.0.0.1:9000", ""),
        ("HTTP://Back.Test/api/", ("back.test", 80, False), b"back.test", "/api/"),
        ("http://back.test:80", ("back.test", 80, False), b"back.test", ""),
        ("https://back.test", ("back.test", 443, True), b"back.test", ""),
        ("https://back.test:80/a", ("back.test", 80, True), b"back.test:80", "/a"),
        ("http://[::1]:9000/a", ("::1", 9000, False), b"[::1]:9000", "/a"),
        ("http://[fd00::1]", ("fd00::1", 80, False), b"[fd00::1]", ""),
    ],
)
def test_a_url_is_taken_apart(
    url: str, origin: tuple[str, int, bool], host: bytes, path: str
) -> None:
    """The port is named where it is not the usual one."""
    place = take_apart(url)
    assert place.origin == Origin(*origin)
    assert (place.host, place.path) == (host, path)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "names no host"),
        ("back.test", "names no host"),
        ("http:///path", "names no host"),
        ("ftp://back.test", "names no host"),
        ("http://back.test:port", "cannot be read"),
        ("http://[::1", "cannot be read"),
        ("http://b\u00fccher.test", "cannot be read"),
    ],
)
def test_a_url_that_names_nobody_fails(url: str, why: str) -> None:
    """Whatever let it in."""
    with pytest.raises(BackendFailed, match=why):
        take_apart(url)
