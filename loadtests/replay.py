"""The locustfile that plays a recording: each line once, whoever of many machines sends it.

locust -f loadtests/replay.py --headless -u 200 -r 200 --recording shop.jsonl --stage release
locust -f loadtests/replay.py --headless -u 200 -r 200 --recording shop.jsonl --processes 4

Every worker reads the recording, which must be at the same place everywhere, and sends its share of
the lines when they are due. The master adds up what they counted; workers on other machines begin
at the same time as far as the clocks of the machines agree.
"""

from __future__ import annotations

from time import time
from typing import Any, ClassVar, Final, NoReturn

import gevent
from locust import FastHttpUser, events, task
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from gateway.traffic.failures import TrafficError
from gateway.traffic.replay import Share
from gateway.traffic.replay_report import Facts
from gateway.traffic.sending import Target
from loadtests import target
from loadtests.exits import Exit
from loadtests.gate import Refusal, give_up
from loadtests.interrupt import on_ctrl_c
from loadtests.replay_master import Gathering, publish
from loadtests.replay_options import add_options
from loadtests.replay_part import Part, Play, plan

DEALT: Final = "gateway-replay-part"
"""Master to worker: its part, as plain values."""

CLOSE: Final = "gateway-replay-close"
"""Master to worker: send nothing more, and tell what was counted."""

COUNTED: Final = "gateway-replay-counted"
"""Worker to master: what it has counted so far."""

_BEAT: Final = 0.5
"""Seconds between two looks at how far a replay is."""

_LEAD: Final = 1.0
"""Seconds that all workers have to get ready once they have their parts."""

_PARTING: Final = 2.0
"""Seconds that workers have to tell their last counts."""

_LOCAL: Final = "local"


class Player(FastHttpUser):
    """A connection that sends the next line when it is due."""

    connection_timeout = 10.0
    network_timeout = 30.0
    part: ClassVar[Part | None] = None

    @task
    def send_next(self) -> None:
        """Send a line; where there is none, wait for others to finish."""
        part = Player.part
        if part is None or not part.send_next(self.client):
            gevent.sleep(_BEAT)


class Worker:
    """Sends its part, and tells how that went."""

    def __init__(self, runner: WorkerRunner) -> None:
        self._runner = runner
        on_ctrl_c(lambda: None)
        runner.register_message(DEALT, self._take)
        runner.register_message(CLOSE, self._close)
        listeners: Any = runner.environment.events
        listeners.quitting.add_listener(self._quit)

    def _take(self, msg: Any, **_kwargs: object) -> None:  # noqa: ANN401 - Locust's message
        told = msg.data
        Player.part = Part(Play.from_plain(told["play"]), Share(*told["share"]), told["begin"])
        gevent.spawn(self._tell_often, Player.part)

    def _close(self, **_kwargs: object) -> None:
        if Player.part is not None:
            Player.part.close()
            self._tell(Player.part)

    def _tell_often(self, part: Part) -> None:
        while not part.done:
            gevent.sleep(_BEAT)
            self._tell(part)

    def _tell(self, part: Part) -> None:
        self._runner.send_message(COUNTED, part.report())

    def _quit(self, environment: Environment, **_kwargs: object) -> None:
        self._close()
        environment.process_exit_code = 0  # what became of the requests is the master's to say


