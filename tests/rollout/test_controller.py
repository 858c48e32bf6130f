"""The controller against real snapshots and a real observer; only time stands still.

Changes are applied by the pure step that every process uses, or refused in the middle of a move.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, TypeVar

import pytest

from gateway.core.alias import Route, parse_route
from gateway.core.apply import apply
from gateway.core.changes import Batch, Change, DeleteAlias, Publish, PutAlias, PutFunction
from gateway.core.errors import GatewayError, Refused
from gateway.core.snapshot import EMPTY, Snapshot
from gateway.live import Live
from gateway.observe import Label, Observer
from gateway.observe.portions import portions
from gateway.rollout.controller import BEAT, Rollouts
from gateway.rollout.moves import KEPT
from gateway.rollout.rollout import Rollout
from gateway.rollout.told import Desk
from gateway.rollout.watching import Watching

T = TypeVar("T")
LABEL = Label("release", "orders", "release", "2", "weight")
PLAN = {"function": "orders", "alias": "release", "to": "2", "steps": [0.1, 0.5, 1], "every": 10}


@dataclass
class Asked:
    """A request as the observer sees one."""

    began: float
    id: str = "a"
    method: str = "GET"
    path: str = "/"
    query_string: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class Killed(BaseException):
    """The process ends here."""


class Shop:
    """A function with two versions and an alias, its traffic, and a controller."""

    def __init__(self) -> None:
        self.time = 1000.0
        story: list[Change] = [PutFunction("orders", "code"), Publish("orders"), Publish("orders")]
        story += [
            PutAlias("orders", "release", Route("1")),
            PutAlias("orders", "spare", Route("1")),
        ]
        self.live = Live(apply(EMPTY, Batch(tuple(story))))
        self.moves: list[tuple[str, str]] = []
        self.troubles: list[tuple[str, str]] = []
        self.trouble: BaseException | None = None
        self.killed: str = ""
        self.restart()

    def restart(self) -> None:
        """A new process over what was durable."""
        self.observer = Observer(lambda: self.time)
        watching = Watching(self.observer, self.revision, lambda: self.time)
        self.rollouts = Rollouts(
            self.live, self.change, watching, lambda: self.time + 1e9, self._tell
        )

    async def change(
        self, ask: Callable[[Snapshot], Change], who: str, why: str, expected: int | None = None
    ) -> int:
        """Apply a change, or be killed before or after it is durable."""
        assert expected is None
        if self.trouble is not None:
            raise self.trouble
        change = ask(self.live.snapshot)
        if self.killed == "before":
            raise Killed
        self.live.swap(apply(self.live.snapshot, change))
        self.moves.append((who, why))
        if self.killed == "after":
            raise Killed
        return self.live.snapshot.revision

    def _tell(self, error: GatewayError, where: str) -> None:
        self.troubles.append((str(error), where))

    def revision(self) -> int:
        """The live one."""
        return self.live.snapshot.revision

    def by_hand(self, change: Change) -> None:
        """Somebody else changes something."""
        self.live.swap(apply(self.live.snapshot, change))

    def answer(self, version: str, times: int, status: int = 200, reason: str = "weight") -> None:
        """Answers of a version."""
        cell = self.observer.cell(Label("release", "orders", "release", version, reason))
        for _ in range(times):
            self.observer.note(cell, status, Asked(self.time - 0.01), self.revision())

    def look(self, seconds: float = 0.0) -> None:
        """Some time later the controller looks."""
        self.time += seconds
        self.run(self.rollouts.look())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What comes of it."""
        return asyncio.run(work)

    def start(self, **more: object) -> Rollout:
        """Begin a rollout."""
        return self.run(self.rollouts.start({**PLAN, **more}, "Ann"))

    @property
    def route(self) -> Route:
        """Where the alias leads."""
        return self.live.snapshot.functions["orders"].aliases["release"].route

    def share(self) -> float:
        """What version 2 gets."""
        return 1.0 if self.route.version == "2" else float(self.route.weights.get("2", 0))

    def only(self) -> Rollout:
        """The one rollout that there is."""
        (rollout,) = self.rollouts.all()
        return rollout


