"""Lines of an access log become requests that the example can answer."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.traffic.recording import Recorded
from loadtests import traffic
from loadtests.source import SAMPLE, read_log
from loadtests.traffic import BOB, OTHERS

AGENT = '"https://shop.example/" "Mozilla/5.0 (X11; \\"quoted\\")"'
TIME = "[02/Mar/2026:09:00:00 +0000]"


def line(request: str, client: str = "192.0.2.1", user: str = "-") -> bytes:
    """A line in combined format."""
    return f'{client} - {user} {TIME} "{request}" 200 512 {AGENT}\n'.encode()


def test_what_cannot_be_used_is_counted_and_told_with_its_reason() -> None:
    """It is never fatal."""
    log = traffic.parse([line("GET / HTTP/1.1"), b"\n", b"not a line of a log\n", b"\xff\x00\n"])
    assert (len(log.entries), log.malformed) == (1, 2)
    assert log.complaint == (
        "2 of 3 lines are left out: 2 skipped, not in common or combined format: line 3, 4"
    )


def test_a_log_without_malformed_lines_has_no_complaint() -> None:
    """Silence is golden."""
    assert traffic.parse([line("GET / HTTP/1.1")]).complaint is None


def test_a_log_without_usable_lines_is_refused() -> None:
    """There is nothing to send."""
    with pytest.raises(ValueError, match="no line of it"):
        traffic.steps(traffic.parse([b"?"]))


def test_the_busiest_user_is_bob() -> None:
    """And the only one; everybody else keeps the address, or the name that was logged."""
    lines = [line("GET /a HTTP/1.1", client) for client in ("192.0.2.1", "192.0.2.2", "192.0.2.2")]
    steps = traffic.steps(traffic.parse([*lines, line("GET /a HTTP/1.1", user="Ada")]))
    assert [step.who for step in steps] == [OTHERS, BOB, BOB, OTHERS]
    assert [step.headers["User"] for step in steps] == ["192.0.2.1", "Bob", "Bob", "Ada"]
    assert [step.user for step in steps] == ["192.0.2.1", "Bob", "Bob", "Ada"]


MAPPED = {
    "a page": ("GET /tea/oolong?size=2 HTTP/1.1", "GET", "/orders/{id}"),
    "a list": ("GET /tea/ HTTP/1.1", "GET", "/orders"),
    "the root": ("GET /?q=1 HTTP/1.1", "GET", "/orders"),
    "a whole URL": ("GET http://shop.example HTTP/1.1", "GET", "/orders"),
    "HEAD": ("HEAD /tea HTTP/1.1", "GET", "/orders/{id}"),
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


@given(st.from_regex(r"/[!-~]{0,40}", fullmatch=True))
def test_the_same_target_is_the_same_order_within_the_catalogue(path: str) -> None:
    """In every process: nothing depends on Python's own hashes."""
    entries = tuple(Recorded(0, "GET", path, user=f"192.0.2.{n}") for n in (1, 2))
    first, second = traffic.steps(traffic.Log(entries))
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
    sample = read_log(str(SAMPLE))
    users = {step.user for step in sample.steps}
    assert sample.complaint is None
    assert (len(users), sample.facts["malformed"]) == (sample.facts["clients"], 0)
    assert len(users) >= 36
    documents = ("192.0.2.", "198.51.100.", "203.0.113.")
    assert all(user == BOB or user.startswith(documents) for user in users)
    assert sample.facts["bob"].startswith(documents)
    assert 0.1 < sum(step.who == BOB for step in sample.steps) / len(sample.steps) < 0.4


def test_a_log_may_be_compressed(tmp_path: Path) -> None:
    """As rotation leaves it."""
    path = tmp_path / "access.log.1"
    path.write_bytes(gzip.compress(line("GET / HTTP/1.1") * 3))
    assert len(read_log(str(path)).steps) == 3
