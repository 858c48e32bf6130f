"""Which request comes next: the lines in order, the stages in a stated mix; pure, and no dice.

The stages follow the multiples of the golden ratio: any stretch of requests holds each stage
almost exactly in its share, and no period ties a line of the log to one stage.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from math import gcd, isfinite
from typing import Final, NamedTuple

from loadtests.traffic import Step

MIX: Final = "release=0.5,prepub=0.25,dev=0.25"
"""Half of the requests test the weighted split, which needs the most."""

_GOLDEN: Final = 0x9E3779B97F4A7C15
"""The golden ratio's fraction, as a fraction of 2**64."""

_WHOLE: Final = 1 << 64

UNLIMITED: Final = 10**15
"""As many requests as it takes, where something else ends the run."""


class Part(NamedTuple):
    """What one process sends of the whole.

    Attributes:
        first: The number of its first request, counted from 0.
        stride: The distance to the next one.
        requests: How many requests it sends.
    """

    first: int
    stride: int
    requests: int


def part(requests: int, worker: int, workers: int) -> Part:
    """The part of one of several workers; together they send each request once."""
    return Part(worker, workers, (requests - worker + workers - 1) // workers)


def parse_mix(text: str) -> dict[str, float]:
    """Read `STAGE=SHARE,STAGE=SHARE`; shares are made to sum to 1.

    Raises:
        ValueError: It does not read so, or nothing is left to send.
    """
    mix: dict[str, float] = {}
    for item in text.split(","):
        stage, equals, number = (word.strip() for word in item.partition("="))
        try:
            share = float(number)
        except ValueError:
            share = -1
        if not (stage and equals and isfinite(share) and share >= 0) or stage in mix:
            raise ValueError(
                f"{item.strip()!r} in the mix {text!r} is no new STAGE=SHARE, such as release=0.5"
            )
        mix[stage] = share
    whole = sum(mix.values())
    if not whole:
        raise ValueError(f"the mix {text!r} sends nothing: no share is above 0")
    return {stage: share / whole for stage, share in mix.items() if share}


class Course:
    """Hands out the requests of one process, each once."""

    def __init__(self, steps: Sequence[Step], mix: Mapping[str, float], of: Part) -> None:
        """Take the lines, the mix and the part of this process."""
        self._steps = steps
        self._stages = list(mix)
        self._bounds = list(accumulate(mix.values()))[:-1]
        self._part = of
        # Each round begins so much later that every line comes from every worker in turn.
        lines, stride = len(steps), of.stride
        self._shift = next(by for by in range(stride) if gcd(lines - by, stride) == 1)
        self.handed_out = 0

    @property
    def requests(self) -> int:
        """How many there are in all."""
        return self._part.requests

    def close(self) -> None:
        """Hand out no more."""
        self._part = self._part._replace(requests=self.handed_out)

    def next(self, _place: int = 0) -> tuple[str, Step] | None:
        """The next stage and request, whichever connection asks; `None` after the last."""
        turn = self.handed_out
        if turn >= self._part.requests:
            return None
        self.handed_out = turn + 1
        line = self._part.first + turn * self._part.stride
        place = turn * _GOLDEN + self._part.first * _WHOLE // self._part.stride
        stage = self._stages[bisect_right(self._bounds, place % _WHOLE / _WHOLE)]
        rounds = line // len(self._steps)
        return stage, self._steps[(line + rounds * self._shift) % len(self._steps)]


class StagedCourse:
    """Hands out the requests of one process by stage: each connection asks for one stage's.

    Every stage gets the same lines, from the first one on.
    """

    def __init__(self, steps: Sequence[Step], mix: Mapping[str, float], of: Part) -> None:
        """Take the lines, the mix and the part of this process."""
        bounds = [round(share * of.requests) for share in accumulate(mix.values())]
        counts = [end - start for start, end in pairwise([0, *bounds])]
        self._courses = [
            Course(steps, {stage: 1.0}, of._replace(requests=requests))
            for stage, requests in zip(mix, counts, strict=True)
        ]
        # Connections take turns with the golden ratio, as the requests of a common course do.
        self._bounds = list(accumulate(mix.values()))[:-1]

    @property
    def requests(self) -> int:
        """How many there are in all."""
        return sum(course.requests for course in self._courses)

    @property
    def handed_out(self) -> int:
        """How many were handed out."""
        return sum(course.handed_out for course in self._courses)

    def close(self) -> None:
        """Hand out no more."""
        for course in self._courses:
            course.close()

    def next(self, place: int) -> tuple[str, Step] | None:
        """The next request of a connection's own stage, or where that has none, of another.

        Args:
            place: The connection's number.
        """
        own = bisect_right(self._bounds, place * _GOLDEN % _WHOLE / _WHOLE)
        turn = self._courses[own].next()
        if turn is not None:
            return turn
        left = max(self._courses, key=lambda course: course.requests - course.handed_out)
        return left.next()
