"""Versions in processes of their own: whatever a handler does, it does to itself alone."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import psutil
import pytest

from gateway.core.functions import FunctionVersion
from gateway.runtime import LoadError, Outcome, Runner, Runtime, instance, load, pool
from gateway.runtime.instance import Instance
from gateway.runtime.output import install, remove
from gateway.runtime.processes import Processes
from gateway.runtime.threads import Job, Threads

Make = Callable[..., FunctionVersion]

PID = "import os\ndef main_handler(event, context): return os.getpid()\n"


@pytest.fixture(autouse=True)
def no_process_stays() -> Iterator[None]:
    """Nothing runs after a test that was not there before it, and nothing is unwaited for."""
    before = set(psutil.Process().children(recursive=True))
    yield
    assert set(psutil.Process().children(recursive=True)) <= before


@pytest.fixture
def written(make: Make) -> Callable[..., FunctionVersion]:
    """A version that runs in processes, of a handler's lines or of a whole file."""

    def write(code: str, *arguments: str, **configured: object) -> FunctionVersion:
        if "main_handler" not in code:
            lines = "".join(f"    {line}\n" for line in code.splitlines())
            code = f"import os, sys, time\ndef main_handler(event, context):\n{lines}"
        return make(code, *arguments, **{"isolation": "process", **configured})

    return write


def answer(runtime: Runtime, version: FunctionVersion, event: object = None) -> Outcome:
    """Invoke a version once, in a loop of its own."""
    return asyncio.run(runtime.invoke(version, event, "r"))


def until(condition: Callable[[], bool]) -> None:
    """Wait for what another process does."""
    while not condition():
        threading.Event().wait(0.001)


def gone(process: psutil.Process) -> bool:
    """Whether a process has ended; one that nobody has waited for yet has."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def pool_of(runtime: Runtime, version: FunctionVersion) -> pool.Pool:
    """The processes of a version that is loaded."""
    runner = runtime.runner(version)
    assert isinstance(runner, Runner)
    assert runner._generation is not None
    assert runner._generation.pool is not None
    return runner._generation.pool


ANSWERS = {
    "a value": ("return event", {"n": [1, None, "größe", 1.5]}),
    "nothing": ("return None", None),
    "six megabytes": ("return event", "x" * 6 * 2**20),
    "half a surrogate": ("return event", "\ud800"),
    "a tuple is a list": ("return 1, 2", [1, 2]),
}


@pytest.mark.parametrize(("body", "value"), ANSWERS.values(), ids=ANSWERS.keys())
def test_events_and_values_are_json(
    runtime: Runtime, written: Make, body: str, value: object
) -> None:
    """There and back again."""
    assert answer(runtime, written(body), value) == Outcome(200, value, None)


@pytest.mark.parametrize("body", ["return {1, 2}", "return float('nan')", "return object()"])
def test_a_value_that_is_no_json_is_nothing_that_a_caller_could_use(
    runtime: Runtime, written: Make, body: str
) -> None:
    """It is told as what it is: passed through it is an error, spelled out it is malformed."""
    outcome = answer(runtime, written(body))
    assert outcome.status == 200
    assert type(outcome.value) is pool.NotJson


@pytest.mark.parametrize("event", [{1, 2}, float("inf"), object()], ids=["set", "inf", "object"])
def test_an_event_that_is_no_json_is_refused(
    runtime: Runtime, written: Make, event: object
) -> None:
    """With the cloud's code for it."""
    assert answer(runtime, written("return 1"), event).status == 400


def test_the_context_is_that_of_a_thread(runtime: Runtime, make: Make) -> None:
    """Key by key."""
    index = "def main_handler(event, context): return context"
    told = [
        answer(runtime, make(index, isolation=isolation, environment={"A": "1"})).value
        for isolation in ("thread", "process")
    ]
    assert told[0] == told[1]


