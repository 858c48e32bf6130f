"""The tap: what callers of a stage send and get, copied while somebody records.

It stands before the data plane and hands everything on at once; nobody who is answered waits for
whoever reads. While nobody records there is no tap, and the data plane looks for one but once a
request. A request that is copied is answered in ASGI's own two messages, the only ones that can be
looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from gateway.core.errors import RoutingError
from gateway.core.snapshot import Service, Stage
from gateway.dataplane.address import Addresses
from gateway.dataplane.asgi import Message, Receive, Scope, Send
from gateway.dataplane.exchange import REPLY
from gateway.dataplane.tap_tape import LARGE, UNREAD, Bounds, Captured, Tape
from gateway.live import Live

if TYPE_CHECKING:
    from gateway.dataplane.plane import DataPlane

Line = Callable[[Captured, frozenset[str]], bytes]
"""Makes a line of a recording, without the values of some headers."""

_BODY: Final = (b"content-length", b"transfer-encoding")
_NOWHERE: Final = Service("", "")


class Tap:
    """Copies the requests of stages that somebody records, and hands all of them on.

    Args:
        live: Where the snapshot is read from.
        clock: The monotonic clock, in seconds.
    """

    def __init__(self, live: Live, clock: Callable[[], float]) -> None:
        self._tapes: tuple[Tape, ...] = ()
        self._live = live
        self._clock = clock
        self._snapshot = live.snapshot
        self._addresses = Addresses(live.snapshot)

    @property
    def is_idle(self) -> bool:
        """Whether nobody records."""
        return not self._tapes

    def open(self, stage: str, bounds: Bounds) -> Tape:
        """Begin to record a stage, by any name that reaches it.

        Raises:
            StageNotFound: There is no such stage.
        """
        service = self._live.snapshot.default_service or _NOWHERE
        tape = Tape(service.stage(stage).name, bounds, self._clock)
        self._tapes += (tape,)
        return tape

    def close(self, tape: Tape) -> None:
        """End a recording; twice is once."""
        tape.close()
        self._tapes = tuple(each for each in self._tapes if each is not tape)

    def around(self, scope: Scope, receive: Receive, send: Send) -> tuple[Scope, Receive, Send]:
        """What to answer in place of a request: itself, or one that is copied meanwhile."""
        if scope["type"] != "http":
            return scope, receive, send
        host = next((value for name, value in scope["headers"] if name == b"host"), b"")
        try:
            stage, path = self._locate(host.decode("latin-1"), scope["path"])
        except RoutingError:
            return scope, receive, send
        # A stage of another service may have the same name.
        service = self._snapshot.default_service or _NOWHERE
        known = service.stages.get(stage.name) is stage
        tapes = [t for t in self._tapes if known and t.stage == stage.name and t.admits()]
        if not tapes:
            return scope, receive, send
        copying = _Copying(scope, _raw(scope, path), tapes)
        extensions = {
            name: what for name, what in scope.get("extensions", {}).items() if name != REPLY
        }
        scope = {**scope, "extensions": extensions}
        return scope, copying.receiving(receive), copying.sending(send)

    def _locate(self, host: str, path: str) -> tuple[Stage, str]:
        if self._snapshot is not self._live.snapshot:
            self._snapshot = self._live.snapshot
            self._addresses = Addresses(self._snapshot)
        return self._addresses.locate(host, path)


class Recorder:
    """Puts the tap before a data plane while somebody records, and makes lines of what it saw.

    Args:
        plane: The data plane.
        tap: The tap.
        line: Makes a line.
    """

    def __init__(self, plane: DataPlane, tap: Tap, line: Line) -> None:
        self._plane = plane
        self._tap = tap
        self._line = line

    def open(self, stage: str, *, rate: float, body: int, hidden: frozenset[str]) -> Recording:
        """Begin to record a stage.

        Args:
            stage: The stage, by any name that reaches it.
            rate: Requests a second that are taken at most.
            body: Bytes that a body may have.
            hidden: Headers whose values are left out, in lower case.

        Raises:
            StageNotFound: There is no such stage.
        """
        tape = self._tap.open(stage, Bounds(rate, body))
        self._plane.tap = self._tap
        return Recording(tape, lambda each: self._line(each, hidden), lambda: self._close(tape))

    def _close(self, tape: Tape) -> None:
        self._tap.close(tape)
        if self._tap.is_idle:
            self._plane.tap = None


class Recording:
    """One recording that is under way, until it is closed.

    Args:
        tape: What it is read from.
        line: Makes a line of a request.
        close: Ends it; twice is once.

    Attributes:
        stage: The stage's own name.
        close: Ends it; twice is once.
    """

    def __init__(
        self, tape: Tape, line: Callable[[Captured], bytes], close: Callable[[], None]
    ) -> None:
        self.stage = tape.stage
        self.close = close
        self._tape = tape
        self._line = line

    @property
    def recorded(self) -> int:
        """How many requests were recorded."""
        return self._tape.recorded

    def dropped(self) -> dict[str, int]:
        """How many were not, by why."""
        return self._tape.dropped()

    async def lines(self, most: int) -> bytes:
        """The next lines, one at least; none once it is closed and nothing waits any more."""
        return b"".join(map(self._line, await self._tape.take(most)))


class _Copying:
    """One request that is copied while it is answered."""

    def __init__(self, scope: Scope, path: str, tapes: list[Tape]) -> None:
        self._scope = scope
        self._path = path
        self._tapes = [(tape, tape.elapsed()) for tape in tapes]
        self._most = max(tape.bounds.body for tape in tapes)
        self._body = bytearray()
        self._size = 0
        headers = scope["headers"]
        self._is_read = not any(name in _BODY and value != b"0" for name, value in headers)
        self._status = 0
        self._said: dict[bytes, bytes] = {}

    def receiving(self, receive: Receive) -> Receive:
        """`receive` that looks at what it hands on."""

        async def received() -> Message:
            message = await receive()
            if message["type"] == "http.request":
                self._take(message.get("body", b""))
                self._is_read = self._is_read or not message.get("more_body", False)
            return message

        return received

    def sending(self, send: Send) -> Send:
        """`send` that looks at what went out."""

        async def sent(message: Message) -> None:
            await send(message)
            if message["type"] == "http.response.start":
                self._status = message["status"]
                self._said = {name.lower(): value for name, value in message.get("headers", ())}
            elif not message.get("more_body", False):
                self._end()

        return sent

    def _take(self, body: bytes) -> None:
        self._size += len(body)
        if self._size <= self._most:
            self._body += body
        else:
            self._body.clear()

    def _end(self) -> None:
        """The answer is out: a copy goes onto each tape that takes it."""
        for tape, began in self._tapes:
            if self._size > tape.bounds.body:
                tape.drop(LARGE)
            elif not self._is_read:
                tape.drop(UNREAD)
            else:
                tape.put(self._captured(tape, began))

    def _captured(self, tape: Tape, began: float) -> Captured:
        scope = self._scope
        return Captured(
            at=began,
            method=scope["method"],
            path=self._path,
            query=scope["query_string"],
            headers=scope["headers"],
            body=bytes(self._body),
            stage=tape.stage,
            status=self._status,
            seconds=tape.elapsed() - began,
            said=self._said,
        )


def _raw(scope: Scope, path: str) -> str:
    """The path without the stage, as it travels; `path` is the same, decoded."""
    raw: str = scope["raw_path"].decode("latin-1")
    if path == scope["path"]:  # it is the host that names the stage
        return raw
    end = raw.find("/", 1)
    return "/" if end < 0 else raw[end:]
