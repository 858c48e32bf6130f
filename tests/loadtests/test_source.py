"""A recording is sent as it was; a log is sent by the users that a test is about."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import pytest

from gateway.traffic.recording import Recorded, write
from loadtests.expectations import Misuse
from loadtests.source import SAMPLE, read_log, read_recording, source
from loadtests.traffic import BOB, OTHERS, as_recorded


def options(test: str, keys: int | None = None, recording: str | None = None) -> Namespace:
    """What the options of a test say of its traffic."""
    return Namespace(load_test=test, access_log=str(SAMPLE), recording=recording, keys=keys)


def test_a_recorded_request_is_sent_as_it_was() -> None:
    """But for what belongs to the connection, and for the stage."""
    headers = (("user", "Bob"), ("X-Tag", "a"), ("X-Tag", "b"), ("Host", "shop"),
               ("Content-Length", "2"))  # fmt: skip
    recorded = Recorded(0.5, "PUT", "/orders/7", "size=2", headers, b"{}", "42")
    step = as_recorded(recorded)
    assert (step.who, step.method, step.path) == (BOB, "PUT", "/orders/7?size=2")
    assert (step.headers, step.body) == ({"user": "Bob", "X-Tag": "a, b"}, b"{}")
    assert step.user == "42"
    plain = as_recorded(Recorded(0.5, "GET", "/orders"))
    assert (plain.who, plain.path, plain.body, plain.user) == (OTHERS, "/orders", None, "")


def test_a_recording_is_a_source(tmp_path: Path) -> None:
    """Its users are its own, even where a test invents some for a log."""
    path = tmp_path / "traffic.jsonl"
    path.write_bytes(b"".join(write(Recorded(n, "GET", f"/{n}", user="Ada")) for n in range(3)))
    found = source(options("sticky", recording=str(path)))
    assert [step.path for step in found.steps] == ["/0", "/1", "/2"]
    assert {step.user for step in found.steps} == {"Ada"}
    assert (found.facts["lines"], found.facts["clients"]) == (3, 1)
    invented = source(options("sticky", 5, str(path)))
    assert len({step.user for step in invented.steps}) == 5


UNUSABLE = {
    "no file": (None, "it cannot be read: No such file"),
    "nothing in it": (b"\n", "there is no request in it"),
    "no recording": (b"GET /\n", "line 1: it is no JSON"),
}


@pytest.mark.parametrize(("content", "said"), UNUSABLE.values(), ids=UNUSABLE)
def test_what_is_no_recording_is_refused(tmp_path: Path, content: bytes | None, said: str) -> None:
    """With its name and the reason."""
    path = tmp_path / "traffic.jsonl"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Misuse, match=said) as refused:
        read_recording(str(path))
    assert str(refused.value).startswith(f"{path} is no usable recording: ")


def test_a_log_that_is_none_is_refused() -> None:
    """The same way."""
    with pytest.raises(Misuse, match="is no usable access log: it cannot be read"):
        read_log("no such file")


@pytest.mark.parametrize(
    ("test", "keys", "said"),
    [
        ("distribution", None, "Bob is the busiest client of the log"),
        ("sticky", None, "7,000 users take turns"),
        ("sticky", 0, "Bob is the busiest client of the log"),
        ("rules", None, "Bob is the busiest client of the log"),
    ],
)
def test_a_test_has_the_users_that_it_is_about(test: str, keys: int | None, said: str) -> None:
    """Its own, those of the log, or as many as were asked for."""
    found = source(options(test, keys))
    assert found.users == said
    assert (len(found.steps) > len(read_log(str(SAMPLE)).steps)) == (
        test == "rules" or (keys is None and test == "sticky")
    )
