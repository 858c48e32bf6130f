"""`gateway breaker`: what is said, what is live then, and who else tells of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.cli.breaker import standing_words
from gateway.cli.events import event_line

if TYPE_CHECKING:
    from tests.cli.conftest import Answered, Call, Running

USUAL = "50 % errors of 20+ requests in 10 s: 5 s, then 3 trials"
EARLY = "10 % errors of 1+ requests in 2.5 s: 900 s, then 1 trials"


def said(call: Call, *arguments: str) -> str:
    """What a command that succeeds says in words."""
    result = call(*arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


@pytest.mark.sockets
def test_a_breaker_is_set_seen_and_cleared(
    running: Running, call: Call, answered: Answered
) -> None:
    """By every command that tells of functions."""
    assert said(call, "breaker", "list") == "FUNCTION  BREAKER  VERSION  STATE\n"
    assert said(call, "breaker", "set", "orders", "--errors", "0.5") == (
        f"breaker of orders  {USUAL}   (new)   revision 2\n"
    )
    more = ("--requests", "1", "--window", "2.5", "--pause", "900", "--trials", "1")
    assert said(call, "breaker", "set", "orders", "--errors", "0.1", *more) == (
        f"breaker of orders  {EARLY}   (was {USUAL})   revision 3\n"
    )
    assert "breaker" not in said(call, "status")
    function = running.gateway.live.snapshot.functions["orders"]
    assert function.breaker is not None
    breakers = running.gateway.faults.breakers
    breakers.ask(function.breaker, function.versions["2"]).settle("server")  # type: ignore[union-attr]
    assert f"orders    {EARLY}  1        closed\n" in said(call, "breaker", "list")
    assert "  2        open, for " in said(call, "breaker", "list")
    assert "\nbreaker: orders version 2  open, for " in said(call, "status")
    found = answered("breaker", "list")["orders"]
    assert {each["version"]: each["state"] for each in found["circuits"]}["2"] == "open"
    assert said(call, "breaker", "clear", "orders") == (
        f"breaker of orders  deleted   (was {EARLY})   revision 4\n"
    )
    assert "breaker" not in said(call, "status")


@pytest.mark.sockets
@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        pytest.param(("clear", "orders"), 5, "function 'orders' has no breaker", id="none"),
        pytest.param(("set", "order", "--errors", "1"), 5, "did you mean 'orders'?", id="typo"),
        pytest.param(("set", "orders", "--errors", "50%"), 2, "write 0.5", id="percent"),
        pytest.param(("set", "orders"), 2, "--errors", id="no share"),
        pytest.param(
            ("set", "orders", "--errors", "0", "--pause", "0"),
            2,
            "pause of the breaker of function 'orders' is 0",
            id="two mistakes",
        ),
    ],
)
def test_what_is_wrong_is_told(
    running: Running, call: Call, arguments: tuple[str, ...], code: int, sentence: str
) -> None:
    """And nothing is altered."""
    result = call("breaker", *arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert sentence in result.stderr
    assert running.gateway.live.snapshot.revision == 1


@pytest.mark.parametrize(
    ("state", "opened", "wait", "words"),
    [
        pytest.param("closed", 0, 0.0, "closed", id="never opened"),
        pytest.param("open", 1, 4.25, "open, for 4.2 s more, opened once", id="open"),
        pytest.param("half-open", 1200, 0.0, "half-open, opened 1,200 times", id="often"),
    ],
)
def test_how_a_circuit_stands_in_words(state: str, opened: int, wait: float, words: str) -> None:
    """What is nought is not said."""
    assert standing_words({"state": state, "opened": opened, "wait": wait}) == words


@pytest.mark.parametrize(
    ("state", "wait", "words"),
    [
        pytest.param("open", 5.0, "breaker  orders version 2  open  for 5 s", id="open"),
        pytest.param("closed", 0.0, "breaker  orders version 2  closed", id="closed"),
    ],
)
def test_an_event_of_it_in_a_line(state: str, wait: float, words: str) -> None:
    """As `gateway serve` and `gateway events` write it."""
    data = {"function": "orders", "version": "2", "state": state, "wait": wait}
    assert event_line("breaker", data) == words
