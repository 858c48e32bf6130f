"""`gateway fault`: what is said, what is live then, and who else tells of it."""

from __future__ import annotations

from http.client import HTTPConnection
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from gateway.cli.fault import latency_of
from gateway.cli.picture import fault_words

if TYPE_CHECKING:
    from tests.cli.conftest import Answered, Call, Running


def said(call: Call, *arguments: str) -> str:
    """What a command that succeeds says in words."""
    result = call(*arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


@pytest.mark.sockets
def test_a_fault_is_set_seen_and_cleared(running: Running, call: Call, answered: Answered) -> None:
    """By every command that tells of versions."""
    assert said(call, "fault", "list") == "FUNCTION  VERSION  FAULT\n"
    assert said(call, "fault", "set", "orders", "2", "--errors", "0.05") == (
        "fault of orders version 2  5 % errors (430)   (new)   revision 2\n"
    )
    assert said(
        call, "fault", "set", "orders", "2", "--errors", "1", "--latency", "uniform:0.1,0.5"
    ) == (
        "fault of orders version 2  100 % errors (430), latency 0.1 to 0.5 s   "
        "(was 5 % errors (430))   revision 3\n"
    )
    assert said(call, "fault", "list") == (
        "FUNCTION  VERSION  FAULT\norders    2        100 % errors (430), latency 0.1 to 0.5 s\n"
    )
    fault = {"errors": 1.0, "status": 430, "latency": {"uniform": [0.1, 0.5]}}
    assert answered("fault", "list") == {"orders": {"2": fault}}
    assert (
        "\nfault: orders version 2  100 % errors (430), latency 0.1 to 0.5 s\nrevision 3   "
    ) in said(call, "status")
    explain = ("explain", "--live", "--stage", "prepub", "-H", "User: Bob", "GET", "/orders/7")
    assert said(call, *explain).endswith(
        "version    2 (rule:1)\nfault      100 % errors (430), latency 0.1 to 0.5 s\n"
    )
    assert said(call, "fault", "clear", "orders", "2") == (
        "fault of orders version 2  deleted   "
        "(was 100 % errors (430), latency 0.1 to 0.5 s)   revision 4\n"
    )
    assert "fault" not in said(call, "status")
    assert "fault" not in said(call, *explain)
    assert running.gateway.live.snapshot.functions["orders"].faults == {}


@pytest.mark.sockets
def test_a_version_that_callers_named_has_a_line_in_the_status(
    running: Running, call: Call
) -> None:
    """So that a rehearsal through its function URL is seen."""
    said(call, "fault", "set", "orders", "2", "--errors", "1")
    address = urlsplit(running.data).netloc
    for host in ("orders--2", "orders--2", "orders"):
        connection = HTTPConnection(address, timeout=10)
        connection.request("GET", "/", headers={"Host": f"{host}.fn.localhost"})
        connection.getresponse().read()
        connection.close()
    lines = [line.split() for line in said(call, "status").splitlines()]
    assert ["orders", "2", "2", "100", "%", "100", "%", "2", "2"] in lines
    assert ["orders", "$DEFAULT", "$LATEST", "100", "%", "100", "%", "1", "0"] in lines


@pytest.mark.sockets
@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        pytest.param(
            ("clear", "orders", "1"),
            5,
            "version '1' of function 'orders' has no fault; there is none",
            id="no fault",
        ),
        pytest.param(
            ("set", "orders", "9", "--errors", "0.1"),
            5,
            "function 'orders' has no version '9'",
            id="no version",
        ),
        pytest.param(
            ("set", "order", "1", "--errors", "1"), 5, "did you mean 'orders'?", id="typo"
        ),
    ],
)
def test_what_is_not_there_is_told(
    running: Running, call: Call, arguments: tuple[str, ...], code: int, sentence: str
) -> None:
    """And nothing is altered."""
    result = call("fault", *arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert sentence in result.stderr
    assert running.gateway.live.snapshot.revision == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param((), "does nothing; it needs a share of errors", id="nothing"),
        pytest.param(("--errors", "5%"), "write 0.05", id="percent"),
        pytest.param(("--errors", "2"), "'2' is no weight", id="above one"),
        pytest.param(("--errors", "1", "--status", "200"), "430<=x<=599", id="no error"),
        pytest.param(("--latency", "slow"), "'slow' is no latency; allowed: 0.2,", id="a word"),
        pytest.param(("--latency", "uniform:0.5,0.1"), "the shortest and the longest", id="order"),
        pytest.param(("--latency", "unifrm:1,2"), "did you mean 'uniform'?", id="a typo"),
        pytest.param(("--latency", "1,2"), "must be a number or a table", id="two numbers"),
        pytest.param(("--latency", "2000"), "not in milliseconds", id="milliseconds"),
    ],
)
def test_mistakes_are_told_before_anything_is_asked(
    call: Call, arguments: tuple[str, ...], sentence: str
) -> None:
    """No gateway runs here."""
    result = call("fault", "set", "orders", "2", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert sentence in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    ("text", "written", "words"),
    [
        pytest.param("0.25", 0.25, "latency 0.25 s", id="fixed"),
        pytest.param("uniform:0,1", {"uniform": [0.0, 1.0]}, "latency 0 to 1 s", id="uniform"),
        pytest.param(
            "exponential:0.2", {"exponential": 0.2}, "latency 0.2 s on average", id="exponential"
        ),
        pytest.param(
            "normal: 2, 0.5",
            {"normal": [2.0, 0.5]},
            "latency 2 s, give or take 0.5 s",
            id="normal",
        ),
    ],
)
def test_a_latency_is_written_and_told(text: str, written: object, words: str) -> None:
    """As the API has it, and as people read it."""
    assert latency_of(text) == written
    assert fault_words({"errors": 0.0, "status": 430, "latency": written}) == words
