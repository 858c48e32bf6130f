"""Breakers at work: asked after the decision and before the handler, told when the answer is out.

An open circuit answers in the place of its version. It never sends a request to another one: the
split stays what it was configured to be, and what it shows is what callers got.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import ceil
from typing import Final, NamedTuple

from gateway.core.breaker import Breaker
from gateway.core.functions import FunctionVersion
from gateway.core.snapshot import Snapshot
from gateway.dataplane.answer import line
from gateway.dataplane.circuit import Circuit, State
from gateway.runtime import Outcome
from gateway.runtime.outcome import failed

STATUS: Final = 503
"""What requests are answered with that an open circuit refuses."""

LEFT: Final = "caller-gone"
"""The kind of error that tells nothing of the version."""

_GRACE: Final = 10.0  # seconds after a version's timeout in which an answer gets to its caller


class Standing(NamedTuple):
    """How the circuit of one version stands.

    Attributes:
        function: Its function.
        version: The version.
        state: What it does with requests.
        opened: How often it has opened.
        wait: Seconds until a request is let through to try.
    """

    function: str
    version: str
    state: State
    opened: int
    wait: float


Tell = Callable[[Standing], None]
"""Is told of every circuit that has changed its state."""


class Ticket:
    """One request that a circuit has let through.

    Args:
        breakers: Keep the circuit.
        key: Its function and version.
        circuit: The circuit.
        term: What the circuit is to be told.
    """

    __slots__ = ("_breakers", "_circuit", "_key", "_term")

    def __init__(
        self, breakers: Breakers, key: tuple[str, str], circuit: Circuit, term: int
    ) -> None:
        self._breakers = breakers
        self._key = key
        self._circuit = circuit
        self._term = term

    def settle(self, kind: str, *, ran: bool = True) -> None:
        """The answer is out.

        Args:
            kind: The kind of error that it was; empty where it was none.
            ran: Whether the version had anything to do with it.
        """
        if not ran or kind == LEFT:
            self._circuit.leave(self._term)
            return
        before, now = self._circuit.state, self._breakers.now()
        self._circuit.settle(self._term, now, failed=bool(kind))
        if self._circuit.state is not before:
            self._breakers.turned(self._key, self._circuit)


class Shut:
    """Answers a request in the place of a version whose circuit is open.

    Args:
        version: The version.
        seconds: When to come again.
    """

    __slots__ = ("_seconds", "_version")

    ticket: Final = None

    def __init__(self, version: FunctionVersion, seconds: int) -> None:
        self._version = version
        self._seconds = seconds

    @property
    def said(self) -> bytes:
        """The header lines that tell why, and when to come again."""
        return line("x-gateway-breaker", "open") + line("retry-after", str(self._seconds))

    async def begin(self, request_id: str) -> Outcome | None:
        """The answer."""
        version = self._version
        sentence = (
            f"CircuitOpen: version {version.number!r} of function {version.function!r} has failed "
            f"too often; it is tried again in {self._seconds} s"
        )
        return failed(STATUS, sentence, request_id)

    async def invoke(self, _event: object, request_id: str) -> Outcome:
        """The answer, whatever the event is."""
        outcome = await self.begin(request_id)
        assert outcome is not None  # noqa: S101 - for mypy: it never lets anybody through
        return outcome


class Breakers:
    """Every circuit, by function and version. They outlive snapshots, as failures do.

    Args:
        now: The monotonic clock, in seconds.
        tell: Is told of every circuit that has changed its state.
    """

    def __init__(self, now: Callable[[], float], tell: Tell) -> None:
        self.now = now
        self._tell = tell
        self._circuits: dict[tuple[str, str], tuple[FunctionVersion, Circuit]] = {}

    def ask(self, breaker: Breaker, version: FunctionVersion) -> Ticket | Shut:
        """What becomes of one request for a version."""
        key = version.function, version.number
        circuit, now = self._circuit(key, breaker, version), self.now()
        before = circuit.state
        term = circuit.admit(now)
        if circuit.state is not before:
            self.turned(key, circuit)
        if term is None:
            return Shut(version, max(1, ceil(circuit.wait(now))))
        return Ticket(self, key, circuit, term)

    def turned(self, key: tuple[str, str], circuit: Circuit) -> None:
        """A circuit has changed its state."""
        self._tell(self._standing(key, circuit))

    def standings(self, snapshot: Snapshot) -> Iterator[Standing]:
        """How every circuit stands, of versions that have a breaker in a snapshot."""
        for name, function in snapshot.functions.items():
            for number in function.versions if function.breaker is not None else ():
                _, circuit = self._circuits.get((name, number), (None, None))
                if circuit is None:
                    yield Standing(name, number, State.CLOSED, 0, 0.0)
                else:
                    yield self._standing((name, number), circuit)

    def _standing(self, key: tuple[str, str], circuit: Circuit) -> Standing:
        return Standing(*key, circuit.state, circuit.opened, circuit.wait(self.now()))

    def _circuit(self, key: tuple[str, str], breaker: Breaker, version: FunctionVersion) -> Circuit:
        """The circuit of a version; a new one where the version or its breaker is another."""
        known = self._circuits.get(key)
        if known is not None and known[0] is version and known[1].breaker is breaker:
            return known[1]
        if known is not None and known[0] == version and known[1].breaker == breaker:
            self._circuits[key] = version, known[1]
            return known[1]
        circuit = Circuit(breaker, version.configuration.timeout + _GRACE)
        self._circuits[key] = version, circuit
        return circuit
