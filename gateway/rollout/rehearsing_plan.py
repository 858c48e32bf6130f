"""The file of a rehearsal: the rollout, what its new version gets wrong, and how traffic is played.

It is TOML and read as stages.toml is: every mistake at once, each at its place. What it names must
be there in the state that is rehearsed with.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from gateway.config.diagnostics import ConfigurationInvalid
from gateway.config.fields import number
from gateway.config.source import read
from gateway.config.syntax import parse
from gateway.core import names
from gateway.core.entries import Target
from gateway.core.errors import Problem, Refused, listed, nearest
from gateway.core.faults import Fault, parse_fault
from gateway.core.shapes import Reader
from gateway.core.snapshot import Snapshot
from gateway.rollout.moves import begun
from gateway.rollout.plan import parse_plan
from gateway.rollout.rollout import Rollout

T = TypeVar("T")

MAX_RATE: Final = 1e6
MAX_SECONDS: Final = 7 * 86_400.0
PATIENCE: Final = 10
"""How many times longer than its plan a rollout may take, where the file does not say."""

_PLACES: Final = {"unknown-function": "function", "unknown-alias": "alias"}


@dataclass(frozen=True, slots=True)
class Playing:
    """How traffic is played.

    Attributes:
        stage: Where requests go; empty for the stage on which each was recorded.
        speed: How many times faster than it was recorded.
        rate: Requests a second on average, in place of a speed.
        before: Seconds of traffic before the rollout begins.
        longest: Seconds after which a rollout that goes on is given up.
    """

    stage: str = ""
    speed: float = 1.0
    rate: float | None = None
    before: float = 60.0
    longest: float = 3600.0


@dataclass(frozen=True, slots=True)
class FixedRule:
    """The rule that other tools have: so many errors in a sliding window.

    Attributes:
        errors: The error rate that is allowed.
        window: Seconds.
    """

    errors: float = 0.01
    window: float = 10.0


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What is rehearsed.

    Attributes:
        rollout: The rollout as it begins.
        snapshot: The state in which it begins.
        fault: What the new version gets wrong; `None` for nothing.
        old: How both versions behave beside that.
        playing: How traffic is played.
        fixed: The rule that the guards are compared with.
    """

    rollout: Rollout
    snapshot: Snapshot = field(repr=False)
    fault: Fault | None = None
    old: Fault = field(default_factory=Fault)
    playing: Playing = field(default_factory=Playing)
    fixed: FixedRule = field(default_factory=FixedRule)

    @property
    def target(self) -> Target:
        """The function and its alias."""
        return Target(self.rollout.plan.function, self.rollout.plan.alias)


def load_rehearsal(path: str | os.PathLike[str], snapshot: Snapshot) -> Rehearsal:
    """Read the file of a rehearsal.

    Args:
        path: The file; its name appears in diagnostics as given here.
        snapshot: The state in which the rollout begins.

    Raises:
        ConfigurationInvalid: With every mistake found, in the order of the file.
    """
    source = read(path)
    problems: list[Problem] = []
    document = Reader(parse(source), "the file", problems)
    # A rollout that goes on in that state is not in the way of one that is only rehearsed.
    alone = replace(snapshot, resources={})
    rollout = _read(document, "rollout", lambda raw: begun(parse_plan(raw), alone, 0.0))
    fault = _read(document, "fault", lambda raw: parse_fault(raw, "the fault"))
    old = _read(document, "old", _behaviour)
    playing = _playing(document, alone, rollout)
    fixed = _fixed(document)
    if not document.has("rollout"):
        hint = 'for example: [rollout] and below it function, alias and to = "2"'
        problems.append(Problem("missing-key", "the file needs [rollout]", hint=hint))
    document.finish()
    if problems or rollout is None:
        raise ConfigurationInvalid(source.explain(problems))
    return Rehearsal(rollout, alone, fault, old or Fault(), playing, fixed)


def unplayable(path: str | os.PathLike[str], message: str) -> ConfigurationInvalid:
    """A plan whose alias no request reaches, told where the file is about traffic."""
    source = read(path)
    place = ("traffic",) if "traffic" in parse(source) else ("rollout", "alias")
    hint = "stage in [traffic] says to which stage requests go"
    return ConfigurationInvalid(source.explain([Problem("no-traffic", message, place, hint)]))


def _read(document: Reader, key: str, parsed: Callable[[object], T]) -> T | None:
    """A table that is read by its own law; `None` where it is missing or wrong."""
    raw = document.get(key)
    if not document.has(key):
        return None
    try:
        return parsed(raw)
    except Refused as refused:
        for problem in refused.problems:
            at = problem.at or tuple(filter(None, [_PLACES.get(problem.code)]))
            document.problems.append(replace(problem, at=(key, *at)))
    return None


def _behaviour(raw: object) -> Fault:
    """How versions behave when nothing is wrong: read as a fault is, and it may do nothing."""
    try:
        return parse_fault(raw, "the old version")
    except Refused as refused:
        if [problem.code for problem in refused.problems] == ["empty-fault"]:
            return Fault()
        raise


def _playing(document: Reader, snapshot: Snapshot, rollout: Rollout | None) -> Playing:
    reader = _table(document, "traffic", "the traffic")
    speed = _number(reader, "speed", 1.0, MAX_RATE)
    if reader.has("speed") and reader.has("rate"):
        reader.wrong("one-of", "the traffic has both a speed and a rate; allowed: one", "rate")
    rate = _number(reader, "rate", 0.0, MAX_RATE) if reader.has("rate") else None
    reader.get("rate")
    plan = rollout.plan if rollout is not None else None
    longest = max(60.0, PATIENCE * len(plan.steps) * plan.every) if plan is not None else 60.0
    playing = Playing(
        stage=_stage(reader, snapshot),
        speed=speed,
        rate=rate,
        before=_number(reader, "before", 60.0, MAX_SECONDS, zero=True),
        longest=_number(reader, "longest", min(longest, MAX_SECONDS), MAX_SECONDS),
    )
    reader.finish()
    return playing


def _stage(reader: Reader, snapshot: Snapshot) -> str:
    given = reader.text("stage")
    service = snapshot.default_service
    known = tuple(service.stages) if service else ()
    stage = names.stage_name(given)
    if given and stage not in known:
        message = f"the traffic names the stage {given!r}; there are {listed(known)}"
        reader.wrong("unknown-stage", message, "stage", hint=nearest(given.lower(), known))
    return stage


def _fixed(document: Reader) -> FixedRule:
    reader = _table(document, "fixed", "the fixed rule")
    errors = _number(reader, "errors", FixedRule().errors, 1, zero=True)
    window = _number(reader, "window", FixedRule().window, 3600)
    reader.finish()
    return FixedRule(errors, window)


def _table(document: Reader, key: str, what: str) -> Reader:
    raw = document.get(key) if document.has(key) else {}
    document.get(key)
    return Reader(raw, what, document.problems, (key,))


def _number(reader: Reader, key: str, default: float, most: float, *, zero: bool = False) -> float:
    """A number up to the most that is allowed, and above 0 or from there on."""
    value = number(reader, key)
    if value is None:
        return default
    if 0 < value <= most or (zero and value == 0):
        return float(value)
    least = "from 0" if zero else "above 0"
    message = f"{key} of {reader.what} is {value}; allowed: {least} to {most:,.10g}"
    reader.wrong("out-of-range", message, key)
    return default
