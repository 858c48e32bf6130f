"""The routing, taken elsewhere: a configuration, or every reason why there is none.

Pure: a snapshot comes in, a text goes out. Whatever the engine cannot say is refused, or, if that
is asked for, told at the head of what is written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from gateway import __version__
from gateway.config.elsewhere.engines import ENGINES, Engine
from gateway.config.elsewhere.envoy import envoy
from gateway.config.elsewhere.haproxy import haproxy
from gateway.config.elsewhere.kubernetes import gateway_api, lacking_order
from gateway.config.elsewhere.naming import Elsewhere, Upstreams, check_upstreams
from gateway.config.elsewhere.nginx import nginx
from gateway.config.elsewhere.plan import plan
from gateway.config.elsewhere.ways import Lack, Plan
from gateway.core.errors import Problem, Refused
from gateway.core.snapshot import Snapshot

_WRITERS: Final[Mapping[str, Callable[[Elsewhere], str]]] = {
    "nginx": nginx,
    "haproxy": haproxy,
    "envoy": envoy,
    "gateway-api": gateway_api,
}
_LABEL: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for.

    Attributes:
        engine: A name of `ENGINES`.
        upstreams: Where versions are.
        listen: The address and the port for callers.
        keep_stage: Whether versions are sent the stage in the path.
        partial: Whether what the engine cannot express is left out instead of refused.
    """

    engine: str
    upstreams: Upstreams
    listen: tuple[str, int] = ("0.0.0.0", 8080)  # noqa: S104 - an edge is for everybody
    keep_stage: bool = False
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """A configuration.

    Attributes:
        text: The file.
        lacks: What is not in it.
        notes: How the engine differs in what is.
    """

    text: str
    lacks: tuple[Lack, ...]
    notes: tuple[str, ...]


def write(snapshot: Snapshot, wanted: Wanted) -> Written:
    """Write the routing for an engine.

    Args:
        snapshot: The routing.
        wanted: For which engine, and how.

    Raises:
        Refused: An upstream is missing or of no version; or, unless the rest is enough, the engine
            cannot express something: `not-expressible`, one problem each.
    """
    engine = ENGINES[wanted.engine]
    made = plan(snapshot, engine)
    lacks = [*made.lacks, *_of_engine(made, engine, wanted)]
    if lacks and not wanted.partial:
        raise Refused(_problem(engine, lack) for lack in lacks)
    check_upstreams(made, wanted.upstreams, snapshot)
    if wanted.engine == "gateway-api":
        _check_services(wanted.upstreams)
    keep = wanted.keep_stage or not engine.strips
    head = tuple(_head(engine, made, lacks))
    text = _WRITERS[engine.name](Elsewhere(made, wanted.upstreams, wanted.listen, keep, head))
    return Written(text, tuple(lacks), engine.notes)


def _of_engine(made: Plan, engine: Engine, wanted: Wanted) -> list[Lack]:
    lacks = lacking_order(made) if engine.name == "gateway-api" else []
    if not engine.strips and not wanted.keep_stage:
        what = f"{engine.title} cannot take the stage out of the paths that versions are sent"
        lacks.append(Lack(f"{what} (--keep-stage leaves it there)", "left in the paths"))
    return lacks


def _problem(engine: Engine, lack: Lack) -> Problem:
    hint = f"with --partial: {lack.instead}"
    return Problem("not-expressible", f"{engine.title}: {lack.message}", hint=hint)


def _head(engine: Engine, made: Plan, lacks: list[Lack]) -> list[str]:
    lines = [f"The routing of revision {made.revision} for {engine.title}."]
    lines.append(f"Written by gateway {__version__}: gateway export --format {engine.name}")
    if lacks:
        lines += ["", f"{engine.title} cannot express, and this file lacks:"]
        lines += [f"- {_printable(lack.message)}: {lack.instead}" for lack in lacks]
    lines += ["", "It differs in:", *(f"- {note}" for note in engine.notes), ""]
    return lines


def _printable(text: str) -> str:
    return text.encode("unicode_escape").decode()


def _check_services(upstreams: Upstreams) -> None:
    problems = []
    for key, (host, port) in upstreams.items():
        if not all(map(_LABEL.fullmatch, host.split(".", 1))):
            given = f"{'/'.join(key)}={host}:{port}"
            message = f"the upstream {given!r} is no Service; allowed: SERVICE:PORT in its place"
            hint = "of another namespace: SERVICE.NAMESPACE:PORT"
            problems.append(Problem("bad-upstream", message, hint=hint))
    if problems:
        raise Refused(problems)
