"""Counts add up, whoever counted, and a sender's answers are counted for what they say."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import pytest
from gevent import GreenletExit

from loadtests.catalogue import TESTS
from loadtests.collection import Collection, report
from loadtests.course import Part
from loadtests.pace import Pace
from loadtests.sender import Sender
from loadtests.tally import Cell, Problem, Tally, merged
from loadtests.traffic import BOB, Step

CELL = Cell("release", "others", "2", "weight", "1")
STEP = Step(BOB, "GET", "/orders/7", "/orders/{id}", {"User": "Bob"}, None)


def test_a_failed_answer_that_names_its_version_counts_twice_over() -> None:
    """For the split, because the version was chosen, and as an error."""
    tally = Tally()
    tally.answered(CELL)
    tally.answered(CELL, "status 500")
    tally.lost(Problem("dev", "no answer"), 3)
    assert tally.answers[CELL] == 2
    assert tally.failures[CELL] == 1
    assert tally.errors == {Problem("release", "status 500"): 1, Problem("dev", "no answer"): 3}
    assert tally.requests == 5


def test_a_tally_survives_the_way_to_the_master_and_sums_up() -> None:
    """Through values that JSON knows."""
    tally = Tally()
    tally.answered(CELL)
    tally.answered(CELL, "status 500")
    tally.lost(Problem("dev", "no answer"))
    tally.outdated[CELL] += 1
    tally.timed(CELL, 1.5, 0.02)
    tally.stuck(CELL, "Ada")
    copy = Tally.from_data(json.loads(json.dumps(tally.to_data())))
    assert copy.to_data() == tally.to_data()
    both = merged([tally, copy])
    assert (both.requests, both.answers[CELL], both.failures[CELL]) == (6, 4, 2)
    assert (both.errors.total(), both.outdated[CELL]) == (4, 2)
    assert both.latency["release", "2"].total == 2
    assert both.keys["release", "1"].sightings == {"Ada": {"2": 2}}
    assert both.timeline.entries() == [{"second": 1, "seconds": 1, "stages": {"release": {"2": 2}}}]


def counted(number: int) -> Tally:
    """A tally of so many answers."""
    tally = Tally()
    tally.answers[CELL] = number
    return tally


class TestCollection:
    def test_it_is_finished_when_every_sender_is(self) -> None:
        collection = Collection(1, 5, ["a", "b"])
        collection.take("a", report(1, counted(3), 3))
        assert collection.waiting == {"b"}
        collection.take("b", report(1, counted(2), 2))
        assert collection.finished
        assert collection.tally.answers[CELL] == 5

    def test_a_report_replaces_the_one_before(self) -> None:
        collection = Collection(1, 5, ["a"])
        for number in (2, 2, 4, 3):
            collection.take("a", report(1, counted(number), 5))
        assert collection.tally.answers[CELL] == 4

    @pytest.mark.parametrize(("sender", "run"), [("a", 7), ("stranger", 1)])
    def test_reports_of_other_runs_and_of_strangers_are_ignored(
        self, sender: str, run: int
    ) -> None:
        collection = Collection(1, 5, ["a"])
        collection.take(sender, report(run, counted(5), 5))
        assert not collection.tally.requests
        assert not collection.finished

    def test_what_a_lost_sender_owes_are_errors(self) -> None:
        collection = Collection(1, 5, ["a"])
        collection.take("a", report(1, counted(2), 5))
        collection.lose("a", "lost with its worker")
        collection.lose("a", "twice is once")
        assert collection.finished
        assert collection.tally.errors == {Problem("-", "lost with its worker"): 3}
        assert collection.tally.requests == 5

    def test_a_sender_may_say_itself_that_it_is_broken(self) -> None:
        collection = Collection(1, 5, ["a"])
        collection.take("a", {"run": 1, "broken": "no such log"})
        assert collection.tally.errors == {Problem("-", "no such log"): 5}

    def test_a_sender_that_was_closed_owes_no_more_than_it_has_begun(self) -> None:
        collection = Collection(1, None, ["a", "b"])
        collection.take("a", report(1, counted(3), 4))
        assert collection.waiting == {"a", "b"}
        for name in ("a", "b"):
            collection.take(name, report(1, counted(4), 4))
        assert collection.finished
        assert collection.tally.answers[CELL] == 8
        assert {name: tally.requests for name, tally in collection.tallies.items()} == {
            "a": 4,
            "b": 4,
        }

    def test_where_nobody_knows_how_much_is_owed_a_lost_sender_is_one_error(self) -> None:
        collection = Collection(1, None, ["a"])
        collection.lose("a", "lost with its worker")
        assert collection.tally.errors == {Problem("-", "lost with its worker"): 1}

    def test_a_sender_without_requests_is_not_waited_for(self) -> None:
        collection = Collection(1, 1, ["a", "b"])
        collection.take("a", report(1, counted(1), 1))
        assert collection.finished


class Answer:
    """An answer as Locust's client gives it."""

    def __init__(self, status: int, headers: dict[str, str] | None) -> None:
        self.status_code = status
        self.headers = headers
        broken = headers is SAID and status == 206
        error = ConnectionRefusedError() if not status else EOFError() if broken else None
        self.request_meta = {"exception": error}
        self.outcome: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        return None

    def failure(self, problem: str) -> None:
        """Locust counts it as bad."""
        self.outcome = problem