@pytest.fixture
def shop() -> Shop:
    """One each."""
    return Shop()


def healthy(shop: Shop) -> None:
    """Enough traffic of both versions."""
    shop.answer("1", 9000, reason="main")
    shop.answer("2", 1000)


def test_a_healthy_version_goes_all_the_way(shop: Shop) -> None:
    """Step by step, each held, each a change with its reason."""
    rollout = shop.start()
    shares = [shop.share()]
    for _ in range(3):
        healthy(shop)
        shop.look(9.9)
        assert shop.share() == shares[-1]
        shop.look(0.2)
        shares.append(shop.share())
    assert shares == [0.1, 0.5, 1.0, 1.0]
    assert shop.only().status == "finished"
    assert shop.route == Route("2")
    assert [why for _, why in shop.moves] == [
        "starts the rollout to 2",
        f"{rollout.id}: step 2 of 3: 50 %",
        f"{rollout.id}: step 3 of 3: 100 %",
        f"{rollout.id}: finished with everything at 2",
    ]
    shop.look(100)
    assert len(shop.moves) == 4


def test_a_broken_version_is_rolled_back_at_once(shop: Shop) -> None:
    """Whatever the time; the history says why."""
    shop.start()
    shop.answer("1", 90, reason="main")
    shop.answer("2", 10, status=500)
    shop.look(0.25)
    assert (shop.share(), shop.only().status) == (0.0, "rolled-back")
    assert shop.moves[-1][0] == "rollout"
    assert "10 of 10 failed" in shop.moves[-1][1]


def test_answers_of_rules_compare_nothing(shop: Shop) -> None:
    """They go to whom the rule names, not to whom the draw chose."""
    shop.start()
    shop.answer("2", 1000, status=500, reason="rule:1")
    shop.look(100)
    assert (shop.share(), shop.only().status) == (0.1, "running")


def test_whoever_moves_the_alias_pauses_the_rollout(shop: Shop) -> None:
    """It is not overruled, and resuming puts the alias back into the step."""
    rollout = shop.start()
    shop.by_hand(PutAlias("orders", "release", Route("1")))
    healthy(shop)
    shop.look(100)
    assert (shop.share(), shop.only().status) == (0.0, "paused")
    assert "somebody else moved the alias" in shop.only().reason
    shop.look(100)
    shop.run(shop.rollouts.act(rollout.id, "resume", "Ann"))
    assert (shop.share(), shop.only().status) == (0.1, "running")


def test_whoever_moves_the_alias_between_look_and_move_is_not_overruled(shop: Shop) -> None:
    """The comparison is made again where the change is made."""
    shop.start()
    healthy(shop)
    real = shop.change

    async def late(
        ask: Callable[[Snapshot], Change], who: str, why: str, expected: int | None = None
    ) -> int:
        shop.by_hand(PutAlias("orders", "release", Route("1")))
        return await real(ask, who, why, expected)

    shop.rollouts._change = late
    shop.look(11)
    assert (shop.share(), shop.only().status, shop.only().step) == (0.0, "running", 0)
    shop.rollouts._change = real
    shop.look()
    assert (shop.share(), shop.only().status) == (0.0, "paused")


def begin_or_go_on(shop: Shop, number: int) -> None:
    """The first step of a rollout, or the next one."""
    if number == 0:
        shop.start()
    else:
        healthy(shop)
        shop.look(11)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", range(4))
def test_a_process_that_is_killed_anywhere_skips_nothing(shop: Shop, when: str, step: int) -> None:
    """The next process goes on from the step that is durable, and holds it anew."""
    shares: list[float] = []
    for number in range(4):
        if number == step:
            shop.killed = when
            with pytest.raises(Killed):
                begin_or_go_on(shop, number)
            shop.killed = ""
            shop.restart()
            shares.append(shop.share())
            shop.look(0.25)
            if shop.rollouts.all() and not shop.only().ended:
                assert shop.share() == shares[-1]
                assert shop.only().route == shop.route
        if not shop.rollouts.all():
            shop.start()
        else:
            healthy(shop)
            shop.look(0.25)
            shop.look(11)
        shares.append(shop.share())
    for _ in range(2):
        healthy(shop)
        shop.look(0.25)
        healthy(shop)
        shop.look(11)
        shares.append(shop.share())
    order = [0.0, 0.1, 0.5, 1.0]
    places = [order.index(share) for share in shares]
    assert all(0 <= b - a <= 1 for a, b in pairwise(places))
    assert (shop.only().status, shop.share()) == ("finished", 1.0)