class Conductor:
    """Deals out the lines, gathers the counts, and reports."""

    def __init__(self, environment: Environment, runner: Any) -> None:  # noqa: ANN401
        self._environment = environment
        self._runner = runner
        self._options: Any = environment.parsed_options
        self._gathering: Gathering | None = None
        self._interrupted = self._unfinished = False
        listeners: Any = environment.events
        listeners.spawning_complete.add_listener(self._begin)
        listeners.quitting.add_listener(self._quit)
        if isinstance(runner, MasterRunner):
            runner.register_message(COUNTED, self._counted)
        on_ctrl_c(self._note_ctrl_c)
        self._play = self._planned()

    def _planned(self) -> Play:
        """What is played and how fast, or the end of the process."""
        options, host = self._options, str(self._environment.host)
        forbidden = target.refusal(host, options.allow_host)
        if forbidden is not None:
            _give_up(Exit.USAGE, forbidden)
        silent = target.unreachable(host)
        if silent is not None:
            _give_up(Exit.UNREACHABLE, silent)
        try:
            survey, speed = plan(options.recording, options.speed, options.rate, free=options.free)
        except TrafficError as error:
            _give_up(Exit.USAGE, str(error))
        return Play(options.recording, survey, speed, Target(host, options.stage))

    def _begin(self, **_kwargs: object) -> None:
        """Deal out the parts, now that everybody is there."""
        if self._gathering is not None:
            return
        play, runner = self._play, self._runner
        names = [_LOCAL]
        if isinstance(runner, MasterRunner):
            clients = runner.clients
            names = [each.id for each in clients.ready + clients.running + clients.spawning]
        self._gathering = Gathering(play.survey.requests, names)
        begin = time() + _LEAD
        for place, name in enumerate(names):
            if isinstance(runner, MasterRunner):
                told = {"play": play.to_plain(), "share": [place, len(names)], "begin": begin}
                runner.send_message(DEALT, told, name)
            else:
                Player.part = Part(play, Share(place, len(names)), begin)
        gevent.spawn(self._watch, self._gathering, begin)

    def _counted(self, msg: Any, **_kwargs: object) -> None:  # noqa: ANN401 - Locust's message
        if self._gathering is not None:
            self._gathering.take(msg.node_id, msg.data)

    def _watch(self, gathering: Gathering, begin: float) -> None:
        """Look how far it is until nothing more can come."""
        while not gathering.finished:
            gevent.sleep(_BEAT)
            if Player.part is not None:
                gathering.take(_LOCAL, Player.part.report())
            if isinstance(self._runner, MasterRunner):
                gathering.lose_all_but(self._runner.clients)
            gathering.seconds = time() - begin
        self._runner.quit()

    def _close(self, gathering: Gathering) -> None:
        """Have everybody stop, and tell what they have counted."""
        if Player.part is not None:
            Player.part.close()
            gathering.take(_LOCAL, Player.part.report())
            return
        self._runner.send_message(CLOSE)
        deadline = time() + _PARTING
        while time() < deadline and not gathering.finished:
            gevent.sleep(_BEAT / 10)

    def _note_ctrl_c(self) -> None:
        self._interrupted = True

    def _quit(self, **_kwargs: object) -> None:
        gathering = self._gathering
        if gathering is None:
            self._environment.process_exit_code = int(Exit.INTERRUPTED)
            return
        self._unfinished = self._unfinished or not gathering.finished
        self._close(gathering)
        interrupted = self._interrupted or self._unfinished
        report = gathering.report(self._facts(interrupted=interrupted))
        publish(report, self._options.report_json, self._options.report_html)
        code = Exit.INTERRUPTED if interrupted else Exit.PASSED
        if report.tally.losses and not interrupted:
            code = Exit.ERRORS
        self._environment.process_exit_code = int(code)

    def _facts(self, *, interrupted: bool) -> Facts:
        play = self._play
        return Facts(
            recording=play.recording,
            target=play.where.url,
            requests=play.survey.requests,
            seconds=0.0,
            speed=play.speed,
            concurrency=self._options.num_users or 0,
            late=play.survey.late,
            interrupted=interrupted,
        )


def _give_up(code: Exit, sentence: str) -> NoReturn:
    """End this process and the workers that Locust has forked from it."""
    give_up(Refusal(code, code.name.lower(), sentence))


def begin(environment: Environment, runner: Any, **_kwargs: object) -> None:  # noqa: ANN401
    """Take the part that this process has."""
    environment.host = environment.host or target.USUAL
    if isinstance(runner, WorkerRunner):
        Worker(runner)
    else:
        Conductor(environment, runner)


_listeners: Any = events  # Locust declares no types for its listeners
_listeners.init_command_line_parser.add_listener(add_options)
_listeners.init.add_listener(begin)
