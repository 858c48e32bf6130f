"""All processes as one: what each tells counts once, whenever it comes, whatever its clock says."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from gateway.controlplane.logbook import Clocks
from gateway.controlplane.peers import GONE, LATELY, Peers
from gateway.observe import Counters, Interval, Label, Observer, Portion
from gateway.observe.batch import Active, Batch, Counted, Gauges, Sender

LABEL = Label("release", "orders", "release", "1", "main")
OWN = Sender("here", "control", 77, 1000.0)
WORKER = Sender("here", "worker-1", 77, 1001.0)
ELSEWHERE = Sender("there", "main", 5, 900.0)
BOOTED = 990.0
"""When the monotonic clock of this machine began, in seconds since 1970."""


@dataclass
class Asked:
    """A request as the observer sees one."""

    began: float = 0.0
    id: str = "a"
    method: str = "GET"
    path: str = "/"
    query_string: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class Here:
    """One process and its clocks."""

    def __init__(self) -> None:
        self.now = 20.0
        self.lag = 0.0
        self.observer = Observer(lambda: self.now)
        clocks = Clocks(lambda: self.now + BOOTED, lambda: self.now)
        self.running = {("orders", "1"): (1, 2)}
        self.peers = Peers(
            self.observer, clocks, OWN, lambda: Gauges(7, self.observer.dropped), self.activity
        )

    def activity(self) -> dict[tuple[str, str], tuple[int, int]]:
        """What goes on here."""
        return self.running

    def answer(self, times: int, status: int = 200) -> None:
        """Answers of this process."""
        for _ in range(times):
            self.observer.note(self.observer.cell(LABEL), status, Asked(self.now - 0.01), 7)
        self.observer.settle()

    def told(self, sender: Sender, number: int, requests: int, **more: object) -> None:
        """Another process tells so many answers so far; those of this batch are as many."""
        at, since = self.now + BOOTED, BOOTED
        counts = (Counted(LABEL, False, {200: requests}),)
        batch = Batch(sender, number, at, since, False, Gauges(6), (), counts, (portion(self.now),))
        self.peers.take(batch._replace(**more))  # type: ignore[arg-type]


@pytest.fixture
def here() -> Here:
    """One each."""
    return Here()


def portion(now: float, requests: int = 3) -> Portion:
    """Some answers."""
    interval = Interval()
    interval.latency.add(0.01, requests)
    return Portion(LABEL, 7, int(now), interval)


def whole(here: Here) -> int:
    """How many answers the course over time has."""
    return here.observer.series.whole(LABEL).requests


def test_a_process_that_is_alone_is_all_there_is(here: Here) -> None:
    """Its own counters, not a copy."""
    here.answer(3)
    assert here.peers.counters() is here.observer.counters
    assert (here.peers.since(), here.peers.dropped()) == (1000.0, 0)
    assert here.peers.activity() == {("orders", "1"): (1, 2)}
    (own,) = here.peers.processes()
    assert (own.sender, own.gauges.revision, here.peers.age(own)) == (OWN, 7, 0.0)
    assert here.peers.beside() == [own]


def test_counts_of_others_are_their_last_ones(here: Here) -> None:
    """A word that is lost costs nothing, and one that comes again changes nothing."""
    here.answer(1)
    here.told(WORKER, 1, 10)
    here.told(WORKER, 3, 30)
    here.told(WORKER, 3, 30)
    here.told(WORKER, 2, 20)
    here.told(ELSEWHERE, 1, 5)
    here.told(OWN, 9, 1000)
    assert here.peers.counters().total() == 36
    assert here.observer.counters.total() == 1
    assert whole(here) == 1 + 3 * 3
    assert here.peers.since() == 900.0


def test_cells_that_are_not_told_again_stay(here: Here) -> None:
    """Only what has changed is told."""
    here.told(WORKER, 1, 10)
    other = (Counted(LABEL, True, {403: 2}),)
    here.told(WORKER, 2, 0, counts=other)
    assert here.peers.counters().tallies()[LABEL[:4]].kinds == {"malformed": 2}
    assert here.peers.counters().total() == 12


@pytest.mark.parametrize(
    ("since_epoch", "second", "expected"),
    [
        pytest.param(BOOTED, 18, 18, id="one machine"),
        pytest.param(BOOTED + 0.0004, 18, 18, id="clocks read one after the other"),
        pytest.param(BOOTED + 500.0, -482, 18, id="a machine that was started later"),
        pytest.param(BOOTED - 600.2, 618, 18, id="and earlier"),
        pytest.param(BOOTED + 3600.0, 18, 20, id="a clock that is ahead"),
        pytest.param(BOOTED - 3600.0, 18, -3582, id="a clock that is behind"),
    ],
)
def test_seconds_are_those_of_this_machine(
    here: Here, since_epoch: float, second: int, expected: int
) -> None:
    """By way of the time of day; nothing is from the future."""
    told = (portion(second),)
    here.told(ELSEWHERE, 1, 3, since_epoch=since_epoch, portions=told)
    assert [at for at, _ in here.observer.series.seconds(LABEL, -10_000)] == [expected]


def test_who_is_silent_is_gone_and_his_counts_stay(here: Here) -> None:
    """What ran there does not run any more; his starts have been."""
    here.told(WORKER, 1, 10, activity=(Active("orders", "1", 5, 1),))
    here.told(ELSEWHERE, 1, 10, activity=(Active("orders", "2", 3, 1),), ended=True)
    assert here.peers.activity() == {("orders", "1"): (6, 3), ("orders", "2"): (0, 1)}
    here.now += GONE + 1
    assert here.peers.activity() == {("orders", "1"): (1, 3), ("orders", "2"): (0, 1)}
    assert [here.peers.is_gone(each) for each in here.peers.processes()] == [False, True, True]
    here.now += LATELY
    assert [each.sender for each in here.peers.processes()] == [OWN]
    here.peers.forget()
    assert here.peers.counters().total() == 20


def test_who_takes_the_place_of_another_tells_that_it_has_ended(here: Here) -> None:
    """Nobody waits for the silence of one that was killed; what is heard of it late counts."""
    here.told(WORKER, 1, 10)
    here.told(WORKER._replace(process="worker-2"), 1, 1)
    here.told(WORKER._replace(started=1005.0), 1, 4)
    seen = [(each.sender.started, here.peers.is_gone(each)) for each in here.peers.processes()]
    assert seen == [(1000.0, False), (1001.0, True), (1005.0, False), (1001.0, False)]
    assert here.peers.counters().total() == 15


def test_who_is_gone_and_has_counted_nothing_is_forgotten(here: Here) -> None:
    """Otherwise processes that die at once, again and again, would fill the memory."""
    here.told(WORKER, 1, 0, counts=())
    here.now += LATELY - 1
    here.peers.forget()
    assert len(here.peers._others) == 1
    here.now += 2
    here.peers.forget()
    assert here.peers._others == {}


def test_what_was_told_before_this_process_began_is_as_old_as_it_says(here: Here) -> None:
    """A worker that went on while this one was replaced: its past belongs to the course."""
    early = {"at": OWN.started - 5.0}
    here.told(WORKER, 1, 10, **early)
    (_, worker) = here.peers.processes()
    assert here.peers.age(worker) == pytest.approx(15.0)
    assert (whole(here), worker.latency) == (3, {})
    here.told(WORKER, 2, 20)
    assert worker.latency[LABEL[:4]].requests == 3
    assert not here.peers.is_gone(worker)


def test_beside_are_the_processes_of_the_same_gateway(here: Here) -> None:
    """One that took the place of another has its name; other nodes are not among them."""
    here.answer(2)
    here.told(WORKER, 1, 10)
    here.told(WORKER._replace(started=1005.0), 1, 4)
    here.told(WORKER._replace(process="worker-2"), 1, 6)
    here.told(WORKER._replace(family=78), 1, 100)
    here.told(ELSEWHERE, 1, 100)
    found = {each.sender.process: each for each in here.peers.beside()}
    assert {name: each.counters.total() for name, each in found.items()} == {
        "control": 2, "worker-1": 4, "worker-2": 6,
    }  # fmt: skip
    assert found["control"].latency[LABEL[:4]].requests == 2
    here.now += LATELY + 1
    assert [each.sender for each in here.peers.beside()] == [OWN]


def test_delays_are_the_longest_since_somebody_looked(here: Here) -> None:
    """Whoever scrapes and whoever is told do not take them from each other."""
    here.observer._lag = 0.5
    assert here.peers.processes()[0].lag == 0.5
    assert here.peers.word().gauges.lag == 0.5
    assert here.peers.word().gauges.lag == 0.0
    assert [each.longest_lag() for each in here.peers.beside()] == [0.5]
    assert [each.longest_lag() for each in here.peers.beside()] == [0.0]
    for number, lag in enumerate((0.1, 0.9, 0.2), 1):
        here.told(WORKER, number, 1, gauges=Gauges(6, lag=lag))
    assert [each.longest_lag() for each in here.peers.beside()] == [0.0, 0.9]


def test_what_others_have_dropped_is_counted(here: Here) -> None:
    """The last word of each."""
    here.observer.dropped = 1
    here.told(WORKER, 1, 1, gauges=Gauges(6, dropped=5))
    here.told(WORKER, 2, 1, gauges=Gauges(6, dropped=7))
    assert here.peers.dropped() == 8


def test_what_no_log_has_kept_is_counted(here: Here) -> None:
    """Of all of them."""
    here.told(WORKER, 1, 1, gauges=Gauges(6, left_out=5))
    here.told(ELSEWHERE, 1, 1, gauges=Gauges(6, left_out=2))
    assert here.peers.left_out() == 7


def test_counters_are_added_up_cell_by_cell() -> None:
    """By label, form and status."""
    one, two = Counters(), Counters()
    one.cell(LABEL).count(200)
    two.cell(LABEL).count(200)
    two.cell(LABEL).count(500)
    two.cell(LABEL, malformed=True).count(403)
    together = Counters.together([one, two])
    assert [(each.malformed, each.statuses) for each in together.cells()] == [
        (False, {200: 2, 500: 1}),
        (True, {403: 1}),
    ]
    assert (one.total(), two.total()) == (1, 3)
