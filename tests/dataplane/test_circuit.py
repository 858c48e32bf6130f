"""The circuit against a model that counts everything anew, whatever happens in whatever order."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gateway.core.breaker import Breaker
from gateway.dataplane.circuit import Circuit, State

PATIENCE = 16.0
BREAKERS = st.builds(
    Breaker,
    st.sampled_from([0.1, 0.5, 0.7, 1.0]),
    st.sampled_from([1, 2, 5]),
    st.sampled_from([2.5, 10.0, 40.0]),
    st.sampled_from([1.0, 8.0]),
    st.sampled_from([1, 2, 3]),
)


class Model(RuleBasedStateMachine):
    """Callers at random, and what the law says of each of them.

    Times are multiples of a tenth of a window, and windows such that floats are exact there.
    """

    @initialize(breaker=BREAKERS)
    def begin(self, breaker: Breaker) -> None:
        """A circuit that nobody has asked."""
        self.breaker, self.circuit = breaker, Circuit(breaker, PATIENCE)
        self.step = breaker.window / 10
        self.ticks = 1000
        self.running: list[tuple[int, int]] = []  # term, generation of the model
        self.generation = 0
        self.state = State.CLOSED
        self.opened = 0
        self.seen: list[tuple[int, bool]] = []  # since the circuit closed: when, whether failed
        self.until = 0.0
        self.asked = 0.0
        self.trials: list[bool] = []

    @property
    def now(self) -> float:
        """The time."""
        return self.ticks * self.step

    def turn(self, state: State) -> None:
        """The model's next state."""
        self.state = state
        self.generation += 1
        self.seen, self.trials = [], []

    def under_way(self) -> int:
        """Requests of the present state that have not ended."""
        return sum(generation == self.generation for _, generation in self.running)

    @rule(ticks=st.integers(1, 200))
    def wait(self, ticks: int) -> None:
        """Time goes by."""
        self.ticks += ticks

    @rule()
    def ask(self) -> None:
        """A request comes."""
        if self.state is State.OPEN and self.now >= self.until:
            self.turn(State.HALF_OPEN)
        late = self.now >= self.asked + PATIENCE
        if self.state is State.HALF_OPEN and self.under_way() and late:
            self.turn(State.HALF_OPEN)
        taken = self.under_way() + len(self.trials)
        free = self.state is State.CLOSED or (
            self.state is State.HALF_OPEN and taken < self.breaker.trials
        )
        term = self.circuit.admit(self.now)
        assert (term is not None) == free
        if term is not None:
            self.running.append((term, self.generation))
            self.asked = self.now

    @precondition(lambda self: self.running)
    @rule(data=st.data(), failed=st.booleans())
    def settle(self, data: st.DataObject, *, failed: bool) -> None:
        """One that was let through ends; in any order."""
        term, generation = self.running.pop(data.draw(st.integers(0, len(self.running) - 1)))
        self.circuit.settle(term, self.now, failed=failed)
        if generation != self.generation:
            return
        if self.state is State.CLOSED:
            self.seen.append((self.ticks, failed))
            lately = [bad for when, bad in self.seen if when > self.ticks - 10]
            enough = len(lately) >= self.breaker.requests
            if enough and sum(lately) / len(lately) >= self.breaker.errors:
                self.open()
            return
        self.trials.append(failed)
        if sum(self.trials) / self.breaker.trials >= self.breaker.errors:
            self.open()
        elif len(self.trials) == self.breaker.trials:
            self.turn(State.CLOSED)

    def open(self) -> None:
        """The model opens."""
        self.opened += 1
        self.until = self.now + self.breaker.pause
        self.turn(State.OPEN)

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        """A caller goes away: nothing is learned, and its place is free again."""
        term, _ = self.running.pop(data.draw(st.integers(0, len(self.running) - 1)))
        self.circuit.leave(term)

    @invariant()
    def agree(self) -> None:
        """The circuit is as the model, and says rightly when to come again."""
        if not hasattr(self, "circuit"):
            return
        assert self.circuit.state is self.state
        assert self.circuit.opened == self.opened
        expected = max(self.until - self.now, 0.0) if self.state is State.OPEN else 0.0
        assert self.circuit.wait(self.now) == expected


TestCircuit = Model.TestCase


def settled(circuit: Circuit, now: float, outcomes: str) -> list[State]:
    """The state after each request: `x` fails, `.` does not."""
    states = []
    for outcome in outcomes:
        term = circuit.admit(now)
        assert term is not None
        circuit.settle(term, now, failed=outcome == "x")
        states.append(circuit.state)
    return states


def test_a_share_that_is_reached_exactly_opens() -> None:
    """7 of 100 is 0.07, though 0.07 times 100 is a little more than 7."""
    circuit = Circuit(Breaker(0.07, requests=100), PATIENCE)
    states = settled(circuit, 0.0, "x" * 7 + "." * 93)
    assert states == [State.CLOSED] * 99 + [State.OPEN]


def test_what_lies_behind_the_window_counts_no_more() -> None:
    """Each tenth of it goes as a whole."""
    circuit = Circuit(Breaker(0.5, requests=4, window=10), PATIENCE)
    assert settled(circuit, 0.5, "xx.") == [State.CLOSED] * 3
    assert settled(circuit, 10.0, "x..") == [State.CLOSED] * 3  # not 3 of 4
    assert settled(circuit, 10.0, "x") == [State.OPEN]


@pytest.mark.parametrize(
    ("outcomes", "after"),
    [
        pytest.param("...", State.CLOSED, id="all well"),
        pytest.param(".x.", State.CLOSED, id="one of three fails"),
        pytest.param("xx", State.OPEN, id="two of three fail: the third is not waited for"),
    ],
)
def test_trials_settle_what_comes_next(outcomes: str, after: State) -> None:
    """As soon as it is certain."""
    circuit = Circuit(Breaker(0.5, requests=1, pause=5), PATIENCE)
    settled(circuit, 0.0, "x")
    assert circuit.admit(4.9) is None
    assert settled(circuit, 5.0, outcomes)[-1] is after
