"""A Locust worker sends the part that the master deals out, and tells what it has counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from loadtests.collection import report
from loadtests.course import Part, parse_mix
from loadtests.expectations import Misuse
from loadtests.interrupt import on_ctrl_c
from loadtests.options import read_log
from loadtests.sender import Sender

if TYPE_CHECKING:
    from locust.env import Environment
    from locust.rpc.protocol import Message
    from locust.runners import WorkerRunner

DEALT: Final = "gateway-part"
"""Master to worker: the number of the run and the worker's part."""

COUNTED: Final = "gateway-counted"
"""Worker to master: the counts when the part is through, or when the run ends before."""

KEY: Final = "gateway"
"""Where the counts so far stand in the report that every worker makes every few seconds."""


class Worker:
    """Listens to the master."""

    def __init__(
        self,
        environment: Environment,
        runner: WorkerRunner,
        hand_over: Callable[[Sender | None], None],
    ) -> None:
        self._environment = environment
        self._runner = runner
        self._hand_over = hand_over
        self._run = 0
        self._part = Part(0, 1, 0)
        self._sender: Sender | None = None
        on_ctrl_c(lambda: None)
        runner.register_message(DEALT, self._take_part)
        events: Any = environment.events
        events.test_start.add_listener(self._start)
        events.test_stop.add_listener(self._tell)
        events.report_to_master.add_listener(self._report)
        events.quitting.add_listener(self._quit)

    def _take_part(self, msg: Message, **_kwargs: object) -> None:
        self._run, self._part = msg.data["run"], Part(*msg.data["part"])
        self._sender = None

    def _start(self, **_kwargs: object) -> None:
        options: Any = self._environment.parsed_options
        try:
            _, steps = read_log(options.access_log)
            self._sender = Sender(steps, parse_mix(options.mix), self._part, self._tell)
        except Misuse as error:
            self._runner.send_message(COUNTED, {"run": self._run, "broken": str(error)})
        self._part = Part(0, 1, 0)  # until the master deals again, there is nothing to send
        self._hand_over(self._sender)

    def _tell(self, **_kwargs: object) -> None:
        if self._sender is not None:
            self._runner.send_message(COUNTED, report(self._run, self._sender.tally))

    def _report(self, data: dict[str, Any], **_kwargs: object) -> None:
        if self._sender is not None:
            data[KEY] = report(self._run, self._sender.tally)

    def _quit(self, **_kwargs: object) -> None:
        self._tell()
        # Failed requests are the master's to judge; a worker's own exit code says nothing.
        self._environment.process_exit_code = 0
