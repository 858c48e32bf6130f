"""One connection to a back end: one request at a time, as bytes, and its answer by pieces.

Reading pauses when nobody takes the pieces, and every wait for the back end has its limit. What it
sends unasked, or beyond its answer, ends the connection: the next answer could not be trusted.
"""

from __future__ import annotations

import asyncio
from typing import Final, cast

from gateway.dataplane.backends_answer import BackendFailed, BackendSilent, Head, Incoming
from gateway.dataplane.dialling import Origin

HIGH_WATER: Final = 64 * 1024
"""Bytes of an answer that may wait to be passed back before reading pauses."""


class Wire(asyncio.Protocol):
    """A connection.

    Args:
        origin: Who is at the other end.
        loop: The event loop.

    Attributes:
        origin: Who is at the other end.
        reused: Whether it has carried an earlier request.
        idle_since: When its last request was over.
        incoming: The answer that is awaited or read; `None` between requests.
        sent: Whether the whole request was handed over.
        patient: Whether the caller, not the back end, is awaited at the moment.
    """

    def __init__(self, origin: Origin, loop: asyncio.AbstractEventLoop) -> None:
        self.origin = origin
        self.reused = False
        self.idle_since = 0.0
        self.incoming: Incoming | None = None
        self.sent = True
        self.patient = False
        self._loop = loop
        self._transport: asyncio.Transport = cast("asyncio.Transport", None)
        self._lost: BackendFailed | None = None
        self._room = asyncio.Event()
        self._room.set()
        self._waiters: list[asyncio.Future[None]] = []
        self._is_paused = False
        self._seconds = 0.0
        self._touched = 0.0  # when the back end last gave a sign, or was last sent something

    # --- what the pool asks ---------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """Whether the connection stands, as far as this side knows."""
        return self._lost is None and not self._transport.is_closing()

    @property
    def reusable(self) -> bool:
        """Whether another request may follow the one that it carried."""
        answer = self.incoming
        done = answer is not None and answer.complete and not answer.is_last
        return done and self.sent and self.is_open

    @property
    def was_dead(self) -> bool:
        """Whether the back end had left a kept connection before it was used again."""
        begun = self.incoming is not None and self.incoming.begun
        return self.reused and not begun and not isinstance(self._lost, BackendSilent)

    def rest(self) -> None:
        """No request is under way: whatever comes now comes unasked."""
        self.incoming = None

    def close(self) -> None:
        """End the connection at once."""
        self._fail(BackendFailed("the connection was closed"))

    # --- what the forwarder asks ----------------------------------------------------------------

    def begin(self, head: bytes, seconds: float, *, is_head: bool) -> None:
        """Send the head of a request; then `seconds` may pass without a sign of the back end."""
        self.incoming = Incoming(is_head=is_head, wake=self._wake)
        self.sent = True
        self.patient = False
        self._seconds = seconds
        self.write(head)

    def write(self, data: bytes) -> None:
        """Send bytes."""
        self._touched = self._loop.time()
        self._transport.write(data)

    async def drained(self) -> None:
        """Wait until the back end has read enough, or is gone."""
        if not self._room.is_set():
            await self._room.wait()
            self._touched = self._loop.time()

    async def wants_body(self, seconds: float) -> bool:
        """Wait for the back end to ask for the body, but not for ever: it need not know how.

        Returns:
            Whether to send it; not to one that has answered already.
        """
        answer = self._answer()
        try:
            async with asyncio.timeout(seconds):
                while answer.head is None and not answer.asked and self.is_open:
                    await self._woken()
        except TimeoutError:
            pass
        return answer.head is None

    async def head(self) -> Head:
        """The head of the answer.

        Raises:
            BackendFailed: There is none, or it is no HTTP.
            BackendSilent: It took too long.
        """
        answer = self._answer()
        while answer.head is None:
            await self._wait()
        return answer.head

    @property
    def is_answered(self) -> bool:
        """Whether the whole answer is here."""
        return self._answer().complete

    async def piece(self) -> bytes:
        """The next piece of the body; nothing when it is over.

        Raises:
            BackendFailed: It broke off.
            BackendSilent: The next byte took too long.
        """
        answer = self._answer()
        while not (answer.waiting or answer.complete):
            await self._wait()
        data = answer.take()
        if self._is_paused and not self._transport.is_closing():
            self._is_paused = False
            self._touched = self._loop.time()
            self._transport.resume_reading()
        return data

    # --- what the transport says ----------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is gone, which ends a body that has no other end."""
        answer = self.incoming
        if error is None and answer is not None and answer.until_end:
            answer.complete = True
        what = f"it broke the connection: {error}" if error else "it closed the connection"
        self._fail(BackendFailed(what))

    def eof_received(self) -> None:
        """The back end is done; so is the connection, and the transport closes."""

    def pause_writing(self) -> None:
        """The back end reads too slowly."""
        self._room.clear()

    def resume_writing(self) -> None:
        """The back end caught up."""
        self._room.set()

    def data_received(self, data: bytes) -> None:
        """Bytes of an answer."""
        answer = self.incoming
        if answer is None or answer.complete:
            self.close()  # nobody asked
            return
        self._touched = self._loop.time()
        try:
            answer.read(data)
        except BackendFailed as failure:
            self._fail(failure)
        else:
            if answer.waiting > HIGH_WATER and not self._is_paused and not answer.complete:
                self._is_paused = True
                self._transport.pause_reading()

    # --------------------------------------------------------------------------------------------

    def _answer(self) -> Incoming:
        if self.incoming is None:
            raise BackendFailed("it was asked nothing")
        return self.incoming

    def _fail(self, failure: BackendFailed) -> None:
        self._lost = self._lost or failure
        self._transport.abort()
        self._room.set()
        self._wake()

    def _wake(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def _woken(self) -> None:
        waiter = self._loop.create_future()
        self._waiters.append(waiter)
        try:
            await waiter
        finally:
            self._waiters.remove(waiter)

    async def _wait(self) -> None:
        if self._lost is not None:
            raise self._lost
        self._timer = self._loop.call_later(self._seconds, self._look)
        try:
            await self._woken()
        finally:
            self._timer.cancel()

    def _look(self) -> None:
        """The time is up, unless there was a sign of the back end in the meantime."""
        left = self._touched + self._seconds - self._loop.time()
        if self.patient or left > 0:
            left = self._seconds if self.patient else left
            self._timer = self._loop.call_later(left, self._look)
        else:
            self._fail(BackendSilent(f"it was silent for {self._seconds:g} s"))
