"""A failure has the cloud's JSON shape and its words."""

from __future__ import annotations

import pytest

from gateway.core.functions import Configuration, FunctionVersion
from gateway.runtime import UserCodeError
from gateway.runtime.outcome import (
    Outcome,
    failed,
    limit_reached,
    not_loaded,
    out_of_threads,
    timed_out,
)

VERSION = FunctionVersion("orders", "2", "/nowhere", Configuration())
BROKEN = UserCodeError(VERSION, ("KeyError", "'k'"), "Traceback ...")


@pytest.mark.parametrize(
    ("outcome", "status", "message", "stack"),
    [
        pytest.param(
            timed_out(3.0, "r"), 433, "Invoking task timed out after 3 seconds", None, id="timeout"
        ),
        pytest.param(
            timed_out(0.05, "r"), 433, "Invoking task timed out after 0.05 seconds", None,
            id="short timeout",
        ),
        pytest.param(
            limit_reached("orders", 5, "r"), 432,
            "ResourceLimitReached: function 'orders' may run 5 invocations at a time", None,
            id="limit",
        ),
        pytest.param(
            out_of_threads("r"), 432, "ResourceLimitReached: no thread can be started", None,
            id="threads",
        ),
        pytest.param(
            not_loaded(BROKEN, "r"), 443, "function 'orders', version 2: the code cannot be"
            " imported: KeyError: 'k'", "Traceback ...", id="broken code",
        ),
        pytest.param(failed(430, "m", "r", "s"), 430, "m", "s", id="with stack"),
    ],
)  # fmt: skip
def test_failures(outcome: Outcome, status: int, message: str, stack: str | None) -> None:
    """Status twice, as the cloud has it; the stack only if there is one."""
    expected = {
        "errorCode": -1,
        "errorMessage": message,
        "requestId": "r",
        "statusCode": status,
        **({} if stack is None else {"stackTrace": stack}),
    }
    assert outcome == Outcome(status, None, expected)


def test_an_outcome_is_small() -> None:
    """One is made per request."""
    assert not hasattr(Outcome(200, 1, None), "__dict__")
