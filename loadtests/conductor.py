"""One process conducts a run: it asks whether the run may start, collects the counts, and judges.

The exit code is set where Locust looks for it before it looks at anything else, so that its own
statistics cannot overrule the verdict.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, cast

import gevent
from locust.runners import STATE_RUNNING, STATE_SPAWNING, LocalRunner, MasterRunner

from loadtests import output
from loadtests.exits import Exit
from loadtests.expectations import Misuse
from loadtests.gate import Refusal, check, give_up, refusal
from loadtests.interrupt import on_ctrl_c
from loadtests.running import Run
from loadtests.steering import Unsteerable
from loadtests.worker import COUNTED

if TYPE_CHECKING:
    from locust.env import Environment
    from locust.rpc.protocol import Message

    from loadtests.report import Result
    from loadtests.sender import Sender

_BEAT: Final = 0.5
"""Seconds between two looks at users that are still to come."""


class Conductor:
    """Conducts the runs of one Locust process that is no worker; a web UI may start several."""

    def __init__(
        self,
        environment: Environment,
        runner: LocalRunner | MasterRunner,
        hand_over: Callable[[Sender | None], None],
    ) -> None:
        """Listen to Locust, and refuse a run that may not start.

        Args:
            environment: Locust's.
            runner: Locust's.
            hand_over: Gives the users what they send.
        """
        self.environment = environment
        self.refused: Refusal | None = None
        self._runner = runner
        self._hand_over = hand_over
        options: Any = environment.parsed_options
        self.options = options
        self._run: Run | None = None
        self._runs = 0
        self._ctrl_c = self._interrupted = False
        self._at_once = bool(options.headless or options.autostart)
        self._listen()
        if self._at_once:
            refused = check(options, environment.host)
            if refused is not None:
                give_up(refused)

    def _listen(self) -> None:
        events: Any = self.environment.events
        events.test_start.add_listener(self._start)
        events.test_stop.add_listener(self._stopped)
        events.quitting.add_listener(self._quitting)
        events.quit.add_listener(self._quit)
        if isinstance(self._runner, MasterRunner):
            self._runner.register_message(COUNTED, self._counted)
        on_ctrl_c(self._note_ctrl_c)

    def _note_ctrl_c(self) -> None:
        self._ctrl_c = True

    @property
    def running(self) -> bool:
        """Whether requests are being sent."""
        return self._runner.state in {STATE_RUNNING, STATE_SPAWNING}

    def result(self) -> Result | None:
        """Everything known so far of the latest run; `None` before the first."""
        if self._run is None:
            return None
        return self._run.result(str(self.environment.host), interrupted=self._interrupted)

    def _start(self, **_kwargs: object) -> None:
        self._hand_over(None)
        self._run = None
        self.refused = None if self._at_once else check(self.options, self.environment.host)
        self._at_once = False  # a second run is started in the web UI, which may name another host
        if self.refused is not None:
            output.complain(self.refused)
            gevent.spawn(self._end)
            return
        self._runs += 1
        try:
            self._run = Run(self._runs, self.options, self._runner, self._over)
        except (Misuse, Unsteerable) as error:
            self._over(refusal(error))
            return
        self._hand_over(self._run.sender)
        self._run.watch()

    def _counted(self, msg: Message, **_kwargs: object) -> None:
        if self._run is not None:
            self._run.take(msg.node_id, msg.data)

    def refuse(self, refused: Refusal) -> None:
        """Say why the run may not start or go on; it is up to the caller to end it."""
        self.refused = refused
        output.complain(refused)

    def _over(self, refused: Refusal | None) -> None:
        """Every request was sent and settled, or the run could not go on."""
        if refused is not None:
            self.refuse(refused)
        gevent.spawn(self._end)

    def _end(self) -> None:
        """End the run; without a web UI, and with it if asked so, Locust ends too."""
        runner, web_ui = self._runner, cast("Any", self.environment.web_ui)
        if self.options.headless or web_ui is None:
            runner.quit()
            return
        while isinstance(runner, MasterRunner) and not runner.spawning_completed:
            gevent.sleep(_BEAT)  # users that are still to come would start after the stop
        runner.stop()
        if self.options.autostart and self.options.autoquit >= 0:
            gevent.sleep(self.options.autoquit)
            runner.quit()
            web_ui.stop()

    def _stopped(self, **_kwargs: object) -> None:
        if self._run is None:
            return
        self._run.end()
        result = self.result()
        if result is not None and self.environment.web_ui is not None:
            output.publish(result, self.options.verdict_json)

    def _quitting(self, **_kwargs: object) -> None:
        unfinished = self._run is not None and not self._run.through
        never_began = self._run is None and self.refused is None
        cut = unfinished and (self._ctrl_c or self.running)
        gone = never_began and self._ctrl_c and self.environment.web_ui is None
        # Locust may shut down twice at once; what was true the first time stays true.
        self._interrupted = self._interrupted or cut or gone
        self.environment.process_exit_code = int(self._code())

    def _code(self) -> Exit:
        if self.refused is not None:
            return self.refused.code
        result = self.result()
        if result is None:
            return Exit.INTERRUPTED if self._interrupted else Exit.PASSED
        return result.code

    def _quit(self, **_kwargs: object) -> None:
        result = self.result()
        if result is not None and (self.environment.web_ui is None or self._interrupted):
            output.publish(result, self.options.verdict_json)
