"""The pacer: when each request is due, so that a replay keeps the rhythm of its recording; pure.

A request is due at its own time, however late the one before it was answered. The clock is an
argument: nothing here waits, it only says how long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gateway.traffic.failures import TrafficError
from gateway.traffic.recording import Recorded


class Unpaced(TrafficError):
    """A recording that cannot be played at the rate that was asked for."""

    code = "unpaced"
    hint = "--speed or --as-fast-as-possible can play it"


@dataclass(frozen=True, slots=True)
class Survey:
    """What must be known of a recording before it is played.

    Attributes:
        requests: How many there are.
        first: When the first one came, in seconds.
        last: When the last one came.
        late: Requests that stand behind one that came after them; they are due with that one.
        behind: By how many seconds at most.
        stages: The stages that they were recorded on; empty text for those on none.
    """

    requests: int = 0
    first: float = 0.0
    last: float = 0.0
    late: int = 0
    behind: float = 0.0
    stages: frozenset[str] = frozenset()

    @classmethod
    def of(cls, recording: Iterable[Recorded]) -> Survey:
        """Read a recording to its end; nothing of it is kept."""
        requests = late = 0
        first = last = behind = 0.0
        stages: set[str] = set()
        for recorded in recording:
            at = recorded.at
            if not requests:
                first = last = at
            elif at < last:
                late, behind = late + 1, max(behind, last - at)
            else:
                last = at
            requests += 1
            stages.add(recorded.stage or "")
        return cls(requests, first, last, late, behind, frozenset(stages))

    @property
    def seconds(self) -> float:
        """From the first request to the last."""
        return self.last - self.first

    @property
    def gap(self) -> float:
        """The mean time between two requests."""
        return self.seconds / (self.requests - 1) if self.requests > 1 else 0.0

    def speed(self, rate: float) -> float:
        """How many times faster it must be played for so many requests a second on average.

        Raises:
            Unpaced: All its requests came at one moment.
        """
        if not self.gap:
            raise Unpaced(
                f"its {self.requests:,} requests came at one moment; no speed makes a rate of that"
            )
        return rate * self.gap


class Pacer:
    """Says when requests are due.

    Args:
        survey: What is played.
        speed: How many times faster than it was recorded; `None` for as fast as possible.
        clock: Seconds, from any beginning.
    """

    def __init__(self, survey: Survey, speed: float | None, clock: Callable[[], float]) -> None:
        self._survey = survey
        self._speed = speed
        self._clock = clock
        self._began = 0.0
        self._latest = 0.0

    def begin(self, at: float | None = None) -> None:
        """Time begins to count; now, or at a time of the clock."""
        self._began = self._clock() if at is None else at

    def due(self, at: float) -> float | None:
        """When a request is due, in seconds since the beginning; never before an earlier one.

        Args:
            at: Its time in the recording.

        Returns:
            The time; `None` where it is due as soon as there is room for it.
        """
        if self._speed is None:
            return None
        self._latest = max(self._latest, (at - self._survey.first) / self._speed)
        return self._latest

    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return self._clock() - self._began

    def left(self, due: float) -> float:
        """Seconds until something is due; nothing or less when it is time."""
        return due - self.elapsed()
