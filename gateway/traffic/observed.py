"""What happened already, counted as a verdict needs it: whoever wrote it down, and whatever for.

Records are looked at once and forgotten; what is kept is bounded by how many versions, splits and
sticky keys there are, never by how many requests.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final, NamedTuple

from gateway.traffic.observed_fields import Sighting
from gateway.traffic.observed_time import Timeline
from gateway.verdict import Sketch, Stickiness

SPLITS: Final = 200
VERSIONS: Final = 50
"""More splits, or versions of a split, are no splits and versions: a wrong field was named."""

FAILURES_FROM: Final = 500
"""The lowest HTTP status that counts as an error."""


class TooMany(ValueError):
    """A field with far more values than versions, or splits, can be."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What should have happened on a stage.

    Attributes:
        stage: The stage; empty where records are of no stage.
        shares: The share of each version, of what no rule has taken.
        rules: The version of each rule, by the reason that its answers give.
        sticky: Whether it is keys that are shared out, each to one version.
        source: Where this is known from, in a few words.
    """

    stage: str
    shares: Mapping[str, float]
    rules: Mapping[str, str] = field(default_factory=dict)
    sticky: bool = False
    source: str = "--expect"


class Split(NamedTuple):
    """One split that is judged on its own.

    Attributes:
        stage: The stage; may be empty.
        rule: The reason that its answers give, where it is a rule's; else empty.
        by: The values by which splits are told apart.
    """

    stage: str
    rule: str = ""
    by: tuple[str, ...] = ()

    def name(self, by: Sequence[str] = ()) -> str:
        """What the split is called; `by` names the fields whose values tell splits apart."""
        pairs = [f"{name}={value}" for name, value in zip(by, self.by, strict=True)]
        told = f"{self.stage}/{self.rule}".strip("/") or "requests"
        return f"{told} [{', '.join(pairs)}]" if pairs else told


@dataclass(slots=True)
class Leavings:
    """Records that are not counted, and why.

    Attributes:
        unusable: Why they could not be: how often, and the numbers of the first few lines.
        filtered: How many were not asked for.
        elsewhere: How many were of another stage.
        pinned: How many named their version themselves, so that nothing was split.
        keyless: How many had no sticky key, so that they were split like any others.
        unstaged: How many were taken for the stage that was asked for, because they name none.
    """

    unusable: dict[str, tuple[int, list[int]]] = field(default_factory=dict)
    filtered: int = 0
    elsewhere: int = 0
    pinned: int = 0
    keyless: int = 0
    unstaged: int = 0

    NAMED: ClassVar = 3

    def leave(self, why: str, line: int) -> None:
        """Count a record that could not be used."""
        count, lines = self.unusable.get(why, (0, []))
        self.unusable[why] = count + 1, lines if len(lines) >= self.NAMED else [*lines, line]

    @property
    def total(self) -> int:
        """How many could not be used."""
        return sum(count for count, _ in self.unusable.values())


class Observed:
    """What is counted.

    Args:
        expected: What should have happened; it says which stages count, and what is a rule's.
    """

    def __init__(self, expected: Sequence[Expected]) -> None:
        self.expected = {each.stage: each for each in expected}
        self.counts: dict[Split, Counter[str]] = {}
        self.keys: dict[tuple[Split, str], Stickiness] = {}
        self.latency: dict[tuple[str, str], Sketch] = {}
        self.failures: Counter[tuple[str, str]] = Counter()
        self.misfits: Counter[str] = Counter()
        self.leavings = Leavings()
        self.timeline = Timeline()
        self._only = next(iter(self.expected)) if len(self.expected) == 1 else None

    @property
    def total(self) -> int:
        """How many records were counted."""
        return sum(counts.total() for counts in self.counts.values())

    @property
    def errors(self) -> int:
        """How many of them were errors."""
        return self.failures.total()

    def see(self, sighting: Sighting, line: int) -> None:
        """Count what a record says.

        Raises:
            TooMany: There are more versions or splits than there can be.
        """
        stage = self._stage(sighting)
        if stage is None:
            self.leavings.elsewhere += 1
            return
        if sighting.reason == "pinned":
            self.leavings.pinned += 1
            return
        expected, version = self.expected[stage], sighting.version
        if version is None or (expected.rules and not sighting.reason):
            why = "no version" if version is None else "no reason, though the alias has rules"
            self.leavings.leave(why, line)
            return
        rule = sighting.reason if expected.rules and sighting.reason.startswith("rule:") else ""
        if rule and rule not in expected.rules:
            self.misfits[f"{stage}: version {version} answered for {rule}, which there is not"] += 1
            return
        if expected.sticky and not rule and sighting.key is None:
            self.leavings.keyless += 1
            return
        self._count(Split(stage, rule, sighting.by), version, sighting, line)

    def add(self, split: Split, version: str, times: int) -> None:
        """Count answers that somebody else has counted."""
        self.counts.setdefault(split, Counter())[version] += times

    def _stage(self, sighting: Sighting) -> str | None:
        """Whose it is; `None` if it is of a stage that nobody asked about."""
        if self._only == "":
            return ""
        if not sighting.stage and self._only is not None:
            self.leavings.unstaged += 1
            return self._only
        return sighting.stage if sighting.stage in self.expected else None

    def _count(self, split: Split, version: str, sighting: Sighting, line: int) -> None:
        counts = self.counts.get(split)
        if counts is None:
            if len(self.counts) >= SPLITS:
                raise TooMany(f"there are more than {SPLITS} splits; name fewer fields with --by")
            counts = self.counts[split] = Counter()
        counts[version] += 1
        if len(counts) > VERSIONS:
            some = ", ".join(sorted(counts)[:3])
            message = f"there are more than {VERSIONS} versions: {some}, ...; is this the field?"
            raise TooMany(message)
        self._time((split.stage, version), sighting)
        if not split.rule:
            self.timeline.see(sighting.at, line, split.stage, version)
            if sighting.key is not None and self.expected[split.stage].sticky:
                self._keys(split, sighting.revision).see(sighting.key, version)

    def _time(self, group: tuple[str, str], sighting: Sighting) -> None:
        if sighting.status >= FAILURES_FROM:
            self.failures[group] += 1
        if sighting.seconds is not None:
            sketch = self.latency.get(group)
            if sketch is None:
                sketch = self.latency[group] = Sketch()
            sketch.add(sighting.seconds)

    def _keys(self, split: Split, revision: str) -> Stickiness:
        place = split, revision
        found = self.keys.get(place)
        if found is None:
            if len(self.keys) >= SPLITS:
                raise TooMany(f"there are more than {SPLITS} revisions; is this the field?")
            found = self.keys[place] = Stickiness()
        return found
