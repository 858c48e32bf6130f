"""What one process sends and counts: the next request, its answer, one more in the tally.

It knows Locust's HTTP client and nothing else of Locust.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from time import monotonic
from typing import Any

from gevent import GreenletExit

from loadtests.catalogue import LoadTest
from loadtests.course import Course, Part, StagedCourse
from loadtests.pace import Pace
from loadtests.tally import Cell, Problem, Tally
from loadtests.traffic import Step


class Sender:
    """Sends the requests of one process, whichever of its users asks for the next one.

    Attributes:
        tally: What came back so far.
        floor: The revision that is live, where the test itself has made it: no request that is
            sent from now on may be answered by an older one. 0 where nothing is known.
    """

    def __init__(
        self,
        test: LoadTest,
        traffic: tuple[Sequence[Step], Mapping[str, float]],
        of: Part,
        pace: Pace,
        when_done: Callable[[], None],
    ) -> None:
        """Begin now.

        Args:
            test: What is asked of the answers.
            traffic: The requests, and how they are spread over the stages.
            of: What of them this process sends.
            pace: How fast.
            when_done: Is called once every request is sent and settled.
        """
        self.tally = Tally()
        self.floor = 0
        self._by_keys = test.by_keys
        self._course = (StagedCourse if test.own_stage else Course)(*traffic, of)
        self._pace = pace
        self._settled = 0
        self._cells: dict[tuple[str | None, ...], Cell] = {}
        self._when_done = when_done
        self._started = monotonic()

    @property
    def done(self) -> bool:
        """Whether every request was sent and settled."""
        return self._settled >= self._course.requests

    @property
    def requests(self) -> int:
        """How many requests there are in all: fewer than at first, once it was closed."""
        return self._course.requests

    def close(self) -> None:
        """Begin no more requests; those under way are settled."""
        was_done = self.done
        self._course.close()
        if self.done and not was_done:
            self._when_done()

    @property
    def paced(self) -> bool:
        """Whether users have to wait between two requests."""
        return self._pace.stated

    def pause(self, users: int) -> float:
        """How long the user that asks should wait before its next request."""
        return self._pace.pause(monotonic(), users)

    def send_next(self, client: Any, place: int = 0) -> bool:  # noqa: ANN401 - a FastHttpSession
        """Send the next request and count its answer; `False` if there is none left.

        Args:
            client: The connection.
            place: Its number.
        """
        turn = self._course.next(place)
        if turn is None:
            return False
        stage, step = turn
        try:
            self._send(client, stage, step)
        except GreenletExit:  # Locust has lost patience with its user
            self.tally.lost(Problem(stage, "given up before the answer"))
            raise
        finally:
            self._settled += 1
            if self._settled == self._course.requests:
                self._when_done()
        return True

    def _send(self, client: Any, stage: str, step: Step) -> None:  # noqa: ANN401
        floor, begun = self.floor, monotonic()
        with client.request(
            step.method,
            f"/{stage}{step.path}",
            name=f"/{stage}{step.name}",
            data=step.body,
            headers=step.headers,
            allow_redirects=False,
            catch_response=True,
        ) as response:
            ended = monotonic()
            cell = self._cell(stage, step.who, response.headers or {})
            problem = _problem(response, "" if cell is None else f" from version {cell.version}")
            if cell is None:
                problem = problem or "no X-Gateway-Version"
                self.tally.lost(Problem(stage, problem))
            else:
                self.tally.answered(cell, problem)
                self.tally.timed(cell, ended - self._started, ended - begun)
                self._note(cell, step, floor)
            if problem is not None:
                response.failure(problem)

    def _cell(self, stage: str, who: str, headers: Mapping[str, str]) -> Cell | None:
        """What an answer says of itself; `None` if it names no version."""
        get = headers.get
        version = get("x-gateway-version")
        if version is None:
            return None
        said = (
            stage, who, version, get("x-gateway-reason"), get("x-gateway-revision"),
            get("x-gateway-alias"),
        )  # fmt: skip
        cell = self._cells.get(said)
        if cell is None:  # few say something new
            cell = self._cells[said] = Cell(*(word or "" for word in said))
        return cell

    def _note(self, cell: Cell, step: Step, floor: int) -> None:
        """Note what the test is about."""
        if self._by_keys:
            self.tally.stuck(cell, step.user)
        if floor and cell.revision.isdecimal() and int(cell.revision) < floor:
            self.tally.outdated[cell] += 1


def _problem(response: Any, whose: str) -> str | None:  # noqa: ANN401 - a FastResponse
    """How a request failed; Locust knows of answers that broke off in the middle."""
    error: BaseException | None = response.request_meta["exception"]
    status: int = response.status_code
    if 200 <= status < 300:
        return f"answer broken off{whose} ({type(error).__name__})" if error else None
    if status:
        return f"status {status}{whose}"
    return f"no answer ({type(error).__name__ if error else 'connection lost'})"
