"""Recorded requests, altered on their way: pure, one request at a time, in the order they came.

The window is cut first, in the time of the recording; then the user is told, whom a sample goes
by; then the path, the host and the headers change. What is not asked for costs nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from itertools import count
from typing import Final, Literal

from gateway.core.errors import Refused, refuse
from gateway.core.rules import parse_key
from gateway.traffic.mapping import NO_EDIT, HeaderEdit, HostMap, PathMap
from gateway.traffic.recording import Recorded
from gateway.traffic.view import ADDRESS, RecordedView, address_of

SampleBy = Literal["user", "request"]
SAMPLE_BY: Final[tuple[SampleBy, ...]] = ("user", "request")

Step = Callable[[Recorded], Recorded | None]
"""A request to what becomes of it; `None` leaves it out."""

_LONE: Final = 1.0
"""Seconds that a round of a single request lasts."""


@dataclass(frozen=True, slots=True)
class Rewriting:
    """What becomes of recorded requests before they are kept or sent.

    Attributes:
        user_from: Where the user of a request is found: `address`, or a key as rules have it.
        paths: Tried in order; the first that fits replaces a path.
        hosts: The same for the header Host.
        headers: What is removed and set.
        sample: The share that is kept.
        sample_by: Whether a sample keeps whole users or single requests.
        begin: Seconds into the recording from which on requests are kept.
        end: Seconds into the recording up to which they are; `None` for all.
        loop: How often the whole is played.

    Raises:
        Refused: `user_from` is no key.
    """

    user_from: str | None = None
    paths: tuple[PathMap, ...] = ()
    hosts: tuple[HostMap, ...] = ()
    headers: HeaderEdit = NO_EDIT
    sample: float = 1.0
    sample_by: SampleBy = "user"
    begin: float = 0.0
    end: float | None = None
    loop: int = 1

    def __post_init__(self) -> None:
        if self.user_from is not None:
            user_key(self.user_from)

    def over(self, play: Callable[[], Iterable[Recorded]]) -> Generator[Recorded, None, None]:
        """What is left of a recording, as often as it is played.

        Args:
            play: Gives the recording from its beginning; called once for each round.
        """
        start = 0.0
        for _ in range(self.loop):
            number, last = 0, 0.0
            for number, request in enumerate(self.once(play()), start=1):  # noqa: B007
                last = request.at
                yield request._replace(at=start + last) if start else request
            start += self._lasts(number, last)

    def once(self, requests: Iterable[Recorded]) -> Iterator[Recorded]:
        """What is left of the requests of one round, each as it comes."""
        windowed = iter(requests) if self._whole else self._window(requests)
        steps = self._steps()
        return _through(steps, windowed) if steps else windowed

    @property
    def _whole(self) -> bool:
        return self.begin == 0 and self.end is None

    def _window(self, requests: Iterable[Recorded]) -> Iterator[Recorded]:
        begin, end = self.begin, math.inf if self.end is None else self.end
        for request in requests:
            if begin <= request.at < end:
                yield request._replace(at=request.at - begin)

    def _lasts(self, number: int, last: float) -> float:
        """Seconds of a round: of the window, or up to one usual gap behind the last request."""
        if self.end is not None:
            return self.end - self.begin
        return last + last / (number - 1) if number > 1 else _LONE

    def _steps(self) -> list[Step]:
        steps: list[Step] = []
        if self.user_from is not None:
            steps.append(_telling_user(user_key(self.user_from)))
        if self.sample < 1:
            steps.append(_sampling(self.sample, self.sample_by))
        if self.paths:
            steps.append(_mapping_paths(self.paths))
        if self.hosts or self.headers:
            steps.append(_editing(self.hosts, self.headers))
        return steps


NOTHING: Final = Rewriting()
"""Requests stay what they are."""


def user_key(text: str) -> Callable[[Recorded], str | None]:
    """Where the user of a request is found.

    Args:
        text: `address` for the client's address, or `invoke.headers.X`, `invoke.cookies.X`,
            `invoke.query.X`, `invoke.body.$...` as rules have them.

    Raises:
        Refused: It is none of these.
    """
    if text == ADDRESS:
        return address_of
    if text.startswith("invoke.path."):
        hint = "a header, a cookie, a query parameter or a JSON path into the body can"
        refuse("unknown-key", f"{text!r} cannot tell users: recordings know no API's path", hint)
    try:
        first = parse_key(text).first
    except Refused as refused:
        problem = refused.problems[0]
        message = f"{problem.message}; or {ADDRESS!r} for the client's address"
        refuse(problem.code, message, problem.hint)
    return lambda request: first(RecordedView(request))


def sample_draw(key: str) -> float:
    """Where in [0, 1) a key falls: the same everywhere, and unlike any sticky split of an alias."""
    digest = blake2b(key.encode(errors="surrogatepass"), digest_size=8, person=b"sample")
    return (int.from_bytes(digest.digest()) >> 11) * 2.0**-53


def _through(steps: list[Step], requests: Iterable[Recorded]) -> Iterator[Recorded]:
    for request in requests:
        current: Recorded | None = request
        for step in steps:
            current = step(current) if current is not None else None
        if current is not None:
            yield current


def _telling_user(find: Callable[[Recorded], str | None]) -> Step:
    return lambda request: request._replace(user=find(request))


def _sampling(share: float, by: SampleBy) -> Step:
    """Keep a share; a request without a user counts as a user of its own."""
    numbers = count()

    def keep(request: Recorded) -> Recorded | None:
        number = next(numbers)
        user = request.user if by == "user" else None
        key = f"request {number}" if user is None else f"user {user}"
        return request if sample_draw(key) < share else None

    return keep


def _mapping_paths(maps: tuple[PathMap, ...]) -> Step:
    def mapped(request: Recorded) -> Recorded:
        for each in maps:
            path = each.mapped(request.path)
            if path is not None:
                return request._replace(path=path)
        return request

    return mapped


def _editing(hosts: tuple[HostMap, ...], edit: HeaderEdit) -> Step:
    def edited(request: Recorded) -> Recorded:
        headers = request.headers
        for each in hosts:
            changed = each.mapped(headers)
            if changed is not None:
                headers = changed
                break
        return request._replace(headers=edit.edited(headers, request.user))

    return edited
