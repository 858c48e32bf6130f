"""What the comparison found: medians, ratios of neighbours in one round, and what was wanted.

A ratio is the median over the rounds of the ratios within a round, because whatever slows the
machine down for a while slows neighbours down alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, Final

YARDSTICK: Final = "bare"
OURS: Final = "gateway"


@dataclass(frozen=True, slots=True)
class Measured:
    """One contender in one round.

    Attributes:
        processor: Microseconds of processor time a request, of all processes that answer.
        rate: Requests a second.
        p99: Milliseconds that one request in a hundred took longer than.
    """

    processor: float
    rate: float
    p99: float


Rounds = Mapping[str, Sequence[Measured]]
"""The rounds of each contender, with one number of connections."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the gateway is wanted to be, against somebody else.

    Attributes:
        figure: What is compared; an attribute of `Measured`.
        other: Against whom.
        most: What the ratio may be at most; `None` for no such bound.
        least: What it must be at least.
        connections: With how many connections; `None` for any.
    """

    figure: str
    other: str
    most: float | None = None
    least: float = 0.0
    connections: int | None = None

    @property
    def bound(self) -> str:
        """What is wanted, in words."""
        return f"at least {self.least:g}" if self.most is None else f"at most {self.most:g}"

    def met(self, ratio: float) -> bool:
        """Whether a ratio is as wanted."""
        return ratio >= self.least and (self.most is None or ratio <= self.most)


WANTED: Final = (
    Wanted("processor", "bare", most=1.35),
    Wanted("processor", "starlette", most=1.0),
    Wanted("rate", "nginx", least=1.0),
    Wanted("rate", "haproxy", least=1.0),
    Wanted("rate", "functions-framework", least=3.0),
    Wanted("p99", "bare", most=3.0, connections=64),
)


def ratio(rounds: Rounds, figure: str, one: str, other: str) -> float:
    """Median of the ratios within a round."""
    pairs = zip(rounds[one], rounds[other], strict=True)
    return float(median(getattr(a, figure) / getattr(b, figure) for a, b in pairs))


def medians(measured: Sequence[Measured]) -> Measured:
    """The median of each figure."""
    return Measured(
        median(each.processor for each in measured),
        median(each.rate for each in measured),
        median(each.p99 for each in measured),
    )


def table(connections: int, rounds: Rounds) -> list[str]:
    """The lines of one number of connections."""
    lines = [
        f"{connections} connections",
        f"  {'':22}{'us a request':>13}{'x bare':>8}{'requests/s':>12}{'p99 ms':>9}{'x bare':>8}",
    ]
    for name, measured in rounds.items():
        middle = medians(measured)
        times = (
            [f"{ratio(rounds, figure, name, YARDSTICK):8.2f}" for figure in ("processor", "p99")]
            if YARDSTICK in rounds
            else [" " * 8, " " * 8]
        )
        lines.append(
            f"  {name:22}{middle.processor:13.1f}{times[0]}{middle.rate:12,.0f}"
            f"{middle.p99:9.2f}{times[1]}"
        )
    return lines


def wanted(connections: int, rounds: Rounds) -> list[dict[str, Any]]:
    """What is wanted of the gateway with so many connections, and what it is."""
    found = []
    for each in WANTED:
        takes_part = OURS in rounds and each.other in rounds
        if takes_part and each.connections in {None, connections}:
            value = ratio(rounds, each.figure, OURS, each.other)
            found.append({
                "figure": each.figure,
                "against": each.other,
                "connections": connections,
                "ratio": round(value, 3),
                "wanted": each.bound,
                "met": each.met(value),
            })  # fmt: skip
    return found


def told(found: Mapping[str, Any]) -> str:
    """One wanted figure as a line."""
    verdict = "met" if found["met"] else "missed"
    return (
        f"  {found['figure']:10} against {found['against']:20} {found['connections']:3} connections"
        f"  {found['ratio']:6.2f}  wanted {found['wanted']:14} {verdict}"
    )


def plain(rounds: Rounds) -> dict[str, Any]:
    """The medians and all rounds, as JSON takes them."""
    return {
        name: {"median": asdict(medians(measured)), "rounds": [asdict(each) for each in measured]}
        for name, measured in rounds.items()
    }
