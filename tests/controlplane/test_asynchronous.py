"""Asynchronous invocations: run at least once, retried, bounded, aborted, and taken up again."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.app import Gateway, Setup
from gateway.controlplane.asynchronous import Asynchronous, Host
from gateway.controlplane.attempts import MAX_KEPT_VALUE, MAX_STACK, Policy, result_of
from gateway.controlplane.invoking import Invoked, Invoking
from gateway.controlplane.limits import MAX_ASYNCHRONOUS_EVENT, EventTooLarge
from gateway.core.alias import Route
from gateway.core.changes import Change, DeleteAlias, DeleteFunction, PutAlias
from gateway.core.entries import Target
from gateway.core.errors import FunctionNotFound, GatewayError, QualifierNotFound
from gateway.dice import Fixed
from gateway.runtime.runner import Runner
from gateway.store.invocations import (
    Invocation,
    InvocationEnded,
    InvocationNotFound,
    TooManyInvocations,
)
from gateway.store.owners import is_alive
from gateway.store.protocol import Author, StateUnusable

T = TypeVar("T")

STAGES = """
[service]
name = "shop"

[functions.orders]
source = "functions/orders"
concurrency = 3

[functions.orders.aliases]
release = { version = "1" }
spare = { version = "1", weights = { "2" = 0.5 } }

[functions.idle]
source = "functions/idle"
"""

HANDLER = """
import asyncio

CALLS, BEGUN, GATE = [], asyncio.Queue(), asyncio.Event()


async def main_handler(event, context):
    CALLS.append((event, context["request_id"]))
    print("call", len(CALLS))
    if event.get("wait"):
        BEGUN.put_nowait(event["wait"])
        await GATE.wait()
    if len(CALLS) <= event.get("failures", 0):
        raise ValueError("as asked")
    return {"version": VERSION, "value": "x" * event.get("size", 0)}
"""

ME = Author("me", "a test")
PARENT = os.getppid()
RELEASE = Target("orders", "release")
FOLDERS = ("orders/latest", "orders/v1", "orders/v2", "idle/latest")


class Time:
    """A clock that stands, and pauses that end when they are told to.

    Attributes:
        now: What the clock shows.
        pauses: Those that have begun, with what ends them.
    """

    def __init__(self) -> None:
        self.now = 1e9
        self.pauses: asyncio.Queue[tuple[float, asyncio.Future[None]]] = asyncio.Queue()

    def clock(self) -> float:
        """What it shows."""
        return self.now

    async def pause(self, seconds: float) -> None:
        """Wait until the test says so."""
        end: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.pauses.put_nowait((seconds, end))
        await end

    async def pass_by(self) -> float:
        """Let the next pause begin and end; gives its seconds."""
        seconds, end = await self.pauses.get()
        self.now += seconds
        end.set_result(None)
        return seconds


class Bench:
    """A gateway, and asynchronous invocations with a time of their own.

    Attributes:
        gateway: The gateway.
        time: The time.
        asynchronous: The invocations.
        told: What went wrong while nobody waited.
    """

    def __init__(self, gateway: Gateway, policy: Policy, process: int) -> None:
        self.gateway = gateway
        self.time = Time()
        self.told: list[tuple[GatewayError, str]] = []
        ids = iter(f"id-{number}" for number in range(1, 1000))
        invoking = Invoking(gateway.live, gateway.runtime, Fixed(0.1), lambda: next(ids))
        self.asynchronous = Asynchronous(
            invoking,
            gateway.service.store.invocations,
            Host(self.time.clock, self.time.pause, process, lambda _: False),
            lambda error, where: self.told.append((error, where)),
            policy,
        )

    async def submit(self, target: Target = RELEASE, /, **event: object) -> str:
        """Accept an invocation; gives its id."""
        return (await self.asynchronous.submit(target, None, event)).request_id

    async def now(self, request_id: str, function: str = "orders") -> Invocation:
        """What has become of one by now."""
        return await self.asynchronous.get(function, request_id)

    async def ended(self, request_id: str, function: str = "orders") -> Invocation:
        """What has become of one when nothing is done for it any more."""
        task = self.asynchronous._tasks.get(request_id)
        if task is not None:
            await asyncio.wait([task])
        return await self.now(request_id, function)

    def world(self, number: str = "1") -> dict[str, Any]:
        """The names that the handler of a version of `orders` sees."""
        version = self.gateway.live.snapshot.functions["orders"].versions[number]
        runner = self.gateway.runtime.runner(version)
        assert isinstance(runner, Runner)
        generation = runner._generation
        assert generation is not None
        found: dict[str, Any] = generation.handler.__globals__
        return found


Story = Callable[[Bench], Awaitable[T]]
Play = Callable[..., Any]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The stages.toml of a project whose handlers do what the event says."""
    for place in FOLDERS:
        index = tmp_path / "functions" / place / "index.py"
        index.parent.mkdir(parents=True, exist_ok=True)
        version = place.partition("/")[2]
        index.write_text(HANDLER.replace("VERSION", repr(version)), encoding="utf-8")
    (tmp_path / "stages.toml").write_text(STAGES, encoding="utf-8")
    return tmp_path / "stages.toml"


