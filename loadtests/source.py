"""Where the requests come from: an access log or a recording, read once, as the test wants them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from gateway.traffic.failures import BadLine, TrafficError, Unreadable
from gateway.traffic.opening import open_lines
from gateway.traffic.recording import read
from loadtests import traffic
from loadtests.catalogue import chosen
from loadtests.expectations import Misuse
from loadtests.traffic import BOB, Step
from loadtests.users import keyed, lookalikes

SAMPLE: Final = Path(__file__).with_name("sample.log")
"""A small invented access log."""


class Source(NamedTuple):
    """The traffic of a run.

    Attributes:
        steps: The requests, in order.
        facts: What a report says of it.
        users: Who asks, in a few words.
        complaint: What was left out, in one sentence; `None` if nothing was.
    """

    steps: tuple[Step, ...]
    facts: Mapping[str, Any]
    users: str
    complaint: str | None = None


def source(options: Any) -> Source:  # noqa: ANN401 - a namespace of options
    """The traffic that the options name, with the users that the test is about.

    Raises:
        Misuse: It cannot be read, or no line of it is usable.
    """
    test = chosen(options)
    keys = options.keys
    if keys is None:
        keys = 0 if options.recording else test.keys
    return _prepared(options.access_log, options.recording, keys, alike=test.lookalikes)


@lru_cache(maxsize=4)
def _prepared(log: str, recording: str | None, keys: int, *, alike: bool) -> Source:
    found = read_recording(recording) if recording else read_log(log)
    if keys:
        facts, users = {**found.facts, "keys": keys}, f"{keys:,} users take turns"
        return found._replace(steps=keyed(found.steps, keys), facts=facts, users=users)
    return found._replace(steps=lookalikes(found.steps)) if alike else found


@lru_cache(maxsize=4)
def read_log(path: str) -> Source:
    """Read an access log, once.

    Raises:
        Misuse: It cannot be read, or no line of it is usable.
    """
    try:
        with open_lines(path) as lines:
            log = traffic.parse(lines, path)
        steps = traffic.steps(log)
    except (TrafficError, ValueError) as error:
        raise Misuse(f"{path} is no usable access log: {_why(error)}") from error
    facts = {
        "file": os.path.abspath(path),  # noqa: PTH100 - not resolved, only named
        "lines": len(log.entries),
        "malformed": log.malformed,
        "clients": len({entry.user for entry in log.entries}),
        "bob": traffic.busiest(log.entries),
    }
    return Source(steps, facts, f"{BOB} is the busiest client of the log", log.complaint)


@lru_cache(maxsize=4)
def read_recording(path: str) -> Source:
    """Read a recording, once; it is sent again and again, so all of it is kept.

    Raises:
        Misuse: It cannot be read, or there is no request in it.
    """
    try:
        with open_lines(path) as lines:
            steps = tuple(map(traffic.as_recorded, read(lines, path)))
    except TrafficError as error:
        raise Misuse(f"{path} is no usable recording: {_why(error)}") from error
    if not steps:
        raise Misuse(f"{path} is no usable recording: there is no request in it")
    facts = {
        "file": os.path.abspath(path),  # noqa: PTH100 - not resolved, only named
        "lines": len(steps),
        "malformed": 0,
        "clients": len({step.user for step in steps}),
        "bob": BOB,
    }
    return Source(steps, facts, "requests as they were recorded")


def _why(error: Exception) -> str:
    """What is wrong, without the name of the file."""
    if isinstance(error, BadLine):
        return f"line {error.line}: {error.sentence}"
    return error.sentence if isinstance(error, Unreadable) else str(error)
