"""What one process sends and counts: the next request, its answer, one more in the tally.

It knows Locust's HTTP client and nothing else of Locust.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from loadtests.course import Course, Part
from loadtests.tally import Cell, Problem, Tally
from loadtests.traffic import Step


class Sender:
    """Sends the requests of one process, whichever of its users asks for the next one."""

    def __init__(
        self,
        steps: Sequence[Step],
        mix: Mapping[str, float],
        of: Part,
        when_done: Callable[[], None],
    ) -> None:
        self.tally = Tally()
        self._course = Course(steps, mix, of)
        self._settled = 0
        self._when_done = when_done

    @property
    def done(self) -> bool:
        """Whether every request was sent and settled."""
        return self._settled >= self._course.requests

    def send_next(self, client: Any) -> bool:  # noqa: ANN401 - a FastHttpSession
        """Send the next request and count its answer; `False` if there is none left."""
        turn = self._course.next()
        if turn is None:
            return False
        stage, step = turn
        with client.request(
            step.method,
            f"/{stage}{step.path}",
            name=f"/{stage}{step.name}",
            data=step.body,
            headers=step.headers,
            allow_redirects=False,
            catch_response=True,
        ) as response:
            problem = self._count(stage, step.who, response)
            if problem is not None:
                response.failure(problem)
        self._settled += 1
        if self.done:
            self._when_done()
        return True

    def _count(self, stage: str, who: str, response: Any) -> str | None:  # noqa: ANN401
        """Count an answer and return what is wrong with it, if anything is."""
        headers: Mapping[str, str] = response.headers or {}
        version = headers.get("x-gateway-version")
        error, status = response.request_meta["exception"], response.status_code
        if version is not None:
            reason, revision = headers.get("x-gateway-reason"), headers.get("x-gateway-revision")
            problem = _problem(status, error, f" from version {version}")
            self.tally.answered(Cell(stage, who, version, reason or "", revision or ""), problem)
            return problem
        problem = _problem(status, error, "") or "no X-Gateway-Version"
        self.tally.lost(Problem(stage, problem))
        return problem


def _problem(status: int, error: BaseException | None, whose: str) -> str | None:
    """How a request failed; Locust knows of answers that broke off in the middle."""
    if not status:
        return f"no answer ({type(error).__name__ if error else 'connection lost'})"
    if not 200 <= status < 300:
        return f"status {status}{whose}"
    return f"answer broken off{whose} ({type(error).__name__})" if error else None
