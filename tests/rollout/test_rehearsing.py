"""Rehearsals: the same law as the controller's, the same draws for the same seed, honest counts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config import ConfigurationInvalid
from gateway.core.alias import Route, parse_route
from gateway.core.apply import apply
from gateway.core.changes import Batch, Change, Publish, PutAlias, PutFunction, PutService, Release
from gateway.core.faults import Fault, parse_fault
from gateway.core.functions import Configuration
from gateway.core.routes import parse_path
from gateway.core.snapshot import EMPTY, Api, FunctionBackend, Snapshot
from gateway.live import Live
from gateway.observe import Label, Observer
from gateway.rollout.controller import BEAT, Rollouts
from gateway.rollout.judging import Counts, Seen
from gateway.rollout.moves import begun
from gateway.rollout.plan import parse_plan
from gateway.rollout.rehearsing import Ended, Fixed, Guarded, Run
from gateway.rollout.rehearsing_plan import (
    FixedRule,
    Playing,
    Rehearsal,
    load_rehearsal,
    unplayable,
)
from gateway.rollout.rehearsing_report import Pair, Report, Tally
from gateway.rollout.rehearsing_traffic import Arrival, Traffic, traffic_of
from gateway.rollout.rollout import Rollout
from gateway.rollout.watching import Watching
from gateway.verdict import Sketch

PLAN = {"function": "orders", "alias": "release", "to": "2", "steps": [0.2, 1], "every": 10}
BROKEN = parse_fault({"errors": 0.3}, "the fault")
Build = Callable[..., Rehearsal]


@dataclass
class View:
    """A request of which rules read a user."""

    user: str | None = None

    def header(self, name: str, folded: str) -> str | None:
        del name
        return self.user if folded == "user" else None

    def query(self, name: str) -> str | None:  # noqa: ARG002 - as every view
        return None

    path_parameter = query
    cookie = query

    def json(self) -> object:
        return None


def shop(route: object = None) -> Snapshot:
    """A function with two versions on one stage, and its alias."""
    parsed = parse_route(route or {"version": "1"}, "the alias")[0]
    api = Api("a", "GET", parse_path("/"), FunctionBackend("orders", "release"))
    story: list[Change] = [
        PutFunction("orders", "code", Configuration(timeout=3)),
        Publish("orders"),
        Publish("orders"),
        PutAlias("orders", "release", parsed),
        PutService("s", "shop"),
        Release("s", "release", (api,)),
    ]
    return apply(EMPTY, Batch(tuple(story)))


def rehearsal(route: object = None, **more: object) -> Rehearsal:
    """What is rehearsed; keys of the plan, and `fault`, `old`, `playing`."""
    parts = {name: more.pop(name) for name in ("fault", "old", "playing") if name in more}
    snapshot = shop(route)
    rollout = begun(parse_plan({**PLAN, **more}), snapshot, 0.0)
    made = Rehearsal(rollout, snapshot, playing=Playing(before=20.0, longest=200.0))
    return replace(made, **parts)  # type: ignore[arg-type] # each of its own type


def arrivals(number: int, gap: float = 0.02, users: int = 10) -> list[Arrival]:
    """Requests at equal distances, of users that come in turn."""
    every = (f"u{n % users}" for n in range(number))
    return [Arrival(n * gap, user, View(user)) for n, user in enumerate(every)]


def run(asked: Rehearsal, seed: int = 7, fault: Fault | None = BROKEN) -> Ended:
    """One run by the guards, on fifty requests a second."""
    return Run(asked, traffic_of(asked, arrivals(500)), fault, seed).play(Guarded())


def test_equal_seeds_give_equal_runs() -> None:
    """And other seeds other ones."""
    assert run(rehearsal()) == run(rehearsal())
    assert len({run(rehearsal(), seed).hurt for seed in range(8)}) > 1


def test_a_bad_version_is_rolled_back_and_what_it_hurt_is_counted() -> None:
    """At the first step, soon."""
    ended = run(rehearsal())
    assert (ended.rollout.status, ended.rollout.step) == ("rolled-back", 0)
    assert 0 < ended.users <= ended.hurt <= ended.given
    assert ended.seconds < 10
    assert "error_rate>old:" in ended.rollout.reason


def test_users_whom_nobody_knows_are_not_counted() -> None:
    """Their requests are."""
    asked = rehearsal()
    traffic = traffic_of(asked, [each._replace(user=None) for each in arrivals(500)])
    ended = Run(asked, traffic, BROKEN, 7).play(Guarded())
    assert ended.hurt > 0
    assert ended.users == 0


def test_a_good_version_gets_everything() -> None:
    """As soon as its plan lets it, and nothing is hurt."""
    ended = run(rehearsal(tolerance=0.2), fault=None)
    assert (ended.rollout.status, ended.rollout.step) == ("finished", 1)
    assert (ended.hurt, ended.users) == (0, 0)
    assert ended.seconds >= 20
    assert ended.given == pytest.approx(500 * 0.2 + 500, rel=0.2)


def test_a_rollout_that_stays_undecided_is_given_up() -> None:
    """After the longest time, while it runs."""
    playing = Playing(before=0.0, longest=30.0)
    ended = run(rehearsal(playing=playing, tolerance=0.001), fault=None)
    assert (ended.rollout.status, ended.seconds) == ("running", 30.0)


class Real:
    """Moves a rollout by the guards, and lets the real controller see the very same answers."""

    def __init__(self, asked: Rehearsal) -> None:
        self._time = 0.0
        self._live = Live(asked.snapshot)
        self._plan = asked.rollout.plan
        self._observer = Observer(lambda: self._time)
        self._rollouts = Rollouts(
            self._live,
            self._change,
            Watching(self._observer, self._revision, lambda: self._time),
            lambda: self._time,
            lambda error, _: pytest.fail(str(error)),
        )
        self._before = Counts(), Counts()
        self._id = ""
        self.looks = 0

    async def _change(
        self, ask: Callable[[Snapshot], Change], who: str, why: str, expected: int | None = None
    ) -> int:
        del who, why, expected
        self._live.swap(apply(self._live.snapshot, ask(self._live.snapshot)))
        return self._live.snapshot.revision

    def _revision(self) -> int:
        return self._live.snapshot.revision

    def _answer(self, version: str, requests: int, errors: int) -> None:
        cell = self._observer.cell(Label("release", "orders", "release", version, "weight"))
        for number in range(requests):
            status = 500 if number < errors else 200
            self._observer.note(cell, status, Asked(self._time), self._revision())

    def move(self, rollout: Rollout, seen: Seen, old: Sketch, now: float) -> Rollout:
        if not self._id:
            self._time = rollout.started
            self._answer("1", rollout.before.requests, rollout.before.errors)
            self._id = asyncio.run(self._rollouts.start(self._plan.to_dict(), "Ann")).id
        self._time = now
        for version, found, before in (
            ("1", seen.old, self._before[0]),
            ("2", seen.new, self._before[1]),
        ):
            self._answer(version, found.requests - before.requests, found.errors - before.errors)
        asyncio.run(self._rollouts.look())
        moved = Guarded().move(rollout, seen, old, now)
        real = self._rollouts.get(self._id)
        assert real is not None
        told = ("status", "step", "since", "reason", "before")
        assert [getattr(real, name) for name in told] == [getattr(moved, name) for name in told]
        self._before = (Counts(), Counts()) if moved.since == now else (seen.old, seen.new)
        self.looks += 1
        return moved


@dataclass
class Asked:
    """A request as the observer sees one."""

    began: float
    id: str = "a"
    method: str = "GET"
    path: str = "/"
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    query_string: bytes = b""


@pytest.mark.parametrize("fault", [None, BROKEN, parse_fault({"errors": 0.03}, "it")], ids=str)
@pytest.mark.parametrize("guards", [["error_rate>old"], ["error_rate>1%", "error_rate>old*2"]])
def test_it_moves_as_the_controller_does(fault: Fault | None, guards: list[str]) -> None:
    """Look by look: status, step, reason and what is known of before."""
    asked = rehearsal(guards=guards, tolerance=0.1, old=parse_fault({"errors": 0.01}, "the old"))
    real = Real(asked)
    ended = Run(asked, traffic_of(asked, arrivals(500)), fault, 3).play(real)
    assert ended.rollout.ended
    assert real.looks == ended.seconds / BEAT


def test_slow_answers_come_late_and_fail_at_the_limit_of_their_function() -> None:
    """A version that waits longer than it may has failed; the guards see that when it is out."""
    asked = rehearsal()
    slow = parse_fault({"latency": 60}, "the fault")
    ended = run(asked, fault=slow)
    assert ended.rollout.status == "rolled-back"
    assert ended.seconds > 3
    assert ended.hurt == ended.given


def test_latency_guards_compare_with_what_the_old_version_showed_before() -> None:
    """The same latency passes, three times as much does not."""
    usual = parse_fault({"latency": {"normal": [0.02, 0.005]}}, "the old version")
    asked = rehearsal(old=usual, guards=["p90>old*1.5"], tolerance=0.2)
    assert run(asked, fault=None).rollout.status == "finished"
    ended = run(asked, fault=parse_fault({"latency": 0.04}, "the fault"))
    assert ended.rollout.status == "rolled-back"
    assert "took longer than" in ended.rollout.reason


def test_what_rules_settle_hurts_nobody_more() -> None:
    """Their users are with the new version whatever the rollout does, and count for no guard."""
    route = {"version": "1", "rules": [{"when": "invoke.headers.User exact u1", "version": "2"}]}
    asked = rehearsal(route)
    traffic = traffic_of(asked, arrivals(500))
    assert len(traffic.every) == 2
    ended = Run(asked, traffic, BROKEN, 7).play(Guarded())
    assert ended.users <= 9
    only = traffic_of(asked, arrivals(500, users=10)[1:2])
    nobody = Run(replace(asked, playing=Playing("", 1.0, None, 1.0, 5.0)), only, BROKEN, 7)
    assert nobody.play(Guarded()).given == 0


def test_sticky_users_stay_together() -> None:
    """Every request of one user goes to one version, and every user is counted once."""
    route = {"version": "1", "split": "sticky", "sticky_by": "invoke.headers.User"}
    asked = rehearsal(route, steps=[0.5, 1])
    traffic = traffic_of(asked, arrivals(500))
    assert {None} != {decision for kind in traffic.every for decision in kind.settled[1:2]}
    ended = Run(asked, traffic, parse_fault({"errors": 1}, "it"), 7).play(Guarded())
    assert ended.users < 10


def test_even_splits_are_even() -> None:
    """One request in five, exactly."""
    asked = rehearsal({"version": "1", "split": "even"}, every=100)
    playing = Playing(before=0.0, longest=10.0)
    ended = run(replace(asked, playing=playing), fault=None)
    assert ended.given == pytest.approx(100, abs=1)


@pytest.mark.parametrize(
    ("playing", "rate", "last"),
    [
        (Playing(), 50, 9.98),
        (Playing(speed=2.0), 100, 4.99),
        (Playing(rate=200.0), 200, 2.495),
    ],
)
def test_traffic_is_played_as_asked(playing: Playing, rate: float, last: float) -> None:
    """In its own rhythm, faster, or at a rate; and again and again."""
    traffic = traffic_of(rehearsal(playing=playing), arrivals(500))
    assert traffic.rate == pytest.approx(rate)
    assert traffic.times[-1] == pytest.approx(last)
    assert (traffic.times[0], traffic.known) == (0.0, 10)


@pytest.mark.parametrize(
    ("times", "played", "lasts"),
    [([], [], 1.0), ([5.0], [0.0], 1.0), ([5.0, 5.0], [0.0, 0.0], 1.0), ([5, 9, 7], [0, 4, 4], 6)],
)
def test_odd_recordings_have_a_length_too(
    times: Iterable[float], played: list[float], lasts: float
) -> None:
    """None, one moment, and requests that stand behind later ones."""
    traffic = traffic_of(rehearsal(), [Arrival(at, None, View()) for at in times])
    assert (list(traffic.times), traffic.lasts, traffic.known) == (played, lasts, 0)


def test_a_fixed_limit_rolls_back_in_its_window_and_steps_by_time() -> None:
    """Whatever the old version does."""
    rollout = rehearsal().rollout
    fixed = Fixed(FixedRule(0.1, 0.5))

    def look(seconds: float, requests: int, errors: int) -> Rollout:
        new = Counts(requests, errors)
        return fixed.move(rollout, Seen(Counts(100, 90), new, seconds), Sketch(), seconds)

    assert look(0.25, 4, 4) is rollout  # the window is not full
    assert look(0.5, 40, 4) is rollout
    assert look(0.75, 45, 4) is rollout
    moved = look(10.0, 50, 4)
    assert (moved.status, moved.step) == ("running", 1)
    assert look(0.25, 4, 4) is rollout
    back = look(0.5, 5, 4)
    assert (back.status, back.reason) == ("rolled-back", "4 of 5 failed in 0.5 s")


@given(st.integers(0, 2**32), st.floats(0.01, 1), st.integers(1, 40))
def test_counts_hold_together(seed: int, errors: float, users: int) -> None:
    """Nobody is hurt who was not there, and time goes by in beats."""
    asked = rehearsal(playing=Playing(before=2.0, longest=20.0))
    traffic = traffic_of(asked, arrivals(100, 0.05, users))
    ended = Run(asked, traffic, Fault(errors), seed).play(Guarded())
    assert 0 <= ended.users <= min(users, ended.hurt)
    assert ended.hurt <= ended.given
    assert (ended.seconds / BEAT).is_integer()


def tallied(*statuses: str) -> Tally:
    """Runs that ended so, each with one more hurt request than the one before."""
    rollout = rehearsal().rollout
    ended = (replace(rollout, status=status) for status in statuses)  # type: ignore[arg-type]
    return Tally([Ended(each, 5.0, 9, n, 0) for n, each in enumerate(ended)])


def test_shares_have_intervals_and_numbers_have_quantiles() -> None:
    """Clopper and Pearson; the number that so many runs keep to."""
    tally = tallied("rolled-back", "finished", "rolled-back", "running")
    assert tally.count("rolled-back") == 2
    assert tally.interval("rolled-back") == pytest.approx((0.0676, 0.9324), abs=1e-4)
    assert tally.quantile(0.5, lambda each: each.hurt) == 1
    assert tally.quantile(1.0, lambda each: each.hurt, "rolled-back") == 2
    assert tally.quantile(0.5, lambda each: each.hurt, "aborted") == 0
    plain = tally.to_plain()
    assert plain["running"]["runs"] == 1
    assert plain["hurt"] == {"p50": 1, "p95": 3, "largest": 3}


@pytest.mark.parametrize(("wrong", "stated"), [(0, True), (3, True), (9, False)])
def test_more_false_roll_backs_than_stated_are_told(wrong: int, stated: bool) -> None:
    """When chance cannot explain them."""
    asked = rehearsal()
    report = Report(asked, traffic_of(asked, arrivals(10)), 0)
    right = ["finished"] * (100 - wrong)
    report.equal = Pair(tallied(*["rolled-back"] * wrong, *right), tallied(*["finished"] * 100))
    assert report.stated is stated
    assert report.first.rollout.status == ("rolled-back" if wrong else "finished")


def test_a_report_runs_every_case_with_every_seed() -> None:
    """With the fault and without, by both rules; each end is told of."""
    asked = rehearsal(fault=BROKEN, tolerance=0.2)
    report = Report(asked, traffic_of(asked, arrivals(500)), 5)
    ends: list[int] = []
    report.run(2, ends.append)
    assert (ends, report.runs) == ([1, 2], 2)
    plain = report.to_plain()
    assert plain["faulty"]["guards"]["rolled-back"]["runs"] == 2
    assert plain["equal"]["guards"]["finished"]["runs"] == 2
    assert plain["first"]["status"] == "rolled-back"
    assert plain["traffic"]["requests"] == 500
    again = Run(asked, report.traffic, BROKEN, 6).play(Guarded())
    assert report.faulty is not None
    assert report.faulty.guarded.ended[1] == again
    alone = Report(replace(asked, fault=None), report.traffic, 5)
    alone.run(1, ends.append)
    assert alone.to_plain()["faulty"] is None


WHOLE = """
[rollout]
function = "orders"
alias = "release"
to = "2"
steps = [0.1, 1]
every = 5

