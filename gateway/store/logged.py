"""What the invocation log holds, for how long, and how one asks for it; values only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

STATUSES: Final = "a status such as 200, a range such as 430-499, a class such as 5xx"
"""How statuses that are looked for are written."""

_STATUS: Final = re.compile(r"([1-5])xx|([1-5]\d\d)(?:-([1-5]\d\d))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Retention:
    """What the log keeps; everything older, and whatever is too much, makes room.

    Attributes:
        seconds: How long an entry is kept.
        entries: How many are kept, the newest ones; 0 for none at all.
    """

    seconds: float = 3 * 86_400.0
    entries: int = 100_000


@dataclass(frozen=True, slots=True)
class Origin:
    """Who answered.

    Attributes:
        node: The machine's name among several.
        process: The process's name among those of its machine.
    """

    node: str = ""
    process: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One executed request with its outcome.

    Attributes:
        request_id: Its id.
        at: When it came, in seconds since 1970.
        source: `http` for a request to the data plane, `invoke` for one to the control plane.
        stage: The stage's name; empty without one.
        function: The function's name; empty where none answered.
        qualifier: What was named: an alias, a version or `$LATEST`.
        version: The version that answered.
        reason: Why that version.
        revision: The revision it saw.
        status: The HTTP status, or the function status code.
        kind: The kind of error; empty for none.
        seconds: From its head to the end of the answer.
        method: The HTTP method; empty for an invoke.
        path: The path without the stage, with its query.
        headers: Its headers, or its routing key; secrets are hidden.
        body: The first part of its body, as text.
        body_cut: Whether there was more.
        duration: Seconds that the handler ran.
        memory: Bytes of its process in the end; 0 where it had none of its own.
        error: The error in the cloud's form.
        output: What the handler printed and logged.
        number: Its place in the log; 0 before it is in it.
        node: The name of the machine that answered; the log fills it in.
        process: The name of its process; the log fills it in.
    """

    request_id: str
    at: float
    source: str
    stage: str
    function: str
    qualifier: str
    version: str
    reason: str
    revision: int
    status: int
    kind: str
    seconds: float
    method: str = ""
    path: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    body_cut: bool = False
    duration: float = 0.0
    memory: int = 0
    error: Mapping[str, Any] | None = None
    output: str = ""
    number: int = 0
    node: str = ""
    process: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries are looked for; what is empty or `None` is not asked about.

    Attributes:
        stage, function, qualifier, version, reason: Exactly these.
        status: The lowest and the highest status.
        errors: Only those that were errors.
        since: Only those that came at this time or later.
        until: Only those that came before this time.
        slower: Only those that took at least so many seconds.
        text: Only those with this in the path, the body, the output or the error; any case.
        before: Only those with a smaller number.
        after: Only those with a greater number.
    """

    stage: str = ""
    function: str = ""
    qualifier: str = ""
    version: str = ""
    reason: str = ""
    status: tuple[int, int] | None = None
    errors: bool = False
    since: float | None = None
    until: float | None = None
    slower: float | None = None
    text: str = ""
    before: int | None = None
    after: int | None = None


def parse_statuses(text: str) -> tuple[int, int] | None:
    """The lowest and the highest of the statuses that a text means; `None` where it means none."""
    match = _STATUS.fullmatch(text)
    if match is None:
        return None
    if match[1]:
        return int(match[1]) * 100, int(match[1]) * 100 + 99
    return int(match[2]), int(match[3] or match[2])
