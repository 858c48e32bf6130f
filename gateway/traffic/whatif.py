"""What if an alias led elsewhere: every recorded request decided twice, by the law that decides.

Nothing is sent. Whatever is settled by a rule, by a sticky key or by a main version alone is the
same here as in the gateway, request by request. What is drawn is not: of draws only the shares
are told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from gateway.core import names
from gateway.core.alias import Alias
from gateway.core.certain import certain
from gateway.core.entries import Decision, Entry, Target
from gateway.core.errors import RoutingError
from gateway.core.rules import RequestView
from gateway.core.snapshot import Api, FunctionBackend, Snapshot
from gateway.traffic.recording import Recorded

Look = Callable[[Recorded], tuple[Api, RequestView]]
"""A recorded request as the stage sees it; raises a `RoutingError` where no API takes it."""

DRAWN: Final = "drawn"
"""Stands for a version where a draw settles it."""

_MOVED: Final = 1
_DRAWN: Final = 2


@dataclass(slots=True)
class RuleHits:
    """One rule of the other alias, and what it would do.

    Attributes:
        when: The condition as written.
        version: Where a hit goes.
        requests: How many requests it would settle.
        users: Who sent them.
    """

    when: str
    version: str
    requests: int = 0
    users: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Agreement:
    """What was answered when the recording was made, against what is decided now.

    Attributes:
        same: Requests that had the version that the alias gives them.
        drawn: Requests whose version was drawn, and may be any.
        other: Requests that had another version.
        first: The first of those.
    """

    same: int = 0
    drawn: int = 0
    other: int = 0
    first: Recorded | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked.

    Attributes:
        now: The state as it is.
        then: The same state with another alias; the very same where none is asked about.
        target: The function and its alias.
        stage: The stage that the requests are for.
    """

    now: Snapshot
    then: Snapshot
    target: Target
    stage: str

    @property
    def hypothetical(self) -> bool:
        """Whether another alias is asked about."""
        return self.now is not self.then

    def alias(self, *, then: bool) -> Alias:
        """The alias as it is, or as it might be."""
        snapshot = self.then if then else self.now
        return snapshot.functions[self.target.function].aliases[self.target.qualifier]

    def entry(self, *, then: bool) -> Entry:
        """The same, compiled."""
        snapshot = self.then if then else self.now
        return snapshot.entries[self.target.function][self.target.qualifier]


class Comparison:
    """Counts requests under the alias as it is and as it might be.

    Args:
        question: What is asked.
        look: Finds the API of a request.

    Attributes:
        requests: All requests.
        unmatched: Those that no API of the stage takes.
        elsewhere: Those that another function, alias or back end answers.
        moves: The others, by version now and version then; `DRAWN` where a draw settles it.
        rules: The rules of the other alias.
        agreement: What the recording says of the versions that answered.
        keyless: Requests without a value at the key of a sticky split that is to come.
    """

    def __init__(self, question: Question, look: Look) -> None:
        self.question = question
        self._look = look
        self._sticky = [question.entry(then=then).sticky for then in (True, False)]
        self._users: dict[str, int] = {}
        self.requests = self.unmatched = self.elsewhere = self.keyless = 0
        self.moves: Counter[tuple[str, str]] = Counter()
        rules = question.alias(then=True).route.rules
        self.rules = [RuleHits(rule.when, rule.version) for rule in rules]
        self.agreement = Agreement()

    def over(self, requests: Iterable[Recorded]) -> Comparison:
        """Decide and count requests; gives itself back."""
        for request in requests:
            self.add(request)
        return self

    def add(self, request: Recorded) -> None:
        """Decide and count one request."""
        self.requests += 1
        try:
            api, view = self._look(request)
        except RoutingError:
            self.unmatched += 1
            return
        asked, backend = self.question, api.backend
        if not isinstance(backend, FunctionBackend) or backend.target != asked.target:
            self.elsewhere += 1
            return
        now = certain(asked.now, asked.target, view)
        then = certain(asked.then, asked.target, view) if asked.hypothetical else now
        self._count(request, view, now, then)

    @property
    def decided(self) -> int:
        """Requests that the alias decides."""
        return self.moves.total()

    def users(self) -> dict[str, int]:
        """Users by what becomes of them: moved, stay, or cannot be told for a draw settles it."""
        counted = Counter(self._users.values())
        moved = counted[_MOVED] + counted[_MOVED | _DRAWN]
        return {"total": counted.total(), "moved": moved, "untold": counted[_DRAWN]}

    def shares(self, *, then: bool) -> dict[str, float]:
        """How many requests each version gets; of drawn ones its share."""
        counts: dict[str, float] = {}
        drawn = 0
        for pair, count in self.moves.items():
            version = pair[1] if then else pair[0]
            if version == DRAWN:
                drawn += count
            else:
                counts[version] = counts.get(version, 0) + count
        split = self.question.entry(then=then).split
        for version, share in zip(split.versions, split.shares, strict=True) if split else ():
            counts[version] = counts.get(version, 0) + float(share) * drawn
        return dict(sorted(counts.items(), key=lambda item: names.version_order(item[0])))

    def drawn(self, *, then: bool) -> int:
        """How many requests are drawn."""
        return sum(count for pair, count in self.moves.items() if pair[then] == DRAWN)

    def _count(
        self, request: Recorded, view: RequestView, now: Decision | None, then: Decision | None
    ) -> None:
        self.moves[now.version if now else DRAWN, then.version if then else DRAWN] += 1
        user = self._user(request, view)
        if user is not None:
            moved = now is not None and then is not None and now.version != then.version
            drawn = now is None or then is None
            self._users[user] = self._users.get(user, 0) | moved * _MOVED | drawn * _DRAWN
        if then is not None and then.reason.startswith("rule:"):
            hit = self.rules[int(then.reason[5:]) - 1]
            hit.requests += 1
            if user is not None:
                hit.users.add(user)
        if then is None and self._sticky[0] is not None:
            self.keyless += 1
        self._compare(request, now)

    def _user(self, request: Recorded, view: RequestView) -> str | None:
        """Who sent a request: as recorded, or by the key of a sticky split."""
        if request.user is not None:
            return request.user
        keys = (sticky(view) for sticky in self._sticky if sticky is not None)
        return next((key for key in keys if key is not None), None)

    def _compare(self, request: Recorded, now: Decision | None) -> None:
        answer = request.answer
        if answer is None or answer.version is None:
            return
        if now is None:
            self.agreement.drawn += 1
        elif answer.version == now.version:
            self.agreement.same += 1
        else:
            self.agreement.other += 1
            self.agreement.first = self.agreement.first or request
