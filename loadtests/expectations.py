"""What the answers should say, written as `STAGE[/WHO]=VERSION:SHARE[:REASON],...`; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from gateway.verdict import Unjudgeable, judge
from loadtests.traffic import BOB, OTHERS

USUAL: Final = (
    "dev=$LATEST:1:main",
    f"prepub/{BOB}=4:1:rule:1",
    f"prepub/{OTHERS}=3:1:main",
    "release=1:0.9:main,2:0.1:weight",
)
"""What the example's stages.toml declares."""

FORM: Final = "STAGE=VERSION:SHARE,VERSION:SHARE, such as release=1:0.9,2:0.1 or prepub/Bob=4:1"


class Misuse(ValueError):
    """Options that contradict each other or themselves."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What one group of callers should get on one stage.

    Attributes:
        stage: The stage.
        who: `Bob`, `others`, or empty for everybody whom no other expectation of the stage names.
        shares: Expected shares by version.
        reasons: The only reason that a version may give; versions that are not named are free.
        revision: The only revision it is about; empty for any.
    """

    stage: str
    who: str
    shares: Mapping[str, float]
    reasons: Mapping[str, str]
    revision: str = ""

    @property
    def name(self) -> str:
        """`STAGE` or `STAGE/WHO`, with `@REVISION` where it is about one only."""
        group = f"{self.stage}/{self.who}" if self.who else self.stage
        return f"{group}@{self.revision}" if self.revision else group


def parse(text: str) -> Expectation:
    """Read one expectation.

    Raises:
        Misuse: It does not read so, or its shares do not sum to 1.
    """
    name, _, rest = text.partition("=")
    stage, slash, who = (word.strip() for word in name.partition("/"))
    if not stage or (slash and who not in {BOB, OTHERS}):
        raise Misuse(f"{name!r} in {text!r} is no stage, STAGE/{BOB} or STAGE/{OTHERS}: {FORM}")
    shares: dict[str, float] = {}
    reasons: dict[str, str] = {}
    for item in rest.split(","):
        version, share, reason = _version(item, text)
        if version in shares:
            raise Misuse(f"version {version} stands twice in {text!r}")
        shares[version] = share
        if reason:
            reasons[version] = reason
    try:
        judge({}, shares)
    except Unjudgeable as error:
        raise Misuse(f"{text!r} cannot be judged: {error}") from error
    return Expectation(stage, who, shares, reasons)


def _version(item: str, text: str) -> tuple[str, float, str]:
    version, _, rest = item.strip().partition(":")
    number, _, reason = rest.partition(":")
    try:
        share = float(number)
    except ValueError:
        share = None
    if not version or share is None:
        raise Misuse(f"{item.strip()!r} in {text!r} is no VERSION:SHARE: {FORM}")
    return version, share, reason


def choose(
    given: Iterable[str], stages: Iterable[str], usual: Iterable[str] = USUAL
) -> tuple[Expectation, ...]:
    """The expectations of a run: the usual ones, replaced by those that are given.

    One for a stage replaces all usual ones of that stage; one for `STAGE/WHO` replaces only what
    is usual for these. Usual ones of stages to which nothing is sent are left out.

    Raises:
        Misuse: A given one is wrong, stands twice, or is about a stage to which nothing is sent.
    """
    sent, asked = set(stages), [parse(text) for text in given]
    names = [expectation.name for expectation in asked]
    for expectation in asked:
        if names.count(expectation.name) > 1:
            raise Misuse(f"there are two expectations for {expectation.name}")
        if expectation.stage not in sent:
            raise Misuse(
                f"{expectation.name} is expected something, but nothing is sent to stage"
                f" {expectation.stage}; the mix sends to {', '.join(sorted(sent))}"
            )
    kept = [
        each
        for each in map(parse, usual)
        if each.stage in sent and each.name not in names and each.stage not in names
    ]
    if not kept + asked:
        raise Misuse(f"nothing is expected of {', '.join(sorted(sent))}: give --expect {FORM}")
    return tuple(sorted(kept + asked, key=lambda expectation: expectation.name))