@pytest.fixture
def play(file: Path) -> Play:
    """Plays a story with a fresh bench; all stories of a test share one state file."""

    @asynccontextmanager
    async def bench(policy: Policy, process: int) -> AsyncIterator[Bench]:
        gateway = await Gateway.open(Setup(file=file, state=file.parent / "state" / "g.db", seed=1))
        try:
            made = Bench(gateway, policy, process)
            try:
                yield made
            finally:
                await made.asynchronous.close()
        finally:
            await gateway.close()

    # The gateway's own invocations leave alone what belongs to a living process, such as this one's
    # parent, and the bench takes it for its own past.
    def run(story: Story[T], policy: Policy | None = None, process: int = PARENT) -> T:
        async def scenario() -> T:
            async with bench(policy or Policy(), process) as made:
                return await story(made)

        return asyncio.run(scenario())

    return run


def test_an_invocation_is_accepted_at_once_and_runs_by_itself(play: Play) -> None:
    """Whoever asked looks later; its value, its version and its log are kept."""

    async def story(bench: Bench) -> None:
        accepted = await bench.asynchronous.submit(RELEASE, {"User": "Bob"}, {"wait": 1})
        assert (accepted.request_id, accepted.status, accepted.at) == ("id-1", "RUNNING", 1e9)
        await bench.world()["BEGUN"].get()
        running = await bench.now("id-1")
        assert (running.status, running.attempts, running.ended_at) == ("RUNNING", 1, None)
        bench.time.now += 7
        bench.world()["GATE"].set()
        ended = await bench.ended("id-1")
        assert (ended.status, ended.attempts, ended.ended_at) == ("FINISHED", 1, 1e9 + 7)
        assert (ended.event, ended.routing_key) == (None, {"User": "Bob"})
        assert ended.result is not None
        assert ended.result["value"] == {"version": "v1", "value": ""}
        assert (ended.result["version"], ended.result["reason"]) == ("1", "main")
        assert (ended.result["status"], ended.result["error"]) == (200, None)
        assert ended.result["log"].startswith(
            "START RequestId: id-1\ncall 1\nEND RequestId: id-1\n"
        )
        assert bench.world()["CALLS"] == [({"wait": 1}, "id-1")]

    play(story)


def test_a_failure_is_tried_again_after_a_while(play: Play) -> None:
    """With the same id; meanwhile what came of the first attempt can be looked at."""

    async def story(bench: Bench) -> None:
        request_id = await bench.submit(failures=1)
        seconds, end = await bench.time.pauses.get()
        waiting = await bench.now(request_id)
        assert (waiting.status, waiting.attempts, waiting.retry_at) == ("RUNNING", 1, 1e9 + 60)
        assert waiting.result is not None
        assert (waiting.result["status"], seconds) == (430, 60)
        bench.time.now += seconds
        end.set_result(None)
        ended = await bench.ended(request_id)
        assert (ended.status, ended.attempts, ended.retry_at) == ("FINISHED", 2, None)
        assert [call[1] for call in bench.world()["CALLS"]] == [request_id] * 2

    play(story)


