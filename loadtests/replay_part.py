"""What one process plays of a recording: its share of the lines, each when it is due, each once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from time import perf_counter, time
from typing import Any, Self

import gevent

from gateway.traffic.opening import open_lines
from gateway.traffic.outcome import NOTHING, End, Outcome, Said
from gateway.traffic.pacer import Pacer, Survey
from gateway.traffic.recording import Recorded, read
from gateway.traffic.replay import Share, Turn, turns
from gateway.traffic.replay_tally import ReplayTally
from gateway.traffic.sending import INTERRUPTED, NO_STAGE, Target, headers_of

_SAID = ("function", "alias", "version", "reason", "revision")


def opened(path: str) -> Iterator[Recorded]:
    """The requests of a recording."""
    with open_lines(path) as lines:
        yield from read(lines, path)


def plan(
    path: str, speed: float | None, rate: float | None, *, free: bool
) -> tuple[Survey, float | None]:
    """What is known of a recording, and how many times faster it is played.

    Raises:
        TrafficError: It cannot be read, or not be played so.
    """
    survey = Survey.of(opened(path))
    if free:
        return survey, None
    return survey, survey.speed(rate) if rate else speed or 1.0


@dataclass(frozen=True, slots=True)
class Play:
    """What all processes play together.

    Attributes:
        recording: The file.
        survey: What is known of it.
        speed: How many times faster; `None` for as fast as possible.
        where: Where requests go.
    """

    recording: str
    survey: Survey
    speed: float | None
    where: Target

    def to_plain(self) -> dict[str, Any]:
        """Everything as a message can hold it; `from_plain` reads it."""
        plain = asdict(self)
        plain["survey"]["stages"] = sorted(self.survey.stages)
        return plain

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """What `to_plain` told."""
        survey = {**plain["survey"], "stages": frozenset(plain["survey"]["stages"])}
        where = Target(**plain["where"])
        return cls(plain["recording"], Survey(**survey), plain["speed"], where)


class Part:
    """A part.

    Args:
        play: What all play together.
        share: Which lines are sent here.
        begin: When time begins to count, in seconds since 1970.
    """

    def __init__(self, play: Play, share: Share, begin: float) -> None:
        self.tally = ReplayTally()
        self._where = play.where
        self._pacer = Pacer(play.survey, play.speed, perf_counter)
        self._pacer.begin(perf_counter() + begin - time())
        self._turns: Iterator[Turn] = turns(opened(play.recording), self._pacer, share)
        self._requests = share.count(play.survey.requests)
        self._under_way: dict[str, int] = {}
        self._closed = False

    @property
    def done(self) -> bool:
        """Whether nothing more will be counted."""
        return self._closed or self.tally.requests >= self._requests

    def report(self) -> dict[str, Any]:
        """What has been counted so far."""
        return {"tally": self.tally.to_plain(), "done": self.done}

    def close(self) -> None:
        """Send nothing more, and count what is under way as failed."""
        self._closed = True
        for stage, requests in self._under_way.items():
            self.tally.lose(stage, End.FAILED, INTERRUPTED, requests)

    def send_next(self, client: Any) -> bool:  # noqa: ANN401 - a FastHttpSession
        """Wait until the next request is due, and send it; `False` if there is none left."""
        turn = None if self._closed else next(self._turns, None)
        if turn is None:
            return False
        due, recorded = turn
        left = 0.0 if due is None else self._pacer.left(due)
        gevent.sleep(max(left, 0.0))
        if not self._closed:
            self._send(client, recorded, due)
        return True

    def _send(self, client: Any, recorded: Recorded, due: float | None) -> None:  # noqa: ANN401
        stage, begun = self._where.stage_of(recorded), self._pacer.elapsed()
        due = begun if due is None else due
        if not stage:
            self.tally.add(Outcome(End.NOT_SENT, stage, due, begun, begun, why=NO_STAGE))
            return
        self._under_way[stage] = self._under_way.get(stage, 0) + 1
        query = f"?{recorded.query}" if recorded.query else ""
        with client.request(
            recorded.method,
            f"/{stage}{recorded.path}{query}",
            name=f"/{stage}",
            data=recorded.body or None,
            headers=headers_of(recorded.headers),
            allow_redirects=False,
            catch_response=True,
        ) as response:
            status = int(response.status_code or 0)
            error = response.request_meta["exception"]
            if status and not isinstance(error, OSError):
                response.success()  # an answer is an answer, whatever its status
        ended = self._pacer.elapsed()
        self._under_way[stage] -= 1
        if self._closed:
            return
        if status:
            outcome = Outcome(End.ANSWERED, stage, due, begun, ended, status, _said(response))
        elif isinstance(error, ConnectionRefusedError):
            outcome = Outcome(End.NOT_SENT, stage, due, begun, ended, why="no connection")
        else:
            why = f"no answer ({type(error).__name__})"
            outcome = Outcome(End.FAILED, stage, due, begun, ended, why=why)
        self.tally.add(outcome)


def _said(response: Any) -> Said:  # noqa: ANN401 - a FastResponse
    headers: Mapping[str, str] = response.headers or {}
    if "x-gateway-revision" not in headers:
        return NOTHING
    return Said(*(headers.get(f"x-gateway-{name}") or "" for name in _SAID))
