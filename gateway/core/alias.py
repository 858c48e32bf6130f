"""Aliases: movable names for versions. A `Route` that is wrong cannot be built.

Where an alias leads is its route: rules first, in list order, first hit wins; then weights; what
the weights leave over goes to the main version. `parse_route` reads the one spelling that
stages.toml, the API and the journal share, and reports every mistake at once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Final

from gateway.core import names
from gateway.core.errors import Place, Problem, Refused, listed, nearest
from gateway.core.rules import Key, Rule, parse_key, parse_rule
from gateway.core.shapes import Reader, kind_of
from gateway.core.split import MODES, Mode, as_mode

MAX_DECIMALS: Final = 12
"""Decimals a weight may have: finer shares than one in a million million are a typing mistake."""

# What stands in for parts that could not be read, so that the others are still checked where they
# stand: a route with such a part is never handed out.
_UNNAMED: Final = "9" * 18
_UNREAD: Final = "invoke.headers.unread exists"
_STICKY_PLACES: Final = frozenset({("split",), ("sticky_by",)})


@dataclass(frozen=True, slots=True)
class Route:
    """Where an alias leads.

    Attributes:
        version: The main version.
        weights: Additional versions with their shares in [0, 1], in the order written.
        rules: Tried in order before the weights.
        split: How the weighted choice draws.
        sticky_by: Where the sticky key is found; only with `split="sticky"`.

    Raises:
        Refused: When the parts contradict each other.
    """

    version: str
    weights: Mapping[str, Decimal] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    split: Mode = "random"
    sticky_by: Key | None = None

    def __post_init__(self) -> None:
        problems = [
            *_version_problems(self.version, ("version",)),
            *_weights_problems(self.version, self.weights),
            *_sticky_problems(self.split, self.sticky_by),
        ]
        for index, rule in enumerate(self.rules):
            problems += _version_problems(rule.version, ("rules", index, "version"))
        if problems:
            raise Refused(problems)

    def __eq__(self, other: object) -> bool:
        """Routes are what they say; weights are equal only in the same order."""
        if not isinstance(other, Route):
            return NotImplemented
        if self is other:  # what a change leaves alone is the same object as before
            return True
        same_order = list(self.weights) == list(other.weights)
        return same_order and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash((self.version, tuple(self.weights.items()), self.rules, self.split))

    def to_dict(self) -> dict[str, object]:
        """The route as it is written in stages.toml, in the API and in the journal."""
        return {
            "version": self.version,
            "weights": {version: float(weight) for version, weight in self.weights.items()},
            "rules": [{"when": rule.when, "version": rule.version} for rule in self.rules],
            "split": self.split,
            "sticky_by": self.sticky_by.text if self.sticky_by else None,
        }

    def named(self) -> list[tuple[str, Place]]:
        """Every version the route names, with the place where it does."""
        return [
            (self.version, ("version",)),
            *((version, ("weights", version)) for version in self.weights),
            *((rule.version, ("rules", i, "version")) for i, rule in enumerate(self.rules)),
        ]


@dataclass(frozen=True, slots=True)
class Alias:
    """A movable name of a function.

    Attributes:
        function: The function's name.
        name: The alias's own name.
        route: Where it leads.
        description: The owner's words.
    """

    function: str
    name: str
    route: Route
    description: str = ""


def parse_route(raw: object, what: str) -> tuple[Route, str]:
    """Read `{version, weights, rules, split, sticky_by, description}`.

    Args:
        raw: The table as TOML or JSON gave it; weights may be numbers of any type.
        what: What it belongs to, for messages: `"alias 'release'"`.

    Returns:
        The route and the description.

    Raises:
        Refused: With every mistake found.
    """
    problems: list[Problem] = []
    reader = Reader(raw, what, problems)
    version = reader.required("version", '"1"')
    weights = _read_weights(reader)
    rules = _read_rules(reader)
    split = as_mode(reader.choice("split", MODES, "random"))
    sticky_by = _read_sticky(reader)
    description = reader.text("description")
    reader.finish()
    try:
        main = _UNNAMED if version is None else version
        route = Route(main, weights, tuple(rules), split, sticky_by)
    except Refused as refused:
        problems += _new(refused.problems, problems)
    else:
        if not problems:
            return route, description
    raise Refused(problems)


def missing_versions(route: Route, what: str, known: Collection[str]) -> list[Problem]:
    """Problems for every version that the route names and the function does not have."""
    published = sorted((v for v in known if v != names.LATEST), key=names.version_order)
    has = f"{listed(published)} and $LATEST" if published else "only $LATEST"
    return [
        Problem(
            "unknown-version",
            f"{what} names version {version!r}; it has {has}",
            at,
            nearest(version, known),
        )
        for version, at in route.named()
        if version not in known
    ]


def parse_weight(value: object, version: str) -> Decimal:
    """One weight, exactly as written.

    Raises:
        Refused: With code `bad-weight` for anything but a decimal in 0..1.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        message = f"the weight of version {version!r} must be a number, not {kind_of(value)}"
        raise Refused([Problem("bad-weight", message)])
    try:
        weight = value if isinstance(value, Decimal) else Decimal(repr(value))
        inside = 0 <= weight <= 1
    except InvalidOperation:  # NaN compares with nothing
        inside = False
    if not inside:
        message = f"the weight of version {version!r} is {value}; allowed: 0 to 1"
        raise Refused([Problem("bad-weight", message, hint="a share: 10 % is 0.1")])
    exponent = weight.normalize().as_tuple().exponent
    if isinstance(exponent, int) and exponent < -MAX_DECIMALS:
        message = f"the weight of version {version!r} has more than {MAX_DECIMALS} decimals"
        raise Refused([Problem("bad-weight", message)])
    return weight


