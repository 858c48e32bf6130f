"""One process conducts a run: it asks whether the run may start, collects the counts, and judges.

The exit code is set where Locust looks for it before it looks at anything else, so that its own
statistics cannot overrule the verdict.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, cast

import gevent
from locust.runners import STATE_MISSING, STATE_RUNNING, STATE_SPAWNING, LocalRunner, MasterRunner

from loadtests import output
from loadtests.about import circumstances
from loadtests.collection import Collection, report
from loadtests.course import parse_mix
from loadtests.exits import Exit
from loadtests.gate import Refusal, check, give_up
from loadtests.interrupt import on_ctrl_c
from loadtests.judgement import conclude
from loadtests.options import read_log, terms
from loadtests.report import Facts, Result
from loadtests.sender import Sender
from loadtests.watches import Watches, decided
from loadtests.worker import COUNTED, DEALT, KEY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from locust.env import Environment
    from locust.rpc.protocol import Message

    from gateway.verdict import Look

_LOCAL: Final = "local"
_BEAT: Final = 0.5
"""Seconds between two looks at how far a run is."""


class Conductor:
    """Conducts the runs of one Locust process that is no worker; a web UI may start several."""

    def __init__(
        self,
        environment: Environment,
        runner: LocalRunner | MasterRunner,
        hand_over: Callable[[Sender | None], None],
    ) -> None:
        self.environment = environment
        self.refused: Refusal | None = None
        self._runner = runner
        self._hand_over = hand_over
        options: Any = environment.parsed_options
        self._options = options
        self._collection: Collection | None = None
        self._sender: Sender | None = None
        self._watches: Watches | None = None
        self._looks: Mapping[str, Look] | None = None
        self._runs = 0
        self._started = self._ended = 0.0
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
            events.worker_report.add_listener(self._reported)
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
        collection = self._collection
        if collection is None:
            return None
        self._look()
        judged, tally = terms(self._options), collection.tally
        facts = Facts(
            host=str(self.environment.host),
            wanted=collection.requests,
            seconds=(self._ended or monotonic()) - self._started,
            finished=collection.finished,
            interrupted=self._interrupted,
            about=circumstances(self._options, len(collection.parts)),
        )
        return Result(facts, judged, tally, conclude(tally, judged, self._looks))

    def _start(self, **_kwargs: object) -> None:
        self._hand_over(None)
        self._collection = None
        self.refused = None if self._at_once else check(self._options, self.environment.host)
        self._at_once = False  # a second run is started in the web UI, which may name another host
        if self.refused is not None:
            output.complain(self.refused)
            gevent.spawn(self._end)
            return
        self._runs += 1
        self._started, self._ended = monotonic(), 0.0
        judged = terms(self._options)
        self._watches = Watches(judged) if judged.until_decided else None
        self._looks = None
        self._deal()
        gevent.spawn(self._watch, self._runs)

    def _deal(self) -> None:
        """Deal out the requests: to the workers, or to the users of this process."""
        wanted = self._options.requests
        if isinstance(self._runner, MasterRunner):
            clients = self._runner.clients
            names = [client.id for client in clients.ready + clients.running + clients.spawning]
            self._collection = Collection(self._runs, wanted, names)
            for name, part in self._collection.parts.items():
                self._runner.send_message(DEALT, {"run": self._runs, "part": list(part)}, name)
            return
        self._collection = Collection(self._runs, wanted, [_LOCAL])
        _, steps = read_log(self._options.access_log)
        part = self._collection.parts[_LOCAL]
        self._sender = Sender(steps, parse_mix(self._options.mix), part, self._look)
        self._hand_over(self._sender)

    def _reported(self, client_id: str, data: dict[str, Any], **_kwargs: object) -> None:
        if KEY in data:
            self._take(client_id, data[KEY])

    def _counted(self, msg: Message, **_kwargs: object) -> None:
        self._take(msg.node_id, msg.data)

    def _take(self, sender: str, counted: dict[str, Any]) -> None:
        if self._collection is not None:
            self._collection.take(sender, counted)
            self._look()

    def _look(self) -> None:
        """Notice what this process has counted, and whether the run is through."""
        collection = self._collection
        if collection is None:
            return
        if self._sender is not None:
            collection.take(_LOCAL, report(self._runs, self._sender.tally))
        if not self._ended and (self._decided(collection) or collection.finished):
            self._ended = monotonic()
            gevent.spawn(self._end)

    def _decided(self, collection: Collection) -> bool:
        """Whether a run that is watched need not go on."""
        if self._watches is None:
            return False
        self._looks = self._watches.look(collection.tally)
        return decided(self._looks)

    def _watch(self, run: int) -> None:
        """Notice workers that went away, and say how far the run is."""
        line = output.Progress(self._options)
        while self._runs == run and self._collection is not None and not self._ended:
            if isinstance(self._runner, MasterRunner):
                for name in self._collection.waiting:
                    client = self._runner.clients.get(name)
                    if client is None or client.state == STATE_MISSING:
                        self._collection.lose(name, "lost with its worker")
            self._look()
            line.show(self._collection, monotonic() - self._started)
            gevent.sleep(_BEAT)
        line.clear()

    def _end(self) -> None:
        """End the run; without a web UI, and with it if asked so, Locust ends too."""
        runner, web_ui = self._runner, cast("Any", self.environment.web_ui)
        if self._options.headless or web_ui is None:
            runner.quit()
            return
        while isinstance(runner, MasterRunner) and not runner.spawning_completed:
            gevent.sleep(_BEAT)  # users that are still to come would start after the stop
        runner.stop()
        if self._options.autostart and self._options.autoquit >= 0:
            gevent.sleep(self._options.autoquit)
            runner.quit()
            web_ui.stop()

    def _stopped(self, **_kwargs: object) -> None:
        self._ended = self._ended or monotonic()
        result = self.result()
        if result is not None and self.environment.web_ui is not None:
            output.publish(result, self._options.verdict_json)

    def _quitting(self, **_kwargs: object) -> None:
        collection = self._collection
        over = self._looks is not None and decided(self._looks)
        unfinished = collection is not None and not collection.finished and not over
        never_began = collection is None and self.refused is None
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
            output.publish(result, self._options.verdict_json)
