"""A run starts only when its options make sense, its target is allowed, and something answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import psutil

from loadtests import output, target
from loadtests.catalogue import chosen
from loadtests.exits import Exit
from loadtests.expectations import Misuse
from loadtests.moving import Moving
from loadtests.options import terms
from loadtests.source import source
from loadtests.steering import Unsteerable


class Refusal(NamedTuple):
    """Why a run may not start.

    Attributes:
        code: The exit code.
        kind: A stable name.
        sentence: What is wrong.
        hint: What to do, or nothing.
    """

    code: Exit
    kind: str
    sentence: str
    hint: str = ""


def check(options: Any, host: str | None) -> Refusal | None:  # noqa: ANN401 - a namespace
    """Ask everything that can be known beforehand; `None` if the run may start."""
    url = host or target.USUAL
    try:
        judged, found = terms(options), source(options)
    except Misuse as error:
        return refusal(error)
    forbidden = target.refusal(url, options.allow_host)
    if forbidden is not None:
        return Refusal(Exit.USAGE, "host", forbidden)
    silent = target.unreachable(url)
    if silent is not None:
        return Refusal(Exit.UNREACHABLE, "unreachable", silent, "start it with 'gateway serve'")
    try:
        if chosen(options).moves:
            Moving(options, judged)
        Path(options.verdict_json).parent.mkdir(parents=True, exist_ok=True)
    except (Misuse, Unsteerable) as error:
        return refusal(error)
    except OSError as error:
        return Refusal(Exit.USAGE, "report", f"{options.verdict_json}: {error.strerror}")
    if found.complaint:
        output.say(f"note: {options.access_log}: {found.complaint}")
    return None


def refusal(error: Misuse | Unsteerable) -> Refusal:
    """What an error says, as a refusal."""
    if isinstance(error, Misuse):
        return Refusal(Exit.USAGE, "usage", str(error))
    return Refusal(Exit.UNREACHABLE, "control", str(error), "name it with --control URL")


def give_up(refusal: Refusal) -> NoReturn:
    """End this process and the workers that Locust has forked from it, which would wait for it."""
    for child in psutil.Process().children():
        child.kill()
    output.complain(refusal)
    raise SystemExit(int(refusal.code))