ENDS = {
    "raises": ("raise ValueError('no')", 430, "ValueError: no", True),
    "raises KeyboardInterrupt": ("raise KeyboardInterrupt", 430, "KeyboardInterrupt", True),
    "sys.exit": ("sys.exit(3)", 439, "SystemExit: 3", False),
    "os._exit": ("os._exit(3)", 439, "the process ended with exit status 3", False),
    "killed": ("os.kill(os.getpid(), 9)", 439, "the process ended by signal SIGKILL", False),
    "crash": ("os.abort()", 439, "the process ended by signal SIGABRT", False),
    "loops": ("while True: pass", 433, "Invoking task timed out after 0.3 seconds", False),
    "sleeps": ("time.sleep(99)", 433, "Invoking task timed out after 0.3 seconds", False),
    "talks for ever": (
        "while True: print('x' * 999)", 433, "Invoking task timed out after 0.3 seconds", False,
    ),
    "ignores signals": (
        "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(99)",
        433, "Invoking task timed out after 0.3 seconds", False,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("body", "status", "last", "stays"), ENDS.values(), ids=ENDS.keys())
def test_whatever_a_handler_does_is_answered(
    runtime: Runtime, written: Make, body: str, status: int, last: str, *, stays: bool
) -> None:
    """And the next invocation finds a process that is as good as new."""
    lines = "".join(f"\n  {line}" for line in body.splitlines())
    version = written(f"if event:{lines}\nreturn os.getpid()", timeout=0.3, concurrency=1)
    before = answer(runtime, version)
    outcome = answer(runtime, version, 1)
    assert outcome.status == status
    assert outcome.error is not None
    said = str(outcome.error.get("stackTrace") or outcome.error["errorMessage"])
    assert said.splitlines()[-1] == last
    after = answer(runtime, version)
    assert after.status == 200
    assert (after.value == before.value) is stays


@pytest.mark.parametrize(
    "body", ["b'x' * 2**31", "time.sleep(99) if event.append(b'x' * 2**28) else 0"]
)
def test_memory_beyond_the_limit_is_answered(runtime: Runtime, written: Make, body: str) -> None:
    """While the handler still fills it, or when it waits with too much of it."""
    version = written(f"return {body}", memory=64, timeout=30)
    outcome = answer(runtime, version, [])
    assert outcome.status == 434
    assert outcome.error is not None
    assert outcome.error["errorMessage"] == "MemoryLimitReached: the process took more than 64 MB"


def test_memory_that_is_kept_is_seen_in_the_end(
    runtime: Runtime, written: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if it was taken faster than anybody looked."""
    monkeypatch.setattr(instance, "TICK", 60.0)
    version = written("KEPT = []\ndef main_handler(e, c): KEPT.append(b'x' * 2**27)", memory=64)
    assert answer(runtime, version).status == 434


def test_an_outcome_tells_memory(runtime: Runtime, written: Make) -> None:
    """That of the process, in the end."""
    version = written("KEPT = []\ndef main_handler(e, c): KEPT.append(b'x' * 2**25)", memory=512)
    first, second = answer(runtime, version).memory, answer(runtime, version).memory
    assert second - first >= 2**24
    assert second <= 512 * 2**20


BROKEN = {
    "no handler": ({"index.py": "x = 1\ndef main(e, c): ..."}, {"handler": "index.mian"}),
    "no file": ({"other.py": ""}, {}),
    "malformed handler": ({"index.py": ""}, {"handler": "index"}),
    "raises": ({"index.py": "import helper", "helper.py": "raise KeyError('k')"}, {}),
    "exits": ({"index.py": "raise SystemExit(1)"}, {}),
    "syntax": ({"index.py": "def"}, {}),
}


@pytest.mark.parametrize(("files", "configured"), BROKEN.values(), ids=BROKEN.keys())
def test_code_that_does_not_load_fails_as_it_does_in_a_thread(
    runtime: Runtime, make: Make, files: dict[str, str], configured: dict[str, object]
) -> None:
    """Word for word: the type, the code, the sentence and the stack."""
    version = make(files, isolation="process", **configured)
    with pytest.raises(LoadError) as expected:
        load(version)
    with pytest.raises(type(expected.value)) as caught:
        runtime.prove(version)
    assert caught.value.to_dict() == expected.value.to_dict()
    assert answer(runtime, version).status == expected.value.status


def test_a_folder_that_is_not_there(runtime: Runtime, written: Make) -> None:
    """As in a thread."""
    version = written("return 1")
    Path(version.code, "index.py").unlink()
    Path(version.code).rmdir()
    assert answer(runtime, version).status == 437


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import os; os._exit(7)", "User process exit when running: with exit status 7"),
        ("x = b'x' * 2**30", "MemoryError: it takes more than 64 MB"),
        ("while True: pass", "TimeoutError: it takes longer than 0.5 seconds"),
    ],
)
def test_code_that_harms_while_it_loads(
    runtime: Runtime, written: Make, monkeypatch: pytest.MonkeyPatch, code: str, said: str
) -> None:
    """It cannot be imported, and the process is gone."""
    monkeypatch.setattr(pool, "LOADING_SECONDS", 0.5)
    version = written(f"{code}\ndef main_handler(e, c): ...", memory=64)
    with pytest.raises(LoadError) as caught:
        runtime.prove(version)
    assert caught.value.sentence == f"the code cannot be imported: {said}"


def test_variables_are_in_the_environment(
    runtime: Runtime, written: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The version's and the cloud's; the gateway's secrets are not, nor is its own changed."""
    monkeypatch.setenv("GATEWAY_TOKEN", "secret")
    monkeypatch.setenv("GATEWAY_KEYS", "id:secret")
    monkeypatch.setenv("OF_THE_GATEWAY", "x")
    index = "import os\nWHEN_LOADED = os.environ['A']\n"
    index += "def main_handler(event, context): return dict(os.environ), WHEN_LOADED\n"
    before = dict(os.environ)
    for number in ("1", "2"):
        version = written(index, number, environment={"A": number})
        told, loaded = cast("tuple[dict[str, str], str]", answer(runtime, version).value)
        assert (told["A"], loaded, told["OF_THE_GATEWAY"]) == (number, number, "x")
        assert (told["SCF_FUNCTIONNAME"], told["SCF_FUNCTIONVERSION"]) == ("orders", number)
        assert told["SCF_NAMESPACE"] == "default"
        assert not {"GATEWAY_TOKEN", "GATEWAY_KEYS"} & told.keys()
    assert dict(os.environ) == before


def test_a_version_has_a_time_zone_of_its_own(runtime: Runtime, written: Make) -> None:
    """By the variable that the system has for it."""
    version = written("return time.strftime('%z')", environment={"TZ": "XYZ-8"})
    assert answer(runtime, version).value == "+0800"


def test_async_handlers_share_one_loop(runtime: Runtime, written: Make) -> None:
    """What one invocation left on it is there for the next."""
    index = """
        import asyncio
        LOOPS = set()
        async def main_handler(event, context):
            LOOPS.add(asyncio.get_running_loop())
            await asyncio.sleep(0)
            return len(LOOPS)
    """
    version = written(index)
    assert [answer(runtime, version).value for _ in range(3)] == [1, 1, 1]


def test_everything_is_heard_of_a_process(runtime: Runtime, written: Make) -> None:
    """Compiled code, children, bytes: it is alone, so all of it is its own."""
    body = """
import subprocess, threading
print('print', flush=True)
os.write(1, b'descriptor\\n')
os.write(2, b'\\xff\\n')
subprocess.run(['echo', 'child'], check=True)
thread = threading.Thread(target=print, args=('thread',))
thread.start()
thread.join()
"""
    install()
    try:
        outcome = answer(runtime, written(body))
    finally:
        remove()
    assert outcome.output == "print\ndescriptor\n\\xff\nchild\nthread\n"


def test_what_is_said_between_invocations_is_nobodys(
    runtime: Runtime, written: Make, tmp_path: Path
) -> None:
    """A thread that was left behind talks on."""
    mark = tmp_path / "mark"
    body = f"""
import threading
def talk():
    time.sleep(0.02)
    print('late')
    open({str(mark)!r}, 'w').close()
if event:
    threading.Thread(target=talk).start()
else:
    print('mine')
"""
    version = written(body)
    install()
    try:
        answer(runtime, version, 1)
        until(mark.exists)
        assert answer(runtime, version).output == "mine\n"
    finally:
        remove()


def test_a_process_may_close_its_output(runtime: Runtime, written: Make) -> None:
    """It is silent from there on, and answers all the same."""
    version = written("os.close(1)\nos.close(2)\ntime.sleep(0.06)\nreturn os.getpid()")
    assert answer(runtime, version).status == 200


def meeting(written: Make, **configured: object) -> FunctionVersion:
    """A version whose handlers wait until so many of them are there."""
    body = """
open(os.path.join(event['folder'], str(os.getpid())), 'w').close()
while len(os.listdir(event['folder'])) < event['number']: time.sleep(0.001)
return os.getpid()
"""
    return written(body, **configured)


def test_one_process_for_each_invocation_at_a_time(
    runtime: Runtime, written: Make, tmp_path: Path
) -> None:
    """As many as there are seats; one more is refused."""
    version = meeting(written, concurrency=3)
    event: dict[str, object] = {"folder": str(tmp_path / "met"), "number": 4}
    (tmp_path / "met").mkdir()
    runtime.prove(version)

    async def scenario() -> list[Outcome]:
        three = [asyncio.create_task(runtime.invoke(version, event, "r")) for _ in range(3)]
        await asyncio.to_thread(until, lambda: len(list((tmp_path / "met").iterdir())) == 3)
        assert (await runtime.invoke(version, event, "r")).status == 432
        (tmp_path / "met" / "fourth").touch()
        return await asyncio.gather(*three)

    outcomes = asyncio.run(scenario())
    assert len({outcome.value for outcome in outcomes}) == 3
    assert answer(runtime, version, event).value in [outcome.value for outcome in outcomes]


def test_processes_with_nothing_to_do_end(written: Make) -> None:
    """And come back when they are needed."""
    runtime = Runtime(idle_seconds=0.05)
    version = written(PID)
    try:
        runtime.prove(version)
        first = answer(runtime, version).value
        assert isinstance(first, int)
        until(lambda: not psutil.pid_exists(first))
        assert answer(runtime, version).value != first
    finally:
        runtime.close()


def test_a_process_that_somebody_killed_is_replaced(runtime: Runtime, written: Make) -> None:
    """Nobody notices."""
    version = written(PID)
    assert answer(runtime, version).status == 200
    (idle,) = pool_of(runtime, version)._idle
    os.kill(idle.pid, signal.SIGKILL)
    until(lambda: not idle.usable())
    second = answer(runtime, version)
    assert (second.status, second.value != idle.pid) == (200, True)


def test_a_process_that_dies_as_it_is_asked(
    runtime: Runtime, written: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too late to ask another one: it may have begun."""
    version = written(PID)
    assert answer(runtime, version).status == 200
    (idle,) = pool_of(runtime, version)._idle
    os.kill(idle.pid, signal.SIGKILL)
    until(lambda: not idle.usable())
    with monkeypatch.context() as patch:
        patch.setattr(Instance, "usable", lambda _: True)
        assert answer(runtime, version).status == 439


@pytest.mark.parametrize("size", [1, 2**24], ids=["a small event", "a large one"])
def test_a_process_that_stands_still(runtime: Runtime, written: Make, size: int) -> None:
    """It does not even take the event."""
    version = written(PID, timeout=0.2)
    first = answer(runtime, version).value
    assert isinstance(first, int)
    os.kill(first, signal.SIGSTOP)
    assert answer(runtime, version, "x" * size).status == 433
    assert answer(runtime, version).status == 200


def test_a_process_that_is_killed_with_something_unread(
    runtime: Runtime, written: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its connection is reset, not closed."""
    version = written(PID)
    first = answer(runtime, version).value
    assert isinstance(first, int)
    os.kill(first, signal.SIGSTOP)
    wait = Instance._answer

    def kill_and_wait(asked: Instance, deadline: float) -> bytes:
        os.kill(asked.pid, signal.SIGKILL)
        return wait(asked, deadline)

    monkeypatch.setattr(Instance, "_answer", kill_and_wait)
    assert answer(runtime, version).status == 439


def test_a_process_that_comes_back_to_a_closed_pool(
    runtime: Runtime, written: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was busy when the others ended, and ends now."""
    version = written(PID)
    runtime.prove(version)
    running = pool_of(runtime, version)
    ask = Instance.ask

    def ask_and_unload(asked: Instance, message: bytes, seconds: float) -> object:
        try:
            return ask(asked, message, seconds)
        finally:
            running.unload()

    monkeypatch.setattr(Instance, "ask", ask_and_unload)
    outcome = answer(runtime, version)
    assert outcome.status == 200
    assert isinstance(outcome.value, int)
    assert not psutil.pid_exists(outcome.value)


@pytest.mark.parametrize("message", [b"x", b"[1]"], ids=["no JSON", "another shape"])
def test_a_handler_that_finds_the_line(runtime: Runtime, written: Make, message: bytes) -> None:
    """What is no answer ends the process."""
    frame = len(message).to_bytes(4) + message
    body = f"""
import stat
for number in range(3, 256):
    try:
        if stat.S_ISSOCK(os.fstat(number).st_mode): os.write(number, {frame!r})
    except OSError:
        pass
time.sleep(99)
"""
    assert answer(runtime, written(body)).status == 439


def test_a_gateway_whose_output_is_closed(
    runtime: Runtime, written: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody hears the words; they are kept all the same."""
    out = io.StringIO()
    out.close()
    monkeypatch.setattr(sys, "stderr", out)
    assert answer(runtime, written("print('x')")).output == "x\n"


def test_processes_end_where_no_thread_is_to_be_had(
    runtime: Runtime, written: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever wants it waits for it."""
    version = written(PID)
    pid = answer(runtime, version).value
    assert isinstance(pid, int)

    def no_thread(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", no_thread)
    runtime.retain(())
    assert not psutil.pid_exists(pid)


def test_code_that_broke_after_it_was_proved(runtime: Runtime, written: Make) -> None:
    """A process that is needed later finds what is there then."""
    version = written("os._exit(0)")
    runtime.prove(version)
    assert answer(runtime, version).status == 439
    Path(version.code, "index.py").write_text("raise KeyError")
    outcome = answer(runtime, version)
    assert outcome.status == 443
    assert outcome.error is not None
    assert str(outcome.error["stackTrace"]).endswith("KeyError\n")


def test_nothing_of_it_runs_here(runtime: Runtime, written: Make) -> None:
    """The gateway's own process has no handler, and no stack to explain."""
    made = pool.Pool(written(PID), None, runtime._processes)
    assert made.stack(ValueError()) == ""
    with pytest.raises(RuntimeError, match="processes of its own"):
        made.handler({}, {})


def test_a_reload_runs_new_code_in_new_processes(runtime: Runtime, written: Make) -> None:
    """The old ones end; broken code changes nothing."""
    version = written(PID, "$LATEST")
    first = answer(runtime, version).value
    assert isinstance(first, int)
    index = Path(version.code, "index.py")
    index.write_text("raise KeyError")
    with pytest.raises(LoadError):
        runtime.reload(version)
    assert answer(runtime, version).value == first
    index.write_text("def main_handler(event, context): return 'new'")
    runtime.reload(version)
    until(lambda: not psutil.pid_exists(first))
    assert answer(runtime, version).value == "new"


def test_what_runs_ends_in_the_old_process(runtime: Runtime, written: Make, tmp_path: Path) -> None:
    """A version that is retired is gone when its last invocation is answered."""
    version = meeting(written)
    met = tmp_path / "met"
    met.mkdir()
    event: dict[str, object] = {"folder": str(met), "number": 2}

    async def scenario() -> Outcome:
        running = asyncio.create_task(runtime.invoke(version, event, "r"))
        await asyncio.to_thread(until, lambda: len(list(met.iterdir())) == 1)
        runtime.retain(())
        (met / "second").touch()
        return await running

    outcome = asyncio.run(scenario())
    assert outcome.status == 200
    assert isinstance(outcome.value, int)
    pid = outcome.value
    until(lambda: not psutil.pid_exists(pid))


def test_a_request_that_comes_late_is_answered(runtime: Runtime, written: Make) -> None:
    """Its version was dropped after the decision: a process is started for it, and ends again."""
    runner = runtime.runner(written(PID))
    runtime.prove(runner.version)
    runtime.retain(())
    outcome = asyncio.run(runner.invoke({}, "r"))
    assert outcome.status == 200
    assert isinstance(outcome.value, int)
    pid = outcome.value
    until(lambda: not psutil.pid_exists(pid))


def test_a_client_that_goes_away_leaves_the_process_alone(
    runtime: Runtime, written: Make, tmp_path: Path
) -> None:
    """It ends its work, or its time is over; its seat is taken until then."""
    version = meeting(written, concurrency=1)
    met = tmp_path / "met"
    met.mkdir()
    event: dict[str, object] = {"folder": str(met), "number": 2}

    async def scenario() -> Outcome:
        running = asyncio.create_task(runtime.invoke(version, event, "r"))
        await asyncio.to_thread(until, lambda: len(list(met.iterdir())) == 1)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert (await runtime.invoke(version, event, "r")).status == 432
        (met / "second").touch()
        outcome = await runtime.invoke(version, event, "r")
        while outcome.status == 432:
            outcome = await runtime.invoke(version, event, "r")
        return outcome

    assert asyncio.run(scenario()).status == 200


def test_what_the_handler_started_ends_with_it(
    runtime: Runtime, written: Make, tmp_path: Path
) -> None:
    """Its children are in its group."""
    mark = tmp_path / "pid"
    body = f"""
import subprocess
child = subprocess.Popen(['sleep', '99'])
with open({str(mark)!r}, 'w') as file: file.write(str(child.pid))
time.sleep(99)
"""
    assert answer(runtime, written(body, timeout=1)).status == 433
    pid = int(mark.read_text())
    until(lambda: not psutil.pid_exists(pid) or gone(psutil.Process(pid)))


def test_closing_ends_busy_processes_too(written: Make, tmp_path: Path) -> None:
    """Whoever waits is told that the process has gone."""
    runtime = Runtime()
    version = meeting(written, timeout=60)
    met = tmp_path / "met"
    met.mkdir()

    async def scenario() -> Outcome:
        event: dict[str, object] = {"folder": str(met), "number": 2}
        running = asyncio.create_task(runtime.invoke(version, event, "r"))
        await asyncio.to_thread(until, lambda: len(list(met.iterdir())) == 1)
        await asyncio.to_thread(runtime.close)
        return await running

    assert asyncio.run(scenario()).status == 439


def test_a_closed_runtime_starts_nothing(written: Make) -> None:
    """An invocation that came late is refused."""
    runtime = Runtime()
    version = written(PID)
    runner = runtime.runner(version)
    runtime.prove(version)
    runtime._processes.close()
    assert asyncio.run(runner.invoke({}, "r")).status == 432
    runtime.close()
    with pytest.raises(OSError, match="closing"):
        runtime._processes.start(1)


GATEWAY = """
import asyncio, sys, threading
from gateway.core.functions import Configuration, FunctionVersion
from gateway.runtime import Runtime
version = FunctionVersion("f", "1", sys.argv[1], Configuration(isolation="process", timeout=60))
runtime = Runtime()
async def main():
    print((await runtime.invoke(version, "idle", "r")).value, flush=True)
    await asyncio.gather(*(runtime.invoke(version, "busy", "r") for _ in range(2)))
asyncio.run(main())
"""


def test_processes_end_with_a_gateway_that_is_killed(written: Make, tmp_path: Path) -> None:
    """The idle one and the one that loops for ever."""
    version = written(
        f"""
import os
def main_handler(event, context):
    if event == 'idle': return os.getpid()
    open(os.path.join({str(tmp_path)!r}, f'busy{{os.getpid()}}'), 'w').close()
    while True: pass
"""
    )
    command = [sys.executable, "-c", GATEWAY, version.code]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as gateway:
        assert gateway.stdout is not None
        idle = int(gateway.stdout.readline())
        until(lambda: len(list(tmp_path.glob("busy*"))) == 2)
        busy = [int(path.name.removeprefix("busy")) for path in tmp_path.glob("busy*")]
        assert idle in busy
        processes = [psutil.Process(pid) for pid in busy]
        gateway.send_signal(signal.SIGKILL)
        until(lambda: all(map(gone, processes)))


def refuse(*_: object, **__: object) -> None:
    """What the system says when it has enough."""
    raise BlockingIOError("too many processes")


def test_no_process_to_be_had(
    runtime: Runtime, written: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A limit like any other for a caller; a version that is to be proved is refused."""
    version = written("os._exit(0)", concurrency=1)
    runtime.prove(version)
    assert answer(runtime, version).status == 439
    with monkeypatch.context() as patch:
        patch.setattr(Processes, "start", refuse)
        assert answer(runtime, version).status == 432
        with pytest.raises(LoadError, match="BlockingIOError: too many processes"):
            runtime.reload(version)
    assert answer(runtime, version).status == 439


def test_nothing_is_leaked_by_a_process_that_cannot_be_started(
    runtime: Runtime, written: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Descriptors are given back."""
    version = written(PID)
    runtime.prove(version)
    before = psutil.Process().num_fds()
    with monkeypatch.context() as patch:
        patch.setattr(subprocess, "Popen", refuse)
        with pytest.raises(LoadError):
            runtime.reload(version)
    assert psutil.Process().num_fds() == before


def test_no_thread_to_be_had(
    runtime: Runtime, written: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is lost by it."""
    version = written("return 1", concurrency=1)
    runtime.prove(version)

    def no_thread(_threads: Threads, _job: Job) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(Threads, "run", no_thread)
        assert answer(runtime, version).status == 432
    assert answer(runtime, version).status == 200


def test_nothing_is_leaked_in_the_long_run(written: Make) -> None:
    """A thousand invocations and fifty processes killed: no descriptor, no zombie, no memory."""
    others = set(psutil.Process().children())  # servers of other tests
    runtime = Runtime()
    version = written("if event: os._exit(1)\nreturn os.getpid()", concurrency=8)
    runtime.prove(version)

    async def scenario(number: int) -> list[Outcome]:
        outcomes = []
        for start in range(0, number, 8):
            events = [(start + n) % 20 == 0 for n in range(min(8, number - start))]
            calls = (runtime.invoke(version, event, "r") for event in events)
            outcomes += await asyncio.gather(*calls)
        return outcomes

    try:
        asyncio.run(scenario(40))
        before = psutil.Process().num_fds()
        statuses = [outcome.status for outcome in asyncio.run(scenario(1000))]
        assert (statuses.count(200), statuses.count(439)) == (950, 50)
        children = set(psutil.Process().children()) - others
        assert 1 <= len(children) <= 8
        assert all(child.status() != psutil.STATUS_ZOMBIE for child in children)
        # Two descriptors for each process there is; there may be a few more or less than before.
        assert abs(psutil.Process().num_fds() - before) <= 2 * 8
    finally:
        runtime.close()
    assert set(psutil.Process().children()) <= others
