"""A load error names the function, the version, and what is wrong with it."""

from __future__ import annotations

import pytest

from gateway.core.errors import GatewayError
from gateway.core.functions import Configuration, FunctionVersion
from gateway.runtime import CodeNotFound, HandlerNotFound, LoadError, UserCodeError

VERSION = FunctionVersion("orders", "$LATEST", "/nowhere", Configuration())


@pytest.mark.parametrize(
    ("error", "code", "status", "sentence"),
    [
        (HandlerNotFound(VERSION, "gone"), "handler-not-found", 437, "gone"),
        (CodeNotFound(VERSION, "no folder"), "code-not-found", 437, "no folder"),
        (
            UserCodeError(VERSION, ("KeyError", "'k'"), "Traceback ..."),
            "user-code-error", 443, "the code cannot be imported: KeyError: 'k'",
        ),
        (
            UserCodeError(VERSION, ("SystemExit", ""), "Traceback ..."),
            "user-code-error", 443, "the code cannot be imported: SystemExit",
        ),
    ],
)  # fmt: skip
def test_what_an_error_says(error: LoadError, code: str, status: int, sentence: str) -> None:
    """A stable code, the cloud's status, and a sentence."""
    message = f"function 'orders', version $LATEST: {sentence}"
    assert isinstance(error, GatewayError)
    assert (error.code, error.status, str(error)) == (code, status, message)
    assert error.to_dict() == {
        "code": code,
        "function": "orders",
        "version": "$LATEST",
        "message": message,
        "stack": error.stack,
    }
