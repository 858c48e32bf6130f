"""Handlers that a test wrote down as Python functions, under names that generated code can import.

A version is code in a folder; a test's function lives in the test. The folder's code asks for it
here, in the same process.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any, Final

Handler = Callable[[Any, Any], Any]
"""`handler(event, context)`, or an async function of the same shape."""

CODE: Final = """\
from gateway.testing.handlers import handler

main_handler = handler({key!r})
"""

_handlers: dict[str, Handler] = {}
_numbers = count(1)


def code_of(handler: Handler) -> tuple[str, str]:
    """Keep a handler, and give its name and the code of a module that finds it again."""
    key = f"handler-{next(_numbers)}"
    _handlers[key] = handler
    return key, CODE.format(key=key)


def handler(key: str) -> Handler:
    """The handler of a name."""
    return _handlers[key]


def forget(key: str) -> None:
    """Let go of a handler."""
    _handlers.pop(key, None)