@pytest.mark.parametrize("retries", [0, 1, 2, 5])
def test_only_so_many_attempts_are_made(play: Play, retries: int) -> None:
    """Then it has failed, and says how."""

    async def story(bench: Bench) -> None:
        request_id = await bench.submit(failures=99)
        assert [await bench.time.pass_by() for _ in range(retries)] == [5] * retries
        ended = await bench.ended(request_id)
        assert (ended.status, ended.attempts) == ("FAILED", retries + 1)
        assert ended.ended_at == 1e9 + 5 * retries
        assert ended.result is not None
        assert ended.result["error"]["errorMessage"] == "user code exception caught"
        assert "ValueError: as asked" in ended.result["error"]["stackTrace"]
        assert "ERROR RequestId: id-1 Result: user code exception caught" in ended.result["log"]
        assert len(bench.world()["CALLS"]) == retries + 1

    play(story, Policy(retries=retries, delay=5))


def test_a_retry_after_a_roll_back_runs_the_other_version(play: Play) -> None:
    """Each attempt is decided anew, at the revision of its time."""

    async def story(bench: Bench) -> None:
        request_id = await bench.submit(failures=99)
        _, end = await bench.time.pauses.get()
        change = PutAlias("orders", "release", Route("2"))
        await bench.gateway.service.change(change, ME)
        bench.world("2")["CALLS"].extend([None] * 99)
        end.set_result(None)
        ended = await bench.ended(request_id)
        assert ended.result is not None
        assert (ended.status, ended.result["version"], ended.result["revision"]) == (
            "FINISHED",
            "2",
            2,
        )

    play(story)


def test_the_dice_settle_a_weighted_choice(play: Play) -> None:
    """As for whoever waits."""

    async def story(bench: Bench) -> None:
        ended = await bench.ended(await bench.submit(Target("orders", "spare")))
        assert ended.result is not None
        assert ended.result["reason"] == "weight"

    play(story)


def test_only_so_many_of_a_function_run_at_a_time(play: Play) -> None:
    """In the order in which they were accepted; another function does not wait for them."""

    async def story(bench: Bench) -> None:
        ids = [await bench.submit(wait=number) for number in range(1, 6)]
        begun = bench.world()["BEGUN"]
        assert [await begun.get(), await begun.get()] == [1, 2]
        other = await bench.submit(Target("idle", "$DEFAULT"))
        assert (await bench.ended(other, "idle")).status == "FINISHED"
        assert begun.empty()
        assert [(await bench.now(each)).attempts for each in ids] == [1, 1, 0, 0, 0]
        bench.world()["GATE"].set()
        assert [(await bench.ended(each)).status for each in ids] == ["FINISHED"] * 5
        assert [call[0]["wait"] for call in bench.world()["CALLS"]] == [1, 2, 3, 4, 5]

    play(story, Policy(concurrency=2))


def test_one_that_finds_no_seat_is_tried_again_and_not_counted(play: Play) -> None:
    """Its function runs as many as it may (432); once there is a seat, it is run."""

    async def story(bench: Bench) -> None:
        ids = [await bench.submit(wait=number) for number in range(1, 5)]
        assert await bench.time.pass_by() == 1
        assert await bench.time.pass_by() == 1
        _, end = await bench.time.pauses.get()
        waiting = await bench.now(ids[3])
        assert waiting.result is not None
        assert (waiting.attempts, waiting.result["status"]) == (0, 432)
        bench.world()["GATE"].set()
        assert [(await bench.ended(each)).status for each in ids[:3]] == ["FINISHED"] * 3
        end.set_result(None)
        ended = await bench.ended(ids[3])
        assert (ended.status, ended.attempts) == ("FINISHED", 1)

    play(story)


@pytest.mark.parametrize(
    ("status", "policy"),
    [
        pytest.param(430, Policy(lifetime=59), id="a failure"),
        pytest.param(432, Policy(lifetime=0.5), id="no seat"),
        pytest.param(435, Policy(), id="no function"),
        pytest.param(442, Policy(), id="no qualifier"),
        pytest.param(436, Policy(), id="a web function"),
        pytest.param(430, Policy(retries=0), id="no retries"),
    ],
)
def test_there_is_no_further_attempt(status: int, policy: Policy) -> None:
    """Where it would bring the same again, come too late, or be one too many."""
    begun = Invocation("id", "orders", "release", None, {}, 1e9, attempts=1)
    assert policy.postponed(begun, status, 1e9) is None


def test_there_is_a_further_attempt_up_to_the_last_moment() -> None:
    """Of a lifetime."""
    begun = Invocation("id", "orders", "release", None, {}, 1e9, attempts=2)
    assert Policy(lifetime=60).postponed(begun, 433, 1e9) == replace(begun, retry_at=1e9 + 60)
    assert Policy(lifetime=60).postponed(begun, 433, 1e9 + 0.1) is None