[fault]
errors = 0.05

[old]
errors = 0.0

[traffic]
stage = "release"
rate = 50
before = 0

[fixed]
errors = 0
window = 4.5
"""


def loaded(folder: Path, text: str) -> Rehearsal:
    """A rehearsal from its file."""
    file = folder / "plan.toml"
    file.write_text(text, encoding="utf-8")
    return load_rehearsal(file, shop())


def test_a_file_says_everything(tmp_path: Path) -> None:
    """And what it does not say is as usual."""
    found = loaded(tmp_path, WHOLE)
    assert (found.fault, found.old) == (Fault(0.05), Fault())
    assert found.playing == Playing("release", 1.0, 50.0, 0.0, 100.0)
    assert found.fixed == FixedRule(0.0, 4.5)
    assert found.rollout.base == Route("1")
    assert (found.target.function, found.target.qualifier) == ("orders", "release")
    short = WHOLE.partition("[fault]")[0]
    found = loaded(tmp_path, f"{short}[old]\nlatency = 0.1\n[traffic]\nspeed = 2.5\nlongest = 7")
    assert (found.fault, found.fixed, found.playing.speed) == (None, FixedRule(), 2.5)
    assert (found.playing.longest, found.playing.before) == (7.0, 60.0)
    assert loaded(tmp_path, short).playing == Playing(longest=100.0)


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ("[fault]", "[falt]", ":9:2: error[unknown-key]: the file has no key 'falt'"),
        ('"orders"', '"order"', ":3:12: error[unknown-function]: there is no function 'order'"),
        ('"release"', '"relase"', ":4:9: error[unknown-alias]: function 'orders' has no alias"),
        ('to = "2"', 'to = "7"', ":5:6: error[unknown-version]: function 'orders' has no version"),
        ("steps = [0.1, 1]", "steps = [1, 0.1]", ":6:9: error[bad-steps]"),
        ("every = 5", "evry = 5", ":7:1: error[unknown-key]: the rollout has no key 'evry'"),
        ("errors = 0.05", "errors = 5", ":10:10: error[out-of-range]: errors of the fault is 5"),
        ("errors = 0.05", "", ":9:2: error[empty-fault]"),
        ("errors = 0.0\n", "latency = 0\n", ":13:11: error[out-of-range]"),
        (
            'stage = "release"',
            'stage = "qa"',
            ":16:9: error[unknown-stage]: the traffic names the stage 'qa'",
        ),
        ("rate = 50", "rate = 0", "rate of the traffic is 0; allowed: above 0 to 1,000,000"),
        ("rate = 50", "rate = 50\nspeed = 2", "the traffic has both a speed and a rate"),
        ("before = 0", "before = -1", "before of the traffic is -1; allowed: from 0 to 604,800"),
        ("before = 0", 'before = "1"', "write it without quotes: before = 1"),
        ("window = 4.5", "windw = 4.5", "did you mean 'window'?"),
        ("errors = 0\n", "errors = 2\n", "errors of the fixed rule is 2; allowed: from 0 to 1"),
        ("[rollout]", "[rollouts]", "the file needs [rollout]"),
        ("[fixed]", "[[fixed]]", "the fixed rule must be a table, not a list"),
    ],
)
def test_every_mistake_has_a_place_and_a_sentence(
    tmp_path: Path, before: str, after: str, sentence: str
) -> None:
    """As those of stages.toml."""
    assert before in WHOLE
    with pytest.raises(ConfigurationInvalid) as caught:
        loaded(tmp_path, WHOLE.replace(before, after, 1))
    assert sentence in str(caught.value)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    """In the order of the file."""
    wrong = WHOLE.replace("0.05", "5").replace("before = 0", "before = -1").replace('"2"', '"1"')
    with pytest.raises(ConfigurationInvalid) as caught:
        loaded(tmp_path, wrong)
    codes = [found.code for found in caught.value.diagnostics]
    assert codes == ["nothing-to-roll-out", "out-of-range", "out-of-range"]


def test_an_alias_that_nobody_reaches_is_told_where_the_traffic_is(tmp_path: Path) -> None:
    """Or at the alias, where the file says nothing of traffic."""
    file = tmp_path / "plan.toml"
    file.write_text(WHOLE, encoding="utf-8")
    assert ":15:2: error[no-traffic]: nobody comes" in str(unplayable(file, "nobody comes"))
    file.write_text(WHOLE.partition("[fault]")[0], encoding="utf-8")
    assert ":4:9: error[no-traffic]" in str(unplayable(file, "nobody comes"))


def test_no_service_has_no_stage(tmp_path: Path) -> None:
    """So that none can be named."""
    bare = apply(EMPTY, Batch((PutFunction("orders", "c"), Publish("orders"), Publish("orders"))))
    bare = apply(bare, PutAlias("orders", "release", Route("1")))
    file = tmp_path / "plan.toml"
    file.write_text(WHOLE, encoding="utf-8")
    with pytest.raises(ConfigurationInvalid, match="there are "):
        load_rehearsal(file, bare)


def test_the_page_shows_the_plan_that_its_example_runs() -> None:
    """Word by word, but for the first line of the file."""
    docs = Path(__file__).parents[2] / "docs"
    shown = (docs / "rollouts.md").read_text(encoding="utf-8").partition("```toml\n")[2]
    plan = (docs / "rehearsal.toml").read_text(encoding="utf-8").partition("\n\n")[2]
    assert shown.partition("```")[0] == plan


def test_traffic_tells_its_rate() -> None:
    """Requests of a round by its length."""
    traffic: Traffic = traffic_of(rehearsal(), arrivals(50, 0.5))
    assert traffic.rate == pytest.approx(2)
