"""One run: the requests are dealt out, the counts collected and watched, and it ends by itself.

It ends when every request was settled, when its time is over, when its splits are decided or when
its last step has what it waits for. Before it ends no request is begun any more and those under
way are settled, so that what is counted here is what the gateway has counted.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import gevent
from locust.runners import STATE_MISSING, LocalRunner, MasterRunner

from gateway.verdict import Outcome
from loadtests import output
from loadtests.about import circumstances
from loadtests.breakdown import breakdown
from loadtests.catalogue import chosen
from loadtests.collection import Collection
from loadtests.dealing import Deal, rate_of_each, sender
from loadtests.gate import Refusal, refusal
from loadtests.judgement import conclude
from loadtests.moving import Moving
from loadtests.options import terms
from loadtests.report import Facts, Result
from loadtests.source import source
from loadtests.steering import Unsteerable
from loadtests.watches import Watches, decided
from loadtests.worker import CLOSED, DEALT, LIVE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.verdict import Look
    from loadtests.sender import Sender
    from loadtests.terms import Terms

LOCAL: Final = "local"
"""The name of the one sender where there are no workers."""

_BEAT: Final = 0.1
"""Seconds between two looks at how far a run is."""

_PATIENCE: Final = 30.0
"""Seconds in which requests under way are settled, once no more are begun."""


class Run:
    """One run.

    Attributes:
        sender: What sends the requests of this process; `None` where workers do.
    """

    def __init__(
        self,
        number: int,
        options: Any,  # noqa: ANN401 - a namespace
        runner: LocalRunner | MasterRunner,
        over: Callable[[Refusal | None], None],
    ) -> None:
        """Deal out the requests, after the first step where weights are moved.

        Args:
            number: Tells this run from others of the same process.
            options: What the run was told.
            runner: Locust's.
            over: Is called once, when the run has ended by itself.

        Raises:
            Misuse: The options make no run.
            Unsteerable: The first step cannot be made.
        """
        self.sender: Sender | None = None
        self._number = number
        self._options = options
        self._runner = runner
        self._over = over
        self._watches = Watches()
        self._looks: Mapping[str, Look] | None = None
        self._started, self._closed, self._ended = monotonic(), 0.0, 0.0
        self._moving = Moving(options, terms(options)) if chosen(options).moves else None
        wanted = None if self._moving is not None else options.requests or None
        self._collection = Collection(number, wanted, self._names())
        if self._moving is not None:
            self._moving.advance()
        self._deal()

    def _names(self) -> list[str]:
        if not isinstance(self._runner, MasterRunner):
            return [LOCAL]
        clients = self._runner.clients
        return [client.id for client in clients.ready + clients.running + clients.spawning]

    def _deal(self) -> None:
        """Deal out the requests: to the workers, or to the users of this process."""
        rate, told = rate_of_each(self._options), self._told_to_workers()
        for name, part in self._collection.parts.items():
            deal = Deal(self._number, part, rate)
            if isinstance(self._runner, MasterRunner):
                self._runner.send_message(DEALT, {**deal._asdict(), **told}, name)
            else:
                self.sender = sender(self._options, deal, self._beat)

    def _told_to_workers(self) -> dict[str, Any]:
        """What each worker is told beside its part.

        One that was forked from here has the traffic; another machine has no file of it.
        """
        if not isinstance(self._runner, MasterRunner):
            return {}
        traffic = None if self._options.processes else source(self._options).steps
        return {"program": version("gateway-simulator"), "traffic": traffic}

    @property
    def terms(self) -> Terms:
        """What the run is judged by."""
        return self._moving.terms if self._moving is not None else terms(self._options)

    @property
    def through(self) -> bool:
        """Whether it has ended by itself, or has seen everything that it waits for."""
        return self._collection.finished or bool(self._closed)

    def result(self, host: str, *, interrupted: bool) -> Result:
        """Everything known so far."""
        self._take_own()
        judged, tally = self.terms, self._collection.tally
        watched = self._options.until_decided or not self._ended
        if watched:
            self._looks = self._watches.look(tally, judged)
        facts = Facts(
            host=host,
            wanted=self._moving.wanted if self._moving else self._collection.requests,
            seconds=(self._ended or monotonic()) - self._started,
            finished=self._collection.finished,
            interrupted=interrupted,
            about=circumstances(self._options, len(self._collection.parts)),
            users=source(self._options).users,
        )
        workers = enumerate(self._collection.tallies.values(), start=1)
        tallies = {f"worker {number}": counted for number, counted in workers}
        parts = breakdown(tallies, tally, judged)
        looks = self._looks if watched else None
        return Result(facts, judged, tally, conclude(tally, judged, looks, parts))

    def watch(self) -> None:
        """From now on, notice how far it is."""
        gevent.spawn(self._watch)

    def _watch(self) -> None:
        line = output.Progress(self._options)
        while not self._ended:
            self._lose_missing()
            self._take_own()
            # Here alone, because a step takes a while and must not be made twice.
            if not self._closed and self._is_enough():
                self._close()
            self._beat()
            line.show(self._collection, monotonic() - self._started)
            gevent.sleep(_BEAT)
        line.clear()

    def _lose_missing(self) -> None:
        """Notice workers that went away, and requests that nobody settles."""
        impatient = self._closed and monotonic() - self._closed > _PATIENCE
        for name in self._collection.waiting:
            if impatient:
                self._collection.lose(name, "not settled in time")
            elif isinstance(self._runner, MasterRunner):
                client = self._runner.clients.get(name)
                if client is None or client.state == STATE_MISSING:
                    self._collection.lose(name, "lost with its worker")

    def take(self, name: str, counted: dict[str, Any]) -> None:
        """Take what a worker has counted."""
        self._collection.take(name, counted)
        self._beat()

    def _take_own(self) -> None:
        if self.sender is not None:
            self._collection.hold(LOCAL, self.sender.tally, self.sender.requests)

    def _beat(self) -> None:
        """Notice what was counted, and end when everything is settled."""
        self._take_own()
        if self._collection.finished and not self._ended:
            self.end()
            self._over(None)

    def _is_enough(self) -> bool:
        """Whether no more requests should be begun."""
        limit = self._options.seconds
        if limit and monotonic() - self._started >= limit:
            return True
        if self._options.until_decided:
            self._looks = self._watches.look(self._collection.tally, self.terms)
            if decided(self._looks) and not self._has_steps_left():
                return True
        return self._moving is not None and self._move()

    def _has_steps_left(self) -> bool:
        """Whether weights are still to be moved, and nothing speaks against it."""
        if self._moving is None or self._moving.over or self._looks is None:
            return False
        return all(look.outcome is not Outcome.FAILED for look in self._looks.values())

    def _move(self) -> bool:
        """Make the next step, if the present one has what it waits for; `True` after the last."""
        moving = self._moving
        if moving is None:
            return False
        looks = self._looks if self._options.until_decided else None
        if not moving.enough(self._collection.tally, looks):
            return False
        if moving.over:
            return True
        try:
            self._make_known(moving.advance())
        except Unsteerable as error:
            self.end()
            self._over(refusal(error))
        return False

    def _make_known(self, revision: int) -> None:
        """Tell everybody which revision is live."""
        if self.sender is not None:
            self.sender.floor = revision
        elif isinstance(self._runner, MasterRunner):
            self._runner.send_message(LIVE, {"run": self._number, "revision": revision})

    def _close(self) -> None:
        """Begin no more requests."""
        self._closed = monotonic()
        if self.sender is not None:
            self.sender.close()
            self._take_own()
        elif isinstance(self._runner, MasterRunner):
            self._runner.send_message(CLOSED, {"run": self._number})

    def end(self) -> None:
        """Note the end, and put back what was moved."""
        self._ended = self._ended or monotonic()
        if self._moving is not None:
            try:
                self._moving.restore()
            except Unsteerable as error:
                output.complain(refusal(error))