@given(
    policy=st.builds(
        Policy,
        retries=st.integers(0, 4),
        delay=st.sampled_from([0.0, 1.0, 60.0]),
        busy_delay=st.sampled_from([1.0, 30.0]),
        lifetime=st.sampled_from([0.0, 100.0, 1000.0]),
    ),
    statuses=st.lists(st.sampled_from([430, 432, 433, 435]), min_size=1, max_size=8),
)
def test_whatever_fails_it_ends(policy: Policy, statuses: list[int]) -> None:
    """After so many attempts that count, and within its lifetime; time never goes back."""
    now, waiting = 1e9, Invocation("id", "orders", "release", None, {}, 1e9)
    for status in islice(cycle(statuses), 2000):
        begun = replace(waiting, attempts=waiting.attempts + 1, retry_at=None)
        assert begun.attempts <= policy.retries + 1
        postponed = policy.postponed(begun, status, now)
        if postponed is None:
            return
        assert postponed.retry_at is not None
        assert now <= postponed.retry_at <= 1e9 + policy.lifetime
        now, waiting = postponed.retry_at, postponed
    raise AssertionError("it never ends")


DELETED = [
    pytest.param(DeleteFunction("idle"), Target("idle", "$DEFAULT"), 435, id="function"),
    pytest.param(DeleteAlias("orders", "spare"), Target("orders", "spare"), 442, id="alias"),
]


@pytest.mark.parametrize(("change", "target", "status"), DELETED)
def test_what_was_deleted_meanwhile_fails_an_invocation_for_good(
    play: Play, change: Change, target: Target, status: int
) -> None:
    """With the cloud's code, and without another attempt."""

    async def story(bench: Bench) -> None:
        slots = bench.asynchronous._seats[target.function]
        async with slots:
            request_id = await bench.submit(target)
            await bench.gateway.service.change(change, ME)
        ended = await bench.ended(request_id, target.function)
        assert (ended.status, ended.attempts) == ("FAILED", 1)
        assert ended.result is not None
        assert (ended.result["status"], ended.result["version"]) == (status, None)
        assert ended.result["error"]["statusCode"] == status

    play(story, Policy(concurrency=1))


@pytest.mark.parametrize(
    ("target", "error"),
    [
        pytest.param(Target("nothing", "release"), FunctionNotFound, id="function"),
        pytest.param(Target("orders", "relase"), QualifierNotFound, id="qualifier"),
    ],
)
def test_what_nobody_has_is_refused_at_once(
    play: Play, target: Target, error: type[Exception]
) -> None:
    """Nothing is accepted that could never be run."""

    async def story(bench: Bench) -> None:
        with pytest.raises(error):
            await bench.submit(target)
        assert await bench.asynchronous.listed("orders", None, None, 9) == []

    play(story)


