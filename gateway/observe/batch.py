"""A batch: what one process tells the others of its answers, as bytes that any of them can read.

Counts are cumulative since the process began, so that a batch which is lost or forgotten costs no
count: whoever reads takes the last one. Portions are told once. Seconds are those of the sender's
monotonic clock, with what it takes to make times of day of them; on one machine both ways lead to
the very same second.
"""

from __future__ import annotations

import json
import zlib
from functools import cache
from typing import Annotated, Any, ClassVar, Final, NamedTuple

from pydantic import Field, TypeAdapter, ValidationError

from gateway.core.errors import GatewayError
from gateway.observe.counters import Label
from gateway.observe.intervals import Interval
from gateway.observe.portions import Portion
from gateway.verdict.sketch import Sketch

FORMAT: Final = b"1"
"""The first byte; whoever does not know it reads no further."""

LARGEST: Final = 64 * 1024 * 1024
"""Bytes that a batch may have when it is unpacked."""

Count = Annotated[int, Field(ge=0, lt=2**63)]
Seconds = Annotated[float, Field(allow_inf_nan=False)]
Span = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Bucket = Annotated[int, Field(ge=-10_000, le=10_000)]
Some = Annotated[int, Field(gt=0, lt=2**63)]


class Malformed(GatewayError):
    """These bytes are no batch, or one of another program's."""

    code: ClassVar[str] = "malformed-word"

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"another process tells what this one does not understand: {reason}")


class Sender(NamedTuple):
    """Which process tells something.

    Attributes:
        node: The machine's name among several.
        process: The process's name among those of its gateway.
        family: What the processes of one gateway on one machine have in common.
        started: When it began, in seconds since 1970.
    """

    node: str
    process: str
    family: int
    started: Seconds

    def is_beside(self, other: Sender) -> bool:
        """Whether both are processes of one gateway on one machine."""
        return (self.node, self.family) == (other.node, other.family)


class Gauges(NamedTuple):
    """What is so at the moment.

    Attributes:
        revision: The live revision.
        dropped: Answers that were counted and otherwise forgotten.
        left_out: Invocations that the log did not keep.
        lag: The longest delay of the event loop lately, in seconds.
        age: Seconds since the state was known to be its newest; `None` where it always is.
    """

    revision: Count = 0
    dropped: Count = 0
    left_out: Count = 0
    lag: Span = 0.0
    age: Span | None = None


class Active(NamedTuple):
    """What goes on in one version: invocations that run, and starts so far."""

    function: str
    version: str
    running: Count
    starts: Count


class Counted(NamedTuple):
    """Every answer of one cell so far, by status."""

    label: Label
    malformed: bool
    statuses: dict[Count, Count]


class Batch(NamedTuple):
    """What one process tells at a time.

    Attributes:
        sender: Who tells it.
        number: Its place among all of that process, from 1.
        at: When it was made, in seconds since 1970.
        since_epoch: What makes seconds since 1970 of the sender's seconds.
        ended: Whether it is the last one.
        gauges: What is so at the moment.
        activity: What goes on in versions in which something changed.
        counts: Counts of cells in which something changed.
        portions: Answers that no earlier batch told of.
    """

    sender: Sender
    number: int
    at: float
    since_epoch: float
    ended: bool = False
    gauges: Gauges = Gauges()
    activity: tuple[Active, ...] = ()
    counts: tuple[Counted, ...] = ()
    portions: tuple[Portion, ...] = ()

    def pack(self) -> bytes:
        """The batch as bytes; `read_batch` reads it."""
        labels: dict[Label, int] = {}
        places = [labels.setdefault(label, len(labels)) for label, *_ in self.portions]
        told = [_plain(place, each) for place, each in zip(places, self.portions, strict=True)]
        text = json.dumps([*self[:-1], list(labels), told], separators=(",", ":"))
        return FORMAT + zlib.compress(text.encode(), 1)


def read_batch(data: bytes) -> Batch:
    """The batch that `pack` told.

    Raises:
        Malformed: It told none like this.
    """
    if data[:1] != FORMAT:
        raise Malformed(f"its format is {data[:1]!r}, not {FORMAT!r}")
    try:
        unpacking = zlib.decompressobj()
        text = unpacking.decompress(data[1:], LARGEST)
        found = _wire().validate_json(text, strict=True)
        *_, labels, told = found
        portions = tuple(_portion(labels, each) for each in told)
    except (zlib.error, ValidationError, IndexError) as error:
        raise Malformed(f"{error}".partition("\n")[0]) from error
    return Batch._make((*found[:8], portions))


def _plain(place: int, portion: Portion) -> _Told:
    _, revision, second, interval = portion
    sketch = interval.latency
    flat = [number for pair in sketch.counts.items() for number in pair]
    return _Told(
        place, revision, second, flat[::2], flat[1::2], sketch.sum, sketch.largest,
        interval.errors, interval.throttled,
    )  # fmt: skip


def _portion(labels: list[Label], told: _Told) -> Portion:
    if len(told.buckets) != len(set(told.buckets)) or len(told.buckets) != len(told.numbers):
        raise IndexError("a portion does not say how many are in each bucket")
    counts = dict(zip(told.buckets, told.numbers, strict=True))
    sketch = Sketch(counts, told.sum, told.largest)
    interval = Interval(sketch, dict(told.errors), told.throttled)
    return Portion(labels[told.label], told.revision, told.second, interval)


class _Told(NamedTuple):
    """A portion as it is told: its label by its place in a list."""

    label: Count
    revision: Count
    second: int
    buckets: list[Bucket]
    numbers: list[Some]
    sum: Span
    largest: Span
    errors: dict[str, Some]
    throttled: Count


@cache
def _wire() -> TypeAdapter[Any]:
    """What a batch is made of; only who reads those of others needs it."""
    return TypeAdapter(
        tuple[
            Sender,
            Some,
            Seconds,
            Seconds,
            bool,
            Gauges,
            tuple[Active, ...],
            tuple[Counted, ...],
            list[Label],
            list[_Told],
        ]
    )