class Client:
    """Gives the same answer every time."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked: list[tuple[Any, ...]] = []

    def request(self, method: str, path: str, **options: Any) -> Answer:  # noqa: ANN401
        """Send nothing."""
        self.asked.append((method, path, options))
        return self.answer


SAID = {"x-gateway-version": "4", "x-gateway-reason": "rule:1", "x-gateway-revision": "9"}
ANSWERS: dict[str, tuple[int, dict[str, str] | None, str | None]] = {
    "fine": (200, SAID, None),
    "created": (201, SAID, None),
    "failed": (500, SAID, "status 500 from version 4"),
    "a redirect": (302, SAID, "status 302 from version 4"),
    "broken off": (206, SAID, "answer broken off from version 4 (EOFError)"),
    "no version": (200, {}, "no X-Gateway-Version"),
    "no stage": (404, {}, "status 404"),
    "nobody": (0, None, "no answer (ConnectionRefusedError)"),
}


class Gone(Client):
    """Is killed while it waits for the answer."""

    def request(self, method: str, path: str, **options: Any) -> Answer:  # noqa: ANN401
        """Never answer."""
        super().request(method, path, **options)
        raise GreenletExit


@pytest.fixture
def sender() -> Callable[[list[str]], Sender]:
    """Sends two requests of Bob's to prepub."""

    def make(done: list[str]) -> Sender:
        traffic = [STEP], {"prepub": 1.0}
        test = TESTS["distribution"]
        return Sender(test, traffic, Part(0, 1, 2), Pace(None), lambda: done.append("done"))

    return make


@pytest.mark.parametrize(("status", "headers", "problem"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_is_counted_for_what_it_says(
    sender: Callable[[list[str]], Sender],
    status: int,
    headers: dict[str, str] | None,
    problem: str | None,
) -> None:
    """And Locust's statistics are told the same."""
    sending, client = sender([]), Client(Answer(status, headers))
    assert sending.send_next(client)
    assert client.answer.outcome == problem
    assert sending.tally.requests == 1
    assert sending.tally.errors == ({Problem("prepub", problem): 1} if problem else {})
    named = bool(headers and "x-gateway-version" in headers)
    assert sending.tally.answers == ({Cell("prepub", BOB, "4", "rule:1", "9"): 1} if named else {})


def test_a_sender_stops_after_its_last_request(sender: Callable[[list[str]], Sender]) -> None:
    """And says so once, when the last one is settled."""
    done: list[str] = []
    sending, client = sender(done), Client(Answer(200, SAID))
    assert [sending.send_next(client) for _ in range(4)] == [True, True, False, False]
    assert done == ["done"]
    assert sending.done
    method, path, options = client.asked[0]
    assert (method, path, options["headers"]) == ("GET", "/prepub/orders/7", {"User": "Bob"})
    assert options["allow_redirects"] is False


def test_a_request_whose_user_was_killed_is_lost_and_not_forgotten(
    sender: Callable[[list[str]], Sender],
) -> None:
    """The sum is right."""
    done: list[str] = []
    sending, client = sender(done), Gone(Answer(200, SAID))
    for _ in range(2):
        with pytest.raises(GreenletExit):
            sending.send_next(client)
    assert sending.tally.errors == {Problem("prepub", "given up before the answer"): 2}
    assert done == ["done"]


def test_a_sender_that_is_closed_is_done_when_what_is_under_way_is_settled(
    sender: Callable[[list[str]], Sender],
) -> None:
    """And says so once."""
    done: list[str] = []
    sending, client = sender(done), Client(Answer(200, SAID))
    assert sending.send_next(client)
    sending.close()
    sending.close()
    assert (sending.done, sending.requests, done) == (True, 1, ["done"])
    assert not sending.send_next(client)


class Closing(Client):
    """Somebody closes the sender while it waits for an answer."""

    sending: Sender

    def request(self, method: str, path: str, **options: Any) -> Answer:  # noqa: ANN401
        """Answer all the same."""
        self.sending.close()
        assert not self.sending.done
        return super().request(method, path, **options)


def test_what_is_under_way_when_a_sender_is_closed_is_counted(
    sender: Callable[[list[str]], Sender],
) -> None:
    """It was sent, and the gateway has counted it."""
    done: list[str] = []
    sending, client = sender(done), Closing(Answer(200, SAID))
    client.sending = sending
    assert sending.send_next(client)
    assert (sending.done, sending.tally.requests, done) == (True, 1, ["done"])


@pytest.mark.parametrize(
    ("floor", "outdated"), [(0, 0), (9, 0), (10, 1)], ids=["unknown", "live", "replaced"]
)
def test_an_answer_of_a_revision_that_was_replaced_before_is_noted(
    sender: Callable[[list[str]], Sender], floor: int, outdated: int
) -> None:
    """A change holds for the next request."""
    sending = sender([])
    sending.floor = floor
    sending.send_next(Client(Answer(200, SAID)))
    assert sending.tally.outdated.total() == outdated


def test_a_request_that_was_sent_before_a_change_may_be_answered_as_before(
    sender: Callable[[list[str]], Sender],
) -> None:
    """The revision was live when it left."""
    sending = sender([])

    class Moving(Client):
        def request(self, method: str, path: str, **options: Any) -> Answer:  # noqa: ANN401
            sending.floor = 10
            return super().request(method, path, **options)

    sending.send_next(Moving(Answer(200, SAID)))
    assert not sending.tally.outdated


def test_sticky_keys_are_seen_where_they_are_asked_for() -> None:
    """By the name of the user, and by stage and revision."""
    step = STEP._replace(user="Ada")
    sending = Sender(
        TESTS["sticky"], ([step], {"release": 1.0}), Part(0, 1, 2), Pace(None), lambda: None
    )
    sending.send_next(Client(Answer(200, SAID)))
    assert sending.tally.keys["release", "9"].sightings == {"Ada": {"4": 1}}
    assert sending.pause(1) == 0
