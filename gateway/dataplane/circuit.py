"""The state of one breaker, pure: what happened and the time go in, who may ask comes out.

The three states are those of the field: closed while all is well, open while the version is left
alone, half-open while some requests try it. What began in one state tells nothing of the next.
"""

from __future__ import annotations

from collections import deque
from enum import Enum
from typing import Final

from gateway.core.breaker import Breaker

_SLICES: Final = 10  # of a window; the oldest is forgotten as a whole


class State(Enum):
    """What a circuit does with requests."""

    CLOSED = "closed"
    """Every request is let through."""

    HALF_OPEN = "half-open"
    """As many as may try are let through."""

    OPEN = "open"
    """None is."""


class Circuit:
    """The circuit of one version.

    Args:
        breaker: When it opens, and for how long.
        patience: Seconds after which nobody waits for the end of a trial any more.

    Attributes:
        breaker: When it opens, and for how long.
        state: What it does with requests.
        opened: How often it has opened.
    """

    __slots__ = (
        *("_bad", "_failed", "_lapse", "_passed", "_patience", "_seen", "_slices", "_term"),
        *("_under_way", "_until", "breaker", "opened", "state"),
    )

    def __init__(self, breaker: Breaker, patience: float) -> None:
        self.breaker = breaker
        self.state = State.CLOSED
        self.opened = 0
        self._patience = patience
        self._term = 0  # counts the states that there were
        self._slices: deque[list[int]] = deque()  # which, how many requests, how many errors
        self._seen = self._bad = 0  # the same of the whole window
        self._until = 0.0  # when an open circuit may be tried
        self._under_way = self._passed = self._failed = 0  # trials
        self._lapse = 0.0  # when those under way are given up

    def admit(self, now: float) -> int | None:
        """Let a request through, with what `settle` is to be told; `None` where it is refused."""
        if self.state is State.CLOSED:
            return self._term
        if self.state is State.OPEN and now >= self._until:
            self._turn(State.HALF_OPEN)
        if self.state is State.OPEN:
            return None
        if self._under_way and now >= self._lapse:
            self._turn(State.HALF_OPEN)
        if self._under_way + self._passed + self._failed >= self.breaker.trials:
            return None
        self._under_way += 1
        self._lapse = now + self._patience
        return self._term

    def settle(self, term: int, now: float, *, failed: bool) -> None:
        """A request that was let through has ended."""
        if term != self._term:
            return
        if self.state is State.CLOSED:
            self._count(now, failed=failed)
            if self._seen >= self.breaker.requests and self._too_bad(self._bad, self._seen):
                self._open(now)
            return
        self._under_way -= 1
        self._failed += failed
        self._passed += not failed
        if self._too_bad(self._failed, self.breaker.trials):
            self._open(now)
        elif self._passed + self._failed == self.breaker.trials:
            self._turn(State.CLOSED)

    def leave(self, term: int) -> None:
        """A request that was let through has ended without telling anything."""
        if term == self._term and self.state is State.HALF_OPEN:
            self._under_way -= 1

    def wait(self, now: float) -> float:
        """Seconds until a request that is refused may be let through."""
        return max(self._until - now, 0.0) if self.state is State.OPEN else 0.0

    def _too_bad(self, bad: int, seen: int) -> bool:
        # Divided, because a quotient is the nearest number to what was written; a product is not.
        return bad / seen >= self.breaker.errors

    def _count(self, now: float, *, failed: bool) -> None:
        slices, current = self._slices, int(now / self.breaker.window * _SLICES)
        while slices and slices[0][0] <= current - _SLICES:
            _, seen, bad = slices.popleft()
            self._seen -= seen
            self._bad -= bad
        if not slices or slices[-1][0] < current:
            slices.append([current, 0, 0])
        slices[-1][1] += 1
        slices[-1][2] += failed
        self._seen += 1
        self._bad += failed

    def _open(self, now: float) -> None:
        self.opened += 1
        self._until = now + self.breaker.pause
        self._turn(State.OPEN)

    def _turn(self, state: State) -> None:
        self.state = state
        self._term += 1
        self._slices.clear()
        self._seen = self._bad = 0
        self._under_way = self._passed = self._failed = 0
