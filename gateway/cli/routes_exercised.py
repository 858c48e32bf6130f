"""What the routing of a service consists of, and how much of it some requests have exercised."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from gateway.core.alias import Alias
from gateway.core.entries import Decision, Entry
from gateway.core.snapshot import Api, Service, Snapshot, Stage

Part = tuple[str, ...]
"""An API as `(stage, id)`, a rule as `(function, alias, number)`, a weight as `(..., version)`."""


@dataclass(slots=True)
class Coverage:
    """Parts of one kind: how often each was exercised, and what it is called.

    Attributes:
        names: What each part is called.
        counts: How often each was exercised.
    """

    names: dict[Part, str] = field(default_factory=dict)
    counts: dict[Part, int] = field(default_factory=dict)

    def add(self, part: Part, name: str) -> None:
        """Know a part."""
        self.names[part] = name
        self.counts[part] = 0

    def exercise(self, part: Part, times: int) -> None:
        """Count requests of a part; one that is not known does not count."""
        if part in self.counts:
            self.counts[part] += times

    @property
    def exercised(self) -> int:
        """How many parts were exercised."""
        return sum(count > 0 for count in self.counts.values())

    @property
    def share(self) -> float:
        """The share of the parts that were exercised; 1 where there are none."""
        return self.exercised / len(self.counts) if self.counts else 1.0

    def missing(self) -> list[str]:
        """What was not exercised."""
        return [name for part, name in self.names.items() if not self.counts[part]]

    def to_dict(self) -> dict[str, object]:
        """The coverage as JSON."""
        total = len(self.counts)
        return {"exercised": self.exercised, "total": total, "missing": self.missing()}


class Exercised:
    """Counts what requests exercise of the first service.

    Args:
        snapshot: The state that is tested.

    Attributes:
        apis: Every API of every stage.
        rules: Every rule of every alias that a stage leads to.
        weights: Every version of those aliases that has a share.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self.apis, self.rules, self.weights = Coverage(), Coverage(), Coverage()
        service = snapshot.default_service
        for stage in service.stages.values() if service else ():
            for api in stage.apis:
                self.apis.add((stage.name, api.id), f"{stage.name} {api.method} {api.path.text}")
        for alias in aliases_used(snapshot, service):
            self._add(alias, snapshot.entries[alias.function][alias.name])

    def _add(self, alias: Alias, entry: Entry) -> None:
        name = f"{alias.function} {alias.name}"
        for number, rule in enumerate(alias.route.rules, start=1):
            part = (alias.function, alias.name, f"rule:{number}")
            self.rules.add(part, f"{name} rule {number}: {rule.when}")
        split = entry.split
        for version, share in zip(split.versions, split.shares, strict=True) if split else ():
            if share:
                self.weights.add((alias.function, alias.name, version), f"{name}: {version}")

    def kinds(self) -> dict[str, Coverage]:
        """The coverage of each kind of part."""
        return {"apis": self.apis, "rules": self.rules, "weights": self.weights}

    def reached(self, stage: Stage, api: Api, times: int = 1) -> None:
        """Count requests that an API answers."""
        self.apis.exercise((stage.name, api.id), times)

    def decided(self, decision: Decision, times: int = 1) -> None:
        """Count requests that were decided so."""
        owner = (decision.function, decision.qualifier)
        if decision.reason.startswith("rule:"):
            self.rules.exercise((*owner, decision.reason), times)
        else:
            self.weights.exercise((*owner, decision.version), times)


def aliases_used(snapshot: Snapshot, service: Service | None) -> Iterable[Alias]:
    """The aliases that the stages of a service lead to, each once."""
    targets = [stage.targets() for stage in service.stages.values()] if service else []
    for function, qualifier in sorted(set().union(*targets)):
        known = snapshot.functions.get(function)
        alias = known.aliases.get(qualifier) if known else None
        if alias is not None:
            yield alias
