"""The plan of a rollout: its steps, how long each is held, what the new version may not do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final, Literal

from gateway.core import names
from gateway.core.alias import Route
from gateway.core.errors import Problem, Refused
from gateway.core.shapes import Reader
from gateway.rollout.guards import DEFAULT, Guard, parse_guard

STEPS: Final = (0.01, 0.1, 0.5, 1.0)
"""The shares of a rollout that names none."""

MAX_STEPS: Final = 100
MAX_GUARDS: Final = 20
MAX_HOLD: Final = 7 * 86_400.0

Undecided = Literal["wait", "advance"]
UNDECIDED: Final = ("wait", "advance")


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to happen.

    Attributes:
        function: Whose alias.
        alias: The alias that moves.
        to: The version that it moves to.
        steps: The shares of that version, ascending, the last one 1.
        every: Seconds that each step is held, at least.
        requests: Requests that the new version answers in each step, at least.
        guards: What it may not do.
        tolerance: How much worse than a guard's limit a rate must be to matter, as a share of
            requests: a step is passed when that much has been ruled out.
        false_rollback: The probability, at most, with which a rollout of a version that keeps all
            limits is rolled back.
        miss: The probability, at most, with which a step is passed by a version whose rate is
            beyond a limit by the tolerance.
        undecided: Whether a step whose guards are undecided waits for more requests.
    """

    function: str
    alias: str
    to: str
    steps: tuple[float, ...] = STEPS
    every: float = 60.0
    requests: int = 0
    guards: tuple[Guard, ...] = (parse_guard(DEFAULT),)
    tolerance: float = 0.03
    false_rollback: float = 0.01
    miss: float = 0.05
    undecided: Undecided = "wait"

    def route(self, base: Route, step: int) -> Route:
        """Where the alias leads in a step.

        Args:
            base: Where it led before.
            step: Which step, from 0; -1 for where it leads after a roll-back.
        """
        kept = (base.rules, base.split, base.sticky_by)
        if step < 0:
            return Route(base.version, {}, *kept)
        share = self.steps[step]
        if share == 1:
            return Route(self.to, {}, *kept)
        return Route(base.version, {self.to: Decimal(repr(share))}, *kept)

    def to_dict(self) -> dict[str, Any]:
        """The plan as plain values; `parse_plan` reads them."""
        return {
            "function": self.function,
            "alias": self.alias,
            "to": self.to,
            "steps": list(self.steps),
            "every": self.every,
            "requests": self.requests,
            "guards": [guard.text for guard in self.guards],
            "tolerance": self.tolerance,
            "false_rollback": self.false_rollback,
            "miss": self.miss,
            "undecided": self.undecided,
        }


def parse_plan(raw: object, what: str = "the rollout") -> Plan:
    """Read a plan.

    Args:
        raw: The table as TOML or JSON gave it.
        what: What it is, for messages.

    Raises:
        Refused: With every mistake found.
    """
    problems: list[Problem] = []
    reader = Reader(raw, what, problems)
    function = reader.required("function", '"orders"')
    alias = reader.required("alias", '"release"')
    to = reader.required("to", '"2"')
    if to is not None and not names.is_version(to):
        reader.wrong(
            "bad-version", f"to of {what} is {to!r}; allowed: a version, such as '2'", "to"
        )
    numbers = _Numbers(reader)
    fields: dict[str, Any] = {
        "steps": _steps(reader),
        "every": numbers.read("every", 60.0, (0, MAX_HOLD)),
        "requests": int(numbers.read("requests", 0, (0, 1e9), whole=True)),
        "guards": _guards(reader),
        "tolerance": numbers.read("tolerance", 0.03, (0.001, 0.5)),
        "false_rollback": numbers.read("false_rollback", 0.01, (1e-9, 0.5)),
        "miss": numbers.read("miss", 0.05, (1e-9, 0.5)),
        "undecided": reader.choice("undecided", UNDECIDED, "wait"),
    }
    reader.finish()
    if problems or function is None or alias is None or to is None:
        raise Refused(problems)
    return Plan(function, alias, to, **fields)


class _Numbers:
    """Reads numbers within bounds."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def read(
        self, key: str, default: float, bounds: tuple[float, float], *, whole: bool = False
    ) -> float:
        """A number; the default where there is none, or a wrong one."""
        given = self._reader.get(key)  # asked for in any case: an unknown key is told what there is
        if not self._reader.has(key):
            return default
        value = number(given)
        low, high = bounds
        if value is None or not low <= value <= high or (whole and value != int(value)):
            kind = "a whole number" if whole else "a number"
            message = f"{key} of {self._reader.what} must be {kind} from {low:g} to {high:g}"
            self._reader.wrong("out-of-range", message, key)
            return default
        return value


def number(value: object) -> float | None:
    """A number of TOML or JSON; `None` for anything else, also for what is no finite one."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    found = float(value)
    return found if found - found == 0 else None


def _steps(reader: Reader) -> tuple[float, ...]:
    given = reader.sequence("steps")
    if not reader.has("steps"):
        return STEPS
    found = [number(each) for each in given]
    steps = [each for each in found if each is not None]
    wrong = len(steps) != len(found) or not 1 <= len(steps) <= MAX_STEPS
    wrong = wrong or any(not 0 < step <= 1 for step in steps)
    wrong = wrong or any(a >= b for a, b in pairwise(steps))
    if wrong or steps[-1] != 1:
        message = (
            f"steps of {reader.what} must be shares above 0, ascending, the last one 1,"
            f" at most {MAX_STEPS}; for example: [0.01, 0.1, 0.5, 1]"
        )
        reader.wrong("bad-steps", message, "steps")
        return STEPS
    return tuple(steps)


def _guards(reader: Reader) -> tuple[Guard, ...]:
    given = reader.sequence("guards")
    if not reader.has("guards"):
        given = [DEFAULT]
    found = []
    if len(given) > MAX_GUARDS:
        reader.wrong("out-of-range", f"{reader.what} has more than {MAX_GUARDS} guards", "guards")
    for index, text in enumerate(given[:MAX_GUARDS]):
        if not isinstance(text, str):
            reader.wrong("wrong-type", "a guard must be a string", "guards", index)
            continue
        try:
            found.append(parse_guard(text))
        except Refused as refused:
            reader.problems += [problem.under("guards", index) for problem in refused.problems]
    return tuple(found)


def fits(plan: Plan, base: Route, versions: Mapping[str, object]) -> list[Problem]:
    """What keeps a plan from beginning where the alias leads now.

    Args:
        plan: The plan.
        base: Where the alias leads.
        versions: The function's versions.
    """
    what = f"alias {plan.alias!r} of function {plan.function!r}"
    if plan.to not in versions:
        message = f"function {plan.function!r} has no version {plan.to!r} to move to"
        return [Problem("unknown-version", message, ("to",))]
    if plan.to == base.version:
        return [Problem("nothing-to-roll-out", f"{what} leads to {plan.to!r} already", ("to",))]
    others = [version for version in base.weights if version != plan.to]
    if others:
        message = f"{what} divides its traffic with version {others[0]!r}; end that first"
        return [Problem("traffic-divided", message, ("alias",))]
    return []
