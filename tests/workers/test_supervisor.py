"""The one process over the others: whoever ends is replaced, and all end together."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import psutil
import pytest

from benchmarks.servers import shop_command
from gateway.cli.serve import command
from gateway.dataplane.listeners import bind
from gateway.workers.place import NotStarted, Place
from gateway.workers.process import Process, how
from gateway.workers.supervisor import Listeners, Supervisor, has_terminal

Word = dict[str, Any]


class Scripted:
    """A process that does what its test says; the real ones are in the last test.

    Args:
        number: Its number.
        starts: Whether it becomes ready.
    """

    def __init__(self, number: int, *, starts: bool = True) -> None:
        self.name = "worker-1"
        self.number = number
        self.stopped = 0
        self.told: list[Word] = []
        self._starts = starts
        self._end: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        if not starts:
            self._end.set_result(3)

    async def ready(self) -> Word | None:
        return {"ready": self.number} if self._starts else None

    async def ended(self) -> int:
        return await asyncio.shield(self._end)

    def tell(self, word: Word) -> None:
        self.told.append(word)

    def stop(self) -> None:
        self.stopped += 1
        self.die(0)

    def die(self, status: int) -> None:
        if not self._end.done():
            self._end.set_result(status)


class Troupe:
    """A place and everybody who was ever in it.

    Args:
        script: Whether each one starts; those beyond it do.
    """

    def __init__(self, *script: bool) -> None:
        self.all: list[Scripted] = []
        self.said: list[str] = []
        self.left = 0
        self._script = list(script)
        start: Any = self._start
        self.place = Place("worker-1", start, self.said.append, self._leave)
        self.place.patience = 5

    async def _start(self, started: int) -> Scripted:
        starts = self._script.pop(0) if self._script else True
        self.all.append(Scripted(started, starts=starts))
        return self.all[-1]

    def _leave(self) -> None:
        self.left += 1

    async def several(self, count: int) -> Scripted:
        """The last of so many, once there are."""
        while len(self.all) < count:  # noqa: ASYNC110 - the test's timeout ends it
            await asyncio.sleep(0)
        return self.all[-1]


def play(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Let something happen."""
    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("status", "words"),
    [(0, "ended with exit code 0"), (4, "ended with exit code 4"), (-9, "was ended by SIGKILL")],
)
def test_how_a_process_ended_is_said(status: int, words: str) -> None:
    """By its exit code, or by the name of a signal."""
    assert how(status) == words


def test_who_does_not_start_is_tried_again() -> None:
    """A few times, and then the place is given up."""

    async def scenario() -> None:
        troupe = Troupe(False, False)
        assert await troupe.place.fill() == {"ready": 2}
        troupe.place.patience = 1
        hopeless = Troupe(*[False] * 9)
        hopeless.place.patience = 2
        with pytest.raises(NotStarted, match="its last attempt ended with exit code 3"):
            await hopeless.place.fill()
        assert len(hopeless.all) == 2

    play(scenario)


def test_who_dies_is_replaced() -> None:
    """At once the first time; it is told, and so is that nobody was there."""

    async def scenario() -> None:
        troupe = Troupe()
        await troupe.place.fill()
        keeping = asyncio.create_task(troupe.place.keep())
        for number in (1, 2):
            (await troupe.several(number)).die(-9)
        last = await troupe.several(3)
        assert troupe.said == [
            f"worker-1 (process {number}) was ended by SIGKILL; starting another"
            for number in (0, 1)
        ]
        assert troupe.left == 2
        troupe.place.tell({"reload": "orders"})
        assert [each.told for each in troupe.all] == [[], [], [{"reload": "orders"}]]
        troupe.place.close()
        troupe.place.stop()
        await keeping
        await troupe.place.gone()
        assert [each.stopped for each in troupe.all] == [0, 0, 1]
        assert last.number == 2

    play(scenario)


def test_who_cannot_be_replaced_ends_the_keeping() -> None:
    """With how it ended."""

    async def scenario() -> None:
        troupe = Troupe(True, False)
        await troupe.place.fill()
        troupe.place.patience = 1
        troupe.all[0].die(1)
        with pytest.raises(NotStarted) as caught:
            await troupe.place.keep()
        assert (caught.value.name, caught.value.status) == ("worker-1", 3)

    play(scenario)


def test_closing_ends_a_wait_for_the_next_attempt() -> None:
    """Whatever was about to be tried."""

    async def scenario() -> None:
        troupe = Troupe(*[False] * 9)
        troupe.place.patience = None
        filling = asyncio.create_task(troupe.place.fill())
        await troupe.several(4)
        troupe.place.close()
        with pytest.raises(NotStarted):
            await filling

    play(scenario)


@pytest.mark.parametrize("first", [True, False], ids=["new first", "old first"])
def test_a_process_is_renewed(first: bool) -> None:
    """The old one is told to stop, and is not taken for one that died."""

    async def scenario() -> None:
        troupe = Troupe()
        await troupe.place.fill()
        keeping = asyncio.create_task(troupe.place.keep())
        assert await troupe.place.renew(first=first)
        old, new = troupe.all
        assert (old.stopped > 0, new.stopped) == (True, 0)
        troupe.place.close()
        troupe.place.stop()
        await keeping
        assert troupe.said == []

    play(scenario)