def test_an_event_has_a_size(play: Play) -> None:
    """128 KB of JSON, counted in UTF-8; the last byte counts."""

    async def story(bench: Bench) -> None:
        room = MAX_ASYNCHRONOUS_EVENT - len('{"a":""}')
        await bench.submit(a="ü" * (room // 2) + "x" * (room % 2))
        with pytest.raises(EventTooLarge, match="131073 bytes; allowed: 131072") as refused:
            await bench.submit(a="ü" * (room // 2) + "x" * (room % 2 + 1))
        assert refused.value.status == 406

    play(story)


def test_one_that_runs_is_aborted(play: Play) -> None:
    """Its handler is cancelled, and nothing is tried again."""

    async def story(bench: Bench) -> None:
        request_id = await bench.submit(wait=1)
        await bench.world()["BEGUN"].get()
        bench.time.now += 1
        aborted = await bench.asynchronous.abort("orders", request_id)
        assert (aborted.status, aborted.ended_at, aborted.event) == ("ABORTED", 1e9 + 1, None)
        assert await bench.ended(request_id) == aborted
        assert bench.asynchronous._tasks == {}

    play(story)


def test_one_that_waits_is_aborted(play: Play) -> None:
    """For its turn, or for a retry; what came of earlier attempts stays."""

    async def story(bench: Bench) -> None:
        retried = await bench.submit(failures=1)
        await bench.time.pauses.get()
        running = await bench.submit(wait=1)
        await bench.world()["BEGUN"].get()
        waiting = await bench.submit()
        assert (await bench.asynchronous.abort("orders", waiting)).attempts == 0
        aborted = await bench.asynchronous.abort("orders", retried)
        assert aborted.result is not None
        assert (aborted.status, aborted.result["status"]) == ("ABORTED", 430)
        bench.world()["GATE"].set()
        assert (await bench.ended(running)).status == "FINISHED"
        assert (await bench.ended(waiting)).status == "ABORTED"
        assert len(bench.world()["CALLS"]) == 2

    play(story, Policy(concurrency=1))


def test_one_that_another_process_aborted_is_not_begun(play: Play) -> None:
    """The table tells."""

    async def story(bench: Bench) -> None:
        async with bench.asynchronous._seats["orders"]:
            request_id = await bench.submit()
            await bench.gateway.service.store.invocations.end(request_id, "ABORTED", 1e9)
        assert (await bench.ended(request_id)).status == "ABORTED"
        assert bench.world()["CALLS"] == []

    play(story, Policy(concurrency=1))


def test_one_of_another_process_is_aborted_in_the_table(play: Play) -> None:
    """Whoever runs it finds out before the next attempt."""

    async def before(bench: Bench) -> None:
        await bench.submit(wait=1)
        await bench.world()["BEGUN"].get()

    async def after(bench: Bench) -> None:
        assert (await bench.asynchronous.abort("orders", "id-1")).status == "ABORTED"
        await bench.asynchronous.resume()
        assert bench.asynchronous._tasks == {}

    play(before)
    play(after)


def test_one_that_has_ended_cannot_be_aborted(play: Play) -> None:
    """Nor one that nobody knows."""

    async def story(bench: Bench) -> None:
        request_id = await bench.submit()
        await bench.ended(request_id)
        with pytest.raises(InvocationEnded, match=f"{request_id!r} has ended: it is FINISHED"):
            await bench.asynchronous.abort("orders", request_id)
        for function, unknown in (("idle", request_id), ("orders", "nobody")):
            with pytest.raises(InvocationNotFound):
                await bench.asynchronous.abort(function, unknown)

    play(story)


def test_what_had_not_ended_is_taken_up_at_the_next_start(play: Play) -> None:
    """What ran and what waited for its turn at once, what waited for a retry in its time."""

    async def before(bench: Bench) -> None:
        await bench.submit(failures=1)
        await bench.time.pauses.get()
        await bench.submit(wait=1)
        await bench.world()["BEGUN"].get()
        await bench.submit(late=True)

    async def after(bench: Bench) -> None:
        bench.world()["GATE"].set()
        bench.time.now += 20
        await bench.asynchronous.resume()
        assert (await bench.ended("id-2")).attempts == 2
        assert (await bench.ended("id-3")).attempts == 1
        assert await bench.time.pass_by() == 40
        assert (await bench.ended("id-1")).attempts == 2
        found = await bench.asynchronous.listed("orders", None, None, 9)
        assert [each.status for each in found] == ["FINISHED"] * 3
        assert [call[1] for call in bench.world()["CALLS"]] == ["id-2", "id-3", "id-1"]

    play(before, Policy(concurrency=1))
    play(after, Policy(concurrency=1))


def test_one_that_ends_its_gateway_each_time_is_given_up(play: Play) -> None:
    """As many attempts as of any other, and not one more."""

    async def interrupted(bench: Bench) -> None:
        await bench.asynchronous.resume()
        if not await bench.asynchronous.listed("orders", None, None, 9):
            await bench.submit(wait=1)
        await bench.world()["BEGUN"].get()

    async def last(bench: Bench) -> None:
        await bench.asynchronous.resume()
        ended = await bench.ended("id-1")
        assert (ended.status, bench.world()["CALLS"]) == ("FAILED", [])
        assert ended.result is not None
        assert (ended.result["status"], ended.result["version"]) == (500, None)
        assert "the gateway ended during 2 attempts" in ended.result["error"]["errorMessage"]

    for _ in range(2):
        play(interrupted, Policy(retries=1))
    play(last, Policy(retries=1))


def test_what_a_living_process_runs_is_left_to_it(play: Play) -> None:
    """Two gateways may share one state."""

    async def before(bench: Bench) -> None:
        await bench.submit(wait=1)

    async def after(bench: Bench) -> None:
        living = replace(bench.asynchronous._host, alive=lambda process: process == PARENT)
        bench.asynchronous._host = living
        await bench.asynchronous.resume()
        assert bench.asynchronous._tasks == {}
        assert (await bench.now("id-1")).status == "RUNNING"

    play(before)
    play(after, process=os.getpid())


def test_a_gateway_takes_up_by_itself_what_it_had_accepted(file: Path) -> None:
    """Whoever opens it need not ask."""
    setup = Setup(file=file, state=file.parent / "state" / "g.db", policy=Policy(retries=9))

    async def scenario() -> Invocation:
        gateway = await Gateway.open(setup)
        accepted = await gateway.asynchronous.submit(RELEASE, None, {})
        await gateway.close()
        gateway = await Gateway.open(setup)
        task = gateway.asynchronous._tasks.get(accepted.request_id)
        if task is not None:  # the first one may have been fast enough
            await asyncio.wait([task])
        found = await gateway.asynchronous.get("orders", accepted.request_id)
        await gateway.close()
        return found

    assert asyncio.run(scenario()).status == "FINISHED"


def test_who_goes_away_while_it_is_accepted_leaves_it_behind(play: Play) -> None:
    """What is in the table is run."""

    async def story(bench: Bench) -> None:
        asking = asyncio.create_task(bench.submit())
        await asyncio.sleep(0)  # it is on its way now
        assert bench.asynchronous._accepting
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await asyncio.gather(*bench.asynchronous._accepting)
        assert (await bench.ended("id-1")).status == "FINISHED"

    play(story)


def test_what_is_accepted_during_the_end_waits_for_the_next_start(play: Play) -> None:
    """It was promised, and is not begun any more."""

    async def before(bench: Bench) -> None:
        asking = asyncio.create_task(bench.submit())
        await asyncio.sleep(0)  # it is on its way now
        assert bench.asynchronous._accepting
        await bench.asynchronous.close()
        assert (await bench.now(await asking)).attempts == 0

    async def after(bench: Bench) -> None:
        await bench.asynchronous.resume()
        assert (await bench.ended("id-1")).status == "FINISHED"

    play(before)
    play(after)


def test_too_many_are_refused(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """And leave nothing behind."""
    monkeypatch.setattr("gateway.store.sqlite_invocations.UNENDED", 1)

    async def story(bench: Bench) -> None:
        await bench.submit(wait=1)
        with pytest.raises(TooManyInvocations):
            await bench.submit()
        assert list(bench.asynchronous._tasks) == ["id-1"]

    play(story)


def test_a_state_that_cannot_be_written_is_told(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for an answer; the invocation stays for the next start."""

    async def story(bench: Bench) -> None:
        table = bench.gateway.service.store.invocations

        async def full(*_: object, **__: object) -> bool:
            raise StateUnusable("the disk is full")

        monkeypatch.setattr(table, "end", full)
        request_id = await bench.submit()
        assert (await bench.ended(request_id)).status == "RUNNING"
        ((error, where),) = bench.told
        assert (str(error), where) == ("the disk is full", f"invocation {request_id}")

    play(story)


def test_a_large_value_is_not_kept(play: Play) -> None:
    """It has finished all the same."""

    async def story(bench: Bench) -> None:
        room = MAX_KEPT_VALUE - len('{"version":"v1","value":""}')
        small = (await bench.ended(await bench.submit(size=room))).result
        large = (await bench.ended(await bench.submit(size=room + 1))).result
        assert small is not None
        assert large is not None
        assert (len(small["value"]["value"]), small["value_kept"]) == (room, True)
        assert (large["value"], large["value_kept"], large["status"]) == (None, False, 200)

    play(story)


def test_of_a_long_stack_the_end_is_kept() -> None:
    """That is where the error is."""
    error = {"errorMessage": "m", "stackTrace": "x" * MAX_STACK + "the end"}
    found = result_of(Invoked("id", "1", "main", 1, 430, None, error))["error"]
    assert len(found["stackTrace"]) == MAX_STACK
    assert found["stackTrace"].endswith("the end")


def test_a_process_is_alive_or_it_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else's as well."""
    assert is_alive(os.getpid())
    assert not is_alive(2**22 + 1)  # no system hands out so high a number

    def refused(_: int, __: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", refused)
    assert is_alive(1)
