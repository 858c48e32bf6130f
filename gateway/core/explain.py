"""The same decision, told step by step: for people who ask why this version.

Nothing here decides. `explain` runs `routes` and `decide` as a request would, listens to the
draw, and puts the alias's rules and shares beside the outcome.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from gateway.core.alias import Alias
from gateway.core.decide import decide
from gateway.core.rules import RequestView
from gateway.core.snapshot import Api, FunctionBackend, HttpBackend, Snapshot, Stage
from gateway.core.split import Draw, Split


@dataclass(frozen=True, slots=True)
class RuleTrace:
    """One rule of the alias and what became of it.

    Attributes:
        number: Counted from 1.
        when: The condition as written.
        version: Where a hit goes.
        value: What the request has at the rule's key; `None` where it has nothing.
        outcome: `hit`, `miss` or `not reached`.
    """

    number: int
    when: str
    version: str
    value: str | None
    outcome: str


@dataclass(frozen=True, slots=True)
class Bucket:
    """The stretch of [0, 1) whose draws go to one version."""

    version: str
    low: float
    high: float
    share: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a request goes where it goes.

    Attributes:
        revision: The snapshot's number.
        stage: The stage's own name.
        api: The API's id.
        method: The API's method, which may be `ANY`.
        path: The API's path pattern.
        parameters: Values of the path's parameters.
        backend: `function`, `http` or `mock`.
        function: The function's name, for a function backend; so with all that follow.
        qualifier: What the API names.
        rules: Every rule of the alias.
        split: The alias's mode, where it has weights.
        buckets: The layout of the weights.
        sticky_key: The value of the sticky key.
        draw: The number that settled the choice, where there was one.
        version: The version that answers.
        reason: Why.
        fault: What that version is told to get wrong, where there is something.
    """

    revision: int
    stage: str
    api: str
    method: str
    path: str
    parameters: dict[str, str]
    backend: str
    function: str | None = None
    qualifier: str | None = None
    rules: tuple[RuleTrace, ...] = ()
    split: str | None = None
    buckets: tuple[Bucket, ...] = ()
    sticky_key: str | None = None
    draw: float | None = None
    version: str | None = None
    reason: str | None = None
    fault: dict[str, object] | None = None

    def to_dict(self) -> dict[str, object]:
        """Plain values, for JSON."""
        return asdict(self)


class _Listening:
    """Dice that remember what they showed."""

    def __init__(self, dice: Draw) -> None:
        self._dice = dice
        self.shown: float | None = None

    def random(self) -> float:
        self.shown = self._dice.random()
        return self.shown

    def even(self, split: Split) -> float:
        self.shown = self._dice.even(split)
        return self.shown


def explain(
    snapshot: Snapshot,
    found: tuple[Stage, Api, dict[str, str]],
    request: RequestView,
    draw: Draw,
) -> Explanation:
    """Decide for a request and tell how.

    Args:
        snapshot: The frozen state.
        found: The stage, the API that matched and the values of its path parameters.
        request: What rules may read.
        draw: The dice; asked at most once.

    Raises:
        RoutingError: As `decide` does.
    """
    stage, api, parameters = found
    backend = api.backend
    common = (snapshot.revision, stage.name, api.id, api.method, api.path.text, parameters)
    if not isinstance(backend, FunctionBackend):
        return Explanation(*common, "http" if isinstance(backend, HttpBackend) else "mock")
    dice = _Listening(draw)
    decision = decide(snapshot, backend.target, request, dice)
    function = snapshot.functions[backend.function]
    alias = function.aliases.get(backend.qualifier)
    fault = function.faults.get(decision.version)
    entry = snapshot.entries[backend.function][backend.qualifier]
    sticky_key = entry.sticky(request) if entry.sticky else None
    shown = dice.shown
    if decision.reason == "sticky" and entry.split and sticky_key is not None:
        shown = entry.split.sticky_draw(sticky_key)
    return Explanation(
        *common,
        backend="function",
        function=backend.function,
        qualifier=backend.qualifier,
        rules=_trace_rules(alias, request, decision.reason),
        split=entry.mode if entry.split else None,
        buckets=_buckets(entry.split),
        sticky_key=sticky_key,
        draw=shown,
        version=decision.version,
        reason=decision.reason,
        fault=fault.to_dict() if fault else None,
    )


def _trace_rules(alias: Alias | None, request: RequestView, reason: str) -> tuple[RuleTrace, ...]:
    if alias is None:
        return ()
    traces: list[RuleTrace] = []
    for number, rule in enumerate(alias.route.rules, start=1):
        hit_before = any(trace.outcome != "miss" for trace in traces)
        outcome = "not reached" if hit_before else "miss"
        if reason == f"rule:{number}":
            outcome = "hit"
        value = rule.key.first(request)
        traces.append(RuleTrace(number, rule.when, rule.version, value, outcome))
    return tuple(traces)


def _buckets(split: Split | None) -> tuple[Bucket, ...]:
    if split is None:
        return ()
    ends = (0.0, *split.bounds, 1.0)
    return tuple(
        Bucket(version, ends[index], ends[index + 1], float(split.shares[index]))
        for index, version in enumerate(split.versions)
    )