def _read_weights(reader: Reader) -> dict[str, Decimal]:
    weights: dict[str, Decimal] = {}
    for version, value in reader.mapping("weights").items():
        try:
            weights[version] = parse_weight(value, version)
        except Refused as refused:
            reader.problems += [p.under(*reader.at, "weights", version) for p in refused.problems]
    return weights


def _read_rules(reader: Reader) -> list[Rule]:
    rules = []
    for index, raw in enumerate(reader.sequence("rules")):
        at = (*reader.at, "rules", index)
        entry = Reader(raw, f"rule {index + 1} of {reader.what}", reader.problems, at)
        when = entry.required("when", '"invoke.headers.User exact Bob"')
        version = entry.required("version", '"2"')
        entry.finish()
        goal = names.LATEST if version is None else version
        try:
            rules.append(parse_rule(_UNREAD if when is None else when, goal))
        except Refused as refused:
            reader.problems += [problem.under(*at, "when") for problem in refused.problems]
            rules.append(parse_rule(_UNREAD, goal))
    return rules


def _read_sticky(reader: Reader) -> Key | None:
    if reader.get("sticky_by") is None:
        return None
    try:
        text = reader.text("sticky_by")
        return parse_key(text) if text else None
    except Refused as refused:
        reader.problems += [problem.under(*reader.at, "sticky_by") for problem in refused.problems]
        return None


def _new(found: Collection[Problem], known: list[Problem]) -> list[Problem]:
    """Problems at places that have none yet: a mistake is told once, not with its echoes."""
    places = {problem.at for problem in known}
    if places & _STICKY_PLACES:
        places |= _STICKY_PLACES
    return [problem for problem in found if problem.at not in places]


def _version_problems(version: str, at: Place) -> list[Problem]:
    if names.is_version(version):
        return []
    message = f"{version!r} is no version; allowed: {names.VERSION_RULE}"
    hint = "use '$LATEST'" if version.strip("$").upper() == "LATEST" else ""
    return [Problem("unknown-version", message, at, hint)]


def _weights_problems(main: str, weights: Mapping[str, Decimal]) -> list[Problem]:
    problems = []
    total = Decimal()
    for version, weight in weights.items():
        at = ("weights", version)
        problems += _version_problems(version, at)
        if version == main:
            message = f"version {version!r} is the main version and gets what the weights leave"
            problems.append(Problem("main-version-weighted", message, at, on_key=True))
        try:
            total += parse_weight(weight, version)
        except Refused as refused:
            problems += [problem.under(*at) for problem in refused.problems]
    if total > 1:
        message = f"the weights add up to {total}; allowed: at most 1"
        problems.append(Problem("weights-above-one", message, ("weights",)))
    return problems


def _sticky_problems(split: Mode, sticky_by: Key | None) -> list[Problem]:
    if split == "sticky" and sticky_by is None:
        message = "split 'sticky' needs 'sticky_by'"
        hint = 'for example: sticky_by = "invoke.headers.User"'
        return [Problem("missing-key", message, ("split",), hint)]
    if split != "sticky" and sticky_by is not None:
        message = f"'sticky_by' has no effect with split {split!r}"
        return [Problem("unused-key", message, ("sticky_by",), "set split = 'sticky'")]
    return []
