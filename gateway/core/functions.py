"""What a function is: frozen versions with their configuration, and one editable `$LATEST`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

TYPES: Final = ("event", "web")
"""What a function is: a handler of events, or a web application."""

BOOTSTRAP: Final = "scf_bootstrap"
"""The file of a web version that starts a server, instead of a handler that is an application."""

ISOLATIONS: Final = ("auto", "inline", "thread", "process")
"""Where a version runs; `auto` is inline for async handlers and a thread for all others."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """How a version runs; frozen together with its code when it is published.

    Attributes:
        handler: `file.function`, the file relative to the version's folder, without `.py`.
        timeout: Seconds an invocation may take.
        memory: Megabytes the cloud would grant; told to the handler, not enforced in a thread.
        concurrency: How many invocations of the function may run at the same time.
        environment: Variables of the version, told to the handler in its context.
        isolation: Where it runs, one of `ISOLATIONS`.
        type: What it is, one of `TYPES`.
    """

    handler: str = "index.main_handler"
    timeout: float = 3.0
    memory: int = 128
    concurrency: int = 128
    environment: Mapping[str, str] = field(default_factory=dict)
    isolation: str = "auto"
    type: str = "event"


@dataclass(frozen=True, slots=True)
class FunctionVersion:
    """One version of one function.

    Attributes:
        function: The function's name.
        number: `"1"`, `"2"` ..., or `$LATEST`.
        code: Where the runtime finds the code; opaque to the core.
        configuration: How it runs.
        description: The publisher's words.
    """

    function: str
    number: str
    code: str
    configuration: Configuration
    description: str = ""