def test_whoever_ends_it_between_look_and_move_is_not_overruled(shop: Shop) -> None:
    """An abort is an abort."""
    rollout = shop.start()
    healthy(shop)
    real = shop.change

    async def late(
        ask: Callable[[Snapshot], Change], who: str, why: str, expected: int | None = None
    ) -> int:
        shop.rollouts._change = real
        await shop.rollouts.act(rollout.id, "abort", "Ann")
        return await real(ask, who, why, expected)

    shop.rollouts._change = late
    shop.look(11)
    assert (shop.share(), shop.only().status) == (0.0, "aborted")


@pytest.mark.parametrize(
    ("verb", "status", "share"), [("promote", "finished", 1.0), ("abort", "aborted", 0.0)]
)
def test_people_may_end_it(shop: Shop, verb: str, status: str, share: float) -> None:
    """At once, in either direction."""
    rollout = shop.start()
    shop.run(shop.rollouts.act(rollout.id, verb, "Ann"))
    assert (shop.only().status, shop.share()) == (status, share)
    assert shop.only().reason == f"{verb} by Ann"


def test_a_paused_rollout_stands_still(shop: Shop) -> None:
    """Even while its version is broken: somebody is looking at it."""
    rollout = shop.start()
    shop.run(shop.rollouts.act(rollout.id, "pause", "Ann"))
    shop.answer("2", 100, status=500)
    shop.look(100)
    assert (shop.only().status, shop.share()) == ("paused", 0.1)


def test_a_rollout_whose_alias_is_gone_pauses_and_can_be_aborted(shop: Shop) -> None:
    """It cannot be resumed."""
    rollout = shop.start()
    shop.by_hand(DeleteAlias("orders", "release"))
    shop.look()
    assert (shop.only().status, shop.only().reason) == ("paused", "the alias is gone")
    with pytest.raises(Refused, match="is gone"):
        shop.run(shop.rollouts.act(rollout.id, "resume", "Ann"))
    shop.run(shop.rollouts.act(rollout.id, "abort", "Ann"))
    assert shop.only().status == "aborted"


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"function": "order"}, "unknown-function"),
        ({"alias": "relase"}, "unknown-alias"),
        ({"to": "9"}, "unknown-version"),
        ({"to": "1"}, "nothing-to-roll-out"),
        ({"steps": [2]}, "bad-steps"),
    ],
)
def test_what_cannot_begin_is_refused(shop: Shop, more: dict[str, object], code: str) -> None:
    """And nothing is changed."""
    revision = shop.live.snapshot.revision
    with pytest.raises(Refused) as refused:
        shop.start(**more)
    assert (refused.value.code, shop.live.snapshot.revision) == (code, revision)


def test_an_alias_is_in_one_rollout_at_a_time(shop: Shop) -> None:
    """Another alias may be in another one."""
    shop.start()
    with pytest.raises(Refused) as refused:
        shop.start()
    assert refused.value.code == "rollout-in-the-way"
    shop.start(alias="spare")
    assert len(shop.rollouts.all()) == 2


def test_an_unknown_rollout_is_refused(shop: Shop) -> None:
    """With the nearest known one."""
    rollout = shop.start()
    assert shop.rollouts.get("nothing") is None
    assert shop.rollouts.get(rollout.id) == rollout
    with pytest.raises(Refused) as refused:
        shop.run(shop.rollouts.act("orders-release", "pause", "Ann"))
    assert refused.value.code == "unknown-rollout"


