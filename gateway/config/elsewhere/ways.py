"""What is taken along to another engine: APIs in their stages, with what answers them; values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from gateway.config.elsewhere import patterns
from gateway.config.elsewhere.conditions import Condition
from gateway.config.elsewhere.patterns import one_of
from gateway.core import names
from gateway.core.routes import Kind, Path
from gateway.core.snapshot import Api, MockBackend


@dataclass(frozen=True, slots=True)
class Lack:
    """A part of the routing that an engine cannot express.

    Attributes:
        message: What, and why.
        instead: What is written in its place.
    """

    message: str
    instead: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """A version, and what an answer says of it.

    Attributes:
        function: The function.
        alias: The alias; empty where the version was named itself.
        version: The version.
        reason: Why that one.
    """

    function: str
    alias: str
    version: str
    reason: str


@dataclass(frozen=True, slots=True)
class Choice:
    """What a qualifier leads to.

    Attributes:
        conditions: Tried in order, each with the outcome of a hit.
        shares: Outcomes with their shares above 0, the main version's last.
        sticky: The header whose value settles the weighted choice; empty for none.
    """

    conditions: tuple[tuple[Condition, Outcome], ...]
    shares: tuple[tuple[Outcome, Decimal], ...]
    sticky: str = ""

    @property
    def outcomes(self) -> list[Outcome]:
        """Everything that may come out, without those of a sticky key."""
        return [*(outcome for _, outcome in self.conditions), *(o for o, _ in self.shares)]


@dataclass(frozen=True, slots=True)
class Way:
    """One API of one stage.

    Attributes:
        stage: The stage.
        api: The API.
        choice: What its qualifier leads to; `None` where the answer is fixed.
        fixed: The fixed answer.
    """

    stage: str
    api: Api
    choice: Choice | None = None
    fixed: MockBackend | None = None


@dataclass(slots=True)
class Plan:
    """Everything that is taken along.

    Attributes:
        revision: The snapshot's number.
        ways: APIs in the order in which they are tried.
        lacks: What is not taken along.
    """

    revision: int
    ways: list[Way] = field(default_factory=list)
    lacks: list[Lack] = field(default_factory=list)

    def versions(self) -> list[tuple[str, str]]:
        """Every function and version that may answer, in order."""
        outcomes = [o for way in self.ways if way.choice for o in way.choice.outcomes]
        found = dict.fromkeys((each.function, each.version) for each in outcomes)
        return sorted(found, key=lambda each: (each[0], names.version_order(each[1])))


def path_pattern(way: Way, *, coded: bool, values: Mapping[str, str] | None = None) -> str:
    """A pattern for whole paths that an API takes, the stage included.

    Args:
        way: The API in its stage.
        coded: Whether the path is matched as it travels, percent-encoded.
        values: Patterns for the values of path parameters.
    """
    alphabet = patterns.CODED if coded else patterns.SEGMENT
    synonyms = [other for other, own in names.STAGE_SYNONYMS.items() if own == way.stage]
    stage = one_of([way.stage, *synonyms]) if synonyms else way.stage
    path = way.api.path
    return f"/{stage}{_rest(path, alphabet, values or {})}"


def _rest(path: Path, alphabet: patterns.Alphabet, values: Mapping[str, str]) -> str:
    slash = one_of(["/", "%2[Ff]"]) if alphabet is patterns.CODED else "/"
    if path.literal == "/":
        return f"{slash}?" if path.kind is Kind.EXACT else f"(?:{slash}.*)?"
    spelled = "".join(
        slash
        + (
            values.get(segment[1:-1], alphabet.any + "+")
            if segment.startswith("{") and path.kind is Kind.PARAMETER
            else alphabet.text(segment)
        )
        for segment in path.literal.split("/")[1:]
    )
    return spelled + (".*" if path.kind in {Kind.PREFIX, Kind.PLAIN} else "")
