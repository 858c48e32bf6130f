"""Lines of an access log become requests that the example can answer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests import traffic
from loadtests.options import SAMPLE, read_log
from loadtests.traffic import BOB, OTHERS, Entry

AGENT = '"https://shop.example/" "Mozilla/5.0 (X11; \\"quoted\\")"'
TIME = "[02/Mar/2026:09:00:00 +0000]"


def line(request: str, client: str = "192.0.2.1") -> str:
    """A line in combined format."""
    return f'{client} - - {TIME} "{request}" 200 512 {AGENT}\n'


READABLE = {
    "combined": (line("GET /tea HTTP/1.1"), Entry("192.0.2.1", "GET", "/tea")),
    "common": (
        f'192.0.2.1 - - {TIME} "GET /tea HTTP/1.1" 200 512\n',
        Entry("192.0.2.1", "GET", "/tea"),
    ),
    "a user with a space": (
        f'192.0.2.1 - Ada L {TIME} "GET /tea HTTP/2.0" 304 -',
        Entry("192.0.2.1", "GET", "/tea"),
    ),
    "IPv6": (line("HEAD / HTTP/1.1", "2001:db8::7"), Entry("2001:db8::7", "HEAD", "/")),
    "a host name": (line("GET / HTTP/1.1", "a-b.example"), Entry("a-b.example", "GET", "/")),
    "no protocol": (line("GET /tea"), Entry("192.0.2.1", "GET", "/tea")),
}

MALFORMED = {
    "words": "not a line of a log\n",
    "no request": f'192.0.2.1 - - {TIME} "-" 408 0 "-" "-"\n',
    "no method": f'192.0.2.1 - - {TIME} "/tea HTTP/1.1" 200 5 "-" "-"\n',
    "a handshake": f'192.0.2.1 - - {TIME} "\\x16\\x03\\x01" 400 0 "-" "-"\n',
    "no status": f'192.0.2.1 - - {TIME} "GET /tea HTTP/1.1" - 5 "-" "-"\n',
    "a header in the address": line("GET / HTTP/1.1", "192.0.2.1\r\nUser:"),
    "cut": line("GET /tea HTTP/1.1")[:40],
}


@pytest.mark.parametrize(("text", "entry"), READABLE.values(), ids=READABLE)
def test_a_line_says_who_asked_for_what(text: str, entry: Entry) -> None:
    """Both formats, and what real logs hold."""
    assert traffic.parse([text]).entries == (entry,)


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_line_is_counted_and_left_out(text: str) -> None:
    """It is never fatal."""
    log = traffic.parse([line("GET / HTTP/1.1"), "\n", text])
    assert (len(log.entries), log.malformed, log.numbers) == (1, 1, (3,))
    assert log.complaint == "1 of 2 lines is malformed and left out: line 3"


def test_of_many_malformed_lines_the_first_are_named() -> None:
    """The numbers are those of the file."""
    log = traffic.parse([line("GET / HTTP/1.1"), *["?"] * 7])
    assert log.complaint == "7 of 8 lines are malformed and left out: line 2, 3, 4, 5, 6, ..."


def test_a_log_without_malformed_lines_has_no_complaint() -> None:
    """Silence is golden."""
    assert traffic.parse([line("GET / HTTP/1.1")]).complaint is None


def test_a_log_without_usable_lines_is_refused() -> None:
    """There is nothing to send."""
    with pytest.raises(ValueError, match="no line of the access log"):
        traffic.steps(traffic.parse(["?"]))


def test_the_busiest_client_is_bob() -> None:
    """And the only one; everybody else keeps the address as a name."""
    lines = [line("GET /a HTTP/1.1", client) for client in ("192.0.2.1", "192.0.2.2", "192.0.2.2")]
    steps = traffic.steps(traffic.parse(lines))
    assert [step.who for step in steps] == [OTHERS, BOB, BOB]
    assert [step.headers["User"] for step in steps] == ["192.0.2.1", "Bob", "Bob"]


MAPPED = {
    "a page": ("GET /tea/oolong?size=2 HTTP/1.1", "GET", "/orders/{id}"),
    "a list": ("GET /tea/ HTTP/1.1", "GET", "/orders"),
    "the root": ("GET /?q=1 HTTP/1.1", "GET", "/orders"),
    "a whole URL": ("GET http://shop.example HTTP/1.1", "GET", "/orders"),
    "a broken URL": ("GET http://[shop HTTP/1.1", "GET", "/orders/{id}"),
    "HEAD": ("HEAD /tea HTTP/1.1", "GET", "/orders/{id}"),
    "OPTIONS": ("OPTIONS * HTTP/1.1", "GET", "/orders/{id}"),
    "DELETE": ("DELETE /tea HTTP/1.1", "GET", "/orders/{id}"),
    "POST": ("POST /basket HTTP/1.1", "POST", "/orders"),
    "PUT": ("PUT /basket/1 HTTP/1.1", "POST", "/orders"),
}


@pytest.mark.parametrize(("request_line", "method", "name"), MAPPED.values(), ids=MAPPED)
def test_a_line_becomes_a_request_to_the_example(request_line: str, method: str, name: str) -> None:
    """Every version answers it."""
    (step,) = traffic.steps(traffic.parse([line(request_line)]))
    assert (step.method, step.name) == (method, name)
    assert (step.body is not None) == (method == "POST")


@given(st.from_regex(r"/[!-~]{0,40}", fullmatch=True).filter(lambda target: '"' not in target))
def test_the_same_target_is_the_same_order_within_the_catalogue(target: str) -> None:
    """In every process: nothing depends on Python's own hashes."""
    entries = (Entry("192.0.2.1", "GET", target), Entry("192.0.2.2", "GET", target))
    first, second = traffic.steps(traffic.Log(entries, 0, ()))
    assert first.path == second.path
    if first.name == "/orders/{id}":
        assert 1 <= int(first.path.removeprefix("/orders/")) <= traffic.ORDERS


def test_a_placed_order_is_one_that_the_example_takes() -> None:
    """An item and a quantity."""
    (step,) = traffic.steps(traffic.parse([line("POST /basket HTTP/1.1")]))
    wish = json.loads(step.body or "")
    assert wish["item"] in {"tea", "cup", "kettle"}
    assert 1 <= wish["quantity"] <= 12
    assert step.headers["Content-Type"] == "application/json"


def test_the_sample_is_whole_and_skewed() -> None:
    """Invented addresses from the ranges for documents, a few busy ones and many rare ones."""
    log, steps = read_log(str(SAMPLE))
    clients = {entry.client for entry in log.entries}
    assert not log.malformed
    assert len(clients) >= 36
    assert all(client.startswith(("192.0.2.", "198.51.100.", "203.0.113.")) for client in clients)
    assert {entry.method for entry in log.entries} == {"GET", "HEAD", "POST"}
    assert 0.1 < sum(step.who == BOB for step in steps) / len(steps) < 0.4


def test_bytes_that_are_no_text_are_malformed_lines(tmp_path: Path) -> None:
    """A log is written by whoever calls."""
    path = tmp_path / "access.log"
    path.write_bytes(line("GET / HTTP/1.1").encode() + b"\xff\xfe\x00 - -\n")
    log, _ = read_log(str(path))
    assert (len(log.entries), log.malformed) == (1, 1)