def test_old_rollouts_make_room(shop: Shop) -> None:
    """The newest are remembered, and those that go on."""
    shop.start(alias="spare")
    for _ in range(KEPT + 5):
        rollout = shop.start()
        shop.run(shop.rollouts.act(rollout.id, "abort", "Ann"))
    found = shop.rollouts.all()
    assert len(found) == KEPT + 1
    assert sum(not each.ended for each in found) == 1


def test_a_move_that_cannot_be_made_is_told_once(shop: Shop) -> None:
    """The rollout stands still until it can be made."""
    rollout = shop.start()
    healthy(shop)
    shop.trouble = GatewayError("the disk is full")
    shop.look(11)
    shop.look(1)
    assert shop.troubles == [("the disk is full", rollout.id)]
    shop.trouble = None
    shop.look(1)
    assert shop.share() == 0.5


def test_latency_is_compared_with_the_old_versions(shop: Shop) -> None:
    """The limit is settled once, and remembered."""
    shop.answer("1", 100, reason="main")
    shop.start(guards=["p90>old*2"])
    shop.look(11)
    assert shop.share() == 0.1
    assert shop.only().before.limits == {"p90>old*2": pytest.approx(0.02, rel=0.02)}
    cell = shop.observer.cell(Label("release", "orders", "release", "2", "weight"))
    for _ in range(100):
        shop.observer.note(cell, 200, Asked(shop.time - 1.0), shop.revision())
    shop.look()
    assert shop.only().status == "rolled-back"
    assert "took longer than" in shop.only().reason


def test_it_looks_again_and_again_until_cancelled(shop: Shop) -> None:
    """The pause is an argument."""
    shop.start()
    healthy(shop)
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        shop.time += 6
        if len(pauses) == 3:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(shop.rollouts.run(pause))
    assert pauses == [BEAT] * 3
    assert shop.share() == 0.5


def test_rules_and_split_of_the_alias_stay(shop: Shop) -> None:
    """Only weights and the main version move."""
    route, _ = parse_route(
        {"version": "1", "rules": [{"when": "invoke.headers.User exact Bob", "version": "2"}],
         "split": "even"},
        "a route",
    )  # fmt: skip
    shop.by_hand(PutAlias("orders", "release", route, "words"))
    shop.start()
    alias = shop.live.snapshot.functions["orders"].aliases["release"]
    assert (alias.route.rules, alias.route.split, alias.description) == (
        route.rules,
        "even",
        "words",
    )


def test_it_is_told_with_what_is_seen(shop: Shop) -> None:
    """While it goes on, and after its end."""
    desk = Desk(shop.rollouts)
    rollout = shop.run(desk.start(PLAN, "Ann"))
    shop.answer("1", 90, reason="main")
    shop.answer("2", 9)
    shop.answer("2", 1, status=500)
    shop.time += 3
    told = desk.one(rollout["id"])
    assert told is not None
    assert (told["from"], told["to"], told["share"], told["held"]) == ("1", "2", 0.1, 3.0)
    assert (told["seen"]["new"]["requests"], told["seen"]["new"]["errors"]) == (10, 1)
    assert told["seen"]["old"]["p99"] == pytest.approx(0.01, rel=0.02)
    assert [finding["outcome"] for finding in told["findings"]] == ["undecided"]
    ended = shop.run(desk.act(rollout["id"], "abort", "Ann"))
    assert (ended["share"], ended["held"], ended["findings"]) == (0.0, 0.0, [])
    assert desk.listed() == [ended]
    assert desk.one("nothing") is None


def test_only_what_the_step_decided_is_seen(shop: Shop) -> None:
    """Not what was under way before, however late it is heard of, nor other versions' answers."""
    shop.answer("2", 5, status=500)
    rollout = shop.start()
    late = portions([(shop.observer.cell(LABEL), 500, 0.0, shop.time, shop.revision() - 1)])
    shop.observer.take(late)
    shop.answer("3", 5, status=500)
    shop.answer("2", 5, status=500, reason="rule:1")
    shop.answer("2", 3, status=500)
    shop.by_hand(PutAlias("orders", "spare", Route("2")))
    shop.answer("2", 4)
    seen, _ = shop.rollouts.found(rollout)
    assert (seen.old.requests, seen.new.requests, seen.new.errors) == (0, 7, 3)
