"""A Locust worker sends the part that the master deals out, and tells what it has counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import version
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import gevent

from loadtests.collection import report
from loadtests.course import Part
from loadtests.dealing import NOTHING, Deal, sender
from loadtests.expectations import Misuse
from loadtests.interrupt import on_ctrl_c
from loadtests.sender import Sender
from loadtests.traffic import Step

if TYPE_CHECKING:
    from locust.env import Environment
    from locust.rpc.protocol import Message
    from locust.runners import WorkerRunner

DEALT: Final = "gateway-part"
"""Master to worker: what it is to do, a `Deal`; `traffic`, where it cannot have read that itself;
and `program`, which must be its own, or both would not count alike."""

CLOSED: Final = "gateway-close"
"""Master to worker: begin no more requests."""

LIVE: Final = "gateway-live"
"""Master to worker: the revision that the test itself has just put live."""

COUNTED: Final = "gateway-counted"
"""Worker to master: the counts so far, and once more when the part is through."""

_BEAT: Final = 0.25
"""Seconds between two reports."""

_COST: Final = 20
"""A report takes at most one part in so many of the time."""


class Worker:
    """Listens to the master."""

    def __init__(
        self,
        environment: Environment,
        runner: WorkerRunner,
        hand_over: Callable[[Sender | None], None],
    ) -> None:
        """Take the place of one worker.

        Args:
            environment: Locust's.
            runner: Locust's, with the connection to the master.
            hand_over: Gives the users what they send.
        """
        self._environment = environment
        self._runner = runner
        self._hand_over = hand_over
        self._deal = NOTHING
        self._traffic: Sequence[Step] | None = None
        self._program = version("gateway-simulator")
        self._masters = self._program
        self._sender: Sender | None = None
        on_ctrl_c(lambda: None)
        runner.register_message(DEALT, self._take_part)
        runner.register_message(CLOSED, self._close)
        runner.register_message(LIVE, self._raise_floor)
        events: Any = environment.events
        events.test_start.add_listener(self._start)
        events.test_stop.add_listener(self._tell)
        events.quitting.add_listener(self._quit)

    def _take_part(self, msg: Message, **_kwargs: object) -> None:
        dealt = msg.data
        self._deal = Deal(dealt["run"], Part(*dealt["part"]), dealt["rate"])
        self._masters = dealt["program"]
        told = dealt["traffic"]
        self._traffic = None if told is None else [Step(*fields) for fields in told]
        self._sender = None

    def _start(self, **_kwargs: object) -> None:
        options = self._environment.parsed_options
        try:
            self._check_program()
            self._sender = sender(options, self._deal, self._tell, self._traffic)
        except Misuse as error:
            self._runner.send_message(COUNTED, {"run": self._deal.run, "broken": str(error)})
        self._hand_over(self._sender)
        gevent.spawn(self._tell_often, self._deal.run)
        # Until the master deals again, there is nothing to send.
        self._deal = self._deal._replace(part=NOTHING.part)

    def _check_program(self) -> None:
        if self._masters != self._program:
            message = f"a worker has gateway-simulator {self._program}, the master {self._masters}"
            raise Misuse(f"{message}: install the same on all machines")

    def _tell_often(self, run: int) -> None:
        """Tell while the run lasts, less often the more there is to tell."""
        cost = 0.0
        while self._sender is not None and self._deal.run == run and not self._sender.done:
            gevent.sleep(max(_BEAT, cost * _COST))
            begun = monotonic()
            self._tell()
            cost = monotonic() - begun

    def _tell(self, **_kwargs: object) -> None:
        if self._sender is not None:
            counted = report(self._deal.run, self._sender.tally, self._sender.requests)
            self._runner.send_message(COUNTED, counted)

    def _close(self, msg: Message, **_kwargs: object) -> None:
        if self._sender is not None and msg.data["run"] == self._deal.run:
            self._sender.close()

    def _raise_floor(self, msg: Message, **_kwargs: object) -> None:
        if self._sender is not None and msg.data["run"] == self._deal.run:
            self._sender.floor = msg.data["revision"]

    def _quit(self, **_kwargs: object) -> None:
        self._tell()
        # Failed requests are the master's to judge; a worker's own exit code says nothing.
        self._environment.process_exit_code = 0