def test_one_that_cannot_be_renewed_stays() -> None:
    """It is said, and its patience is what it was."""

    async def scenario() -> None:
        troupe = Troupe(True, False)
        await troupe.place.fill()
        assert not await troupe.place.renew(first=True)
        (said,) = troupe.said
        assert said.endswith("its last attempt ended with exit code 3; process 0 stays")
        assert (troupe.all[0].stopped, troupe.place.patience) == (0, 5)

    play(scenario)


@pytest.fixture
def given(tmp_path: Path) -> Word:
    """The options of a gateway with a state of its own."""
    config = tmp_path / "stages.toml"
    shop_command(tmp_path)
    options = command.make_context("serve", ["--config", str(config), "--seed", "1"]).params
    return options | {"workers": 2, "watch": False}


def supervised(given: Word, hear: Callable[[Supervisor, str], None]) -> tuple[Word | None, bool]:
    """Run a gateway until it is told to stop; gives what it said when it was ready."""
    words: list[Word] = []

    async def scenario() -> bool:
        bound = [bind("127.0.0.1", 0, shared=shared) for shared in (True, True, False)]
        listeners = Listeners(*bound)

        def ready(word: Any) -> None:  # noqa: ANN401
            words.append(word)
            hear(supervisor, "ready")

        supervisor = Supervisor(listeners, 2, given, lambda line: hear(supervisor, line))
        await supervisor.run(ready)
        assert listeners.data.fileno() < 0
        return supervisor.was_ready

    was_ready = asyncio.run(scenario())
    return (words[0] if words else None), was_ready


def children() -> dict[str, int]:
    """The processes of a gateway that this process started, by name."""
    found = {}
    for each in psutil.Process().children():
        line = each.cmdline()
        if "gateway.cli.serve_part" in line:
            found[line[-2]] = each.pid
    return found


@pytest.mark.sockets
def test_a_gateway_of_processes_is_started_renewed_mended_and_ended(given: Word) -> None:
    """Each by what a system does to processes: signals."""
    said: list[str] = []
    seen: list[dict[str, int]] = []
    commands: list[list[str]] = []

    def hear(supervisor: Supervisor, line: str) -> None:
        said.append(line)
        seen.append(children())
        assert Path(supervisor._folder.name).stat().st_mode & 0o777 == 0o700
        commands.extend(psutil.Process(each).cmdline() for each in seen[-1].values())
        if line == "ready":
            os.kill(os.getpid(), signal.SIGHUP)
            os.kill(os.getpid(), signal.SIGHUP)
        elif line == "every process was replaced" and "starting" not in "".join(said):
            os.kill(children()["worker-2"], signal.SIGKILL)
        elif line.endswith("starting another"):
            os.kill(os.getpid(), signal.SIGTERM)

    word, was_ready = supervised(given, hear)
    assert was_ready
    assert word is not None
    assert word["ready"].startswith("gateway ready data=http://127.0.0.1:")
    assert said[:2] == ["ready", "replacing every process, one after the other"]
    renewed = seen[said.index("every process was replaced")]
    assert set(renewed) == set(seen[0]) == {"control", "worker-1", "worker-2"}
    assert not set(renewed.values()) & set(seen[0].values())
    assert any(f"worker-2 (process {renewed['worker-2']}) was ended by" in line for line in said)
    assert children() == {}
    for command_line in commands:  # what it is to do may hold secrets, and is told otherwise
        *_, module, name, descriptor = command_line
        assert (module, name in seen[0], descriptor.isdigit()) == (
            "gateway.cli.serve_part",
            True,
            True,
        )


@pytest.mark.sockets
def test_a_gateway_that_is_stopped_before_it_is_ready_leaves_nobody(given: Word) -> None:
    """Whatever was being started; it hears twice that it should not wait."""

    async def begin(_order: object, _sockets: object, _hear: object) -> Process:
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
            os.kill(os.getpid(), number)
        await asyncio.Event().wait()
        raise AssertionError

    start: Callable[..., Awaitable[Process]] = begin
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Process, "start", start)
        assert supervised(given, lambda *_: None) == (None, False)


@pytest.mark.sockets
def test_a_terminal_that_is_closed_ends_what_runs_in_it(given: Word) -> None:
    """The system says so by the signal that is an upgrade otherwise."""
    answers = [True, False]

    def hear(_supervisor: Supervisor, line: str) -> None:
        assert line == "ready"
        os.kill(os.getpid(), signal.SIGHUP)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gateway.workers.supervisor.has_terminal", lambda: answers.pop(0))
        assert supervised(given, hear)[1]
    assert answers == []


def test_who_has_a_terminal_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    """It can be opened then."""
    opened: list[str] = []

    def granted(path: str, _flags: int) -> int:
        opened.append(path)
        return os.dup(0)

    def refused(path: str, _flags: int) -> int:
        raise OSError(path)

    monkeypatch.setattr(os, "open", granted)
    assert has_terminal()
    monkeypatch.setattr(os, "open", refused)
    assert not has_terminal()
    assert opened == ["/dev/tty"]


@pytest.mark.sockets
def test_a_gateway_that_cannot_be_steered_is_not_started(given: Word, tmp_path: Path) -> None:
    """The exit code is that of the process that could not be."""
    (tmp_path / "stages.toml").write_text("[service]\n")
    with pytest.raises(NotStarted) as caught:
        supervised(given, lambda *_: None)
    assert (caught.value.name, caught.value.status) == ("control", 4)
    assert children() == {}
