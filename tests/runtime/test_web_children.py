"""Web versions with a server of their own: started, watched, restarted, and never left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from gateway.core.functions import Configuration
from gateway.runtime import Outcome, Runtime
from gateway.runtime.web import WebRunner
from gateway.runtime.web_child import Child, _listens, bootstrap_of, environment
from gateway.runtime.web_errors import PortBindingFailed, ProcessExited
from gateway.runtime.web_guard import NOT_STARTED, WATCH, guard
from gateway.runtime.web_place import Place

if TYPE_CHECKING:
    from gateway.core.functions import FunctionVersion

pytestmark = pytest.mark.sockets

LISTEN = """
import os, socket, sys
listener = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
print("listening as", os.environ["SCF_FUNCTIONVERSION"], os.environ.get("GREETING"), flush=True)
while True:
    connection, _ = listener.accept()
    with connection:
        if connection.recv(10) == b"exit":
            os._exit(3)
"""

Bootstrap = Callable[..., "FunctionVersion"]


@pytest.fixture
def bootstrap(make: Callable[..., FunctionVersion]) -> Bootstrap:
    """A version whose `scf_bootstrap` is this Python code."""

    def write(
        code: str, *, first: str = f"#!{sys.executable} -S", **more: object
    ) -> FunctionVersion:
        text = f"{first}\n{textwrap.dedent(code)}"
        version = make({"scf_bootstrap": ""}, type="web", **more)
        file = Path(version.code) / "scf_bootstrap"
        file.write_text(text)
        file.chmod(0o755)
        return version

    return write


def path_of(version: FunctionVersion) -> str:
    """Its bootstrap."""
    path = bootstrap_of(version.code)
    assert path is not None
    return path


def server_of(child: Child) -> psutil.Process:
    """The process below the guard."""
    (server,) = psutil.Process(child._process.pid).children()
    return server


def say(child: Child, word: bytes) -> None:
    """Say one word to a server."""
    with socket.create_connection(("127.0.0.1", child.port)) as connection:
        connection.sendall(word)


def test_a_server_is_told_its_port_and_its_version(
    bootstrap: Bootstrap, capsys: pytest.CaptureFixture[str]
) -> None:
    """It runs in its folder, and what it says is kept and told."""
    version = bootstrap(LISTEN, environment={"GREETING": "hello"})
    child = Child.start(version, path_of(version))
    assert child.authority == f"127.0.0.1:{child.port}"
    assert server_of(child).cwd() == version.code
    server = server_of(child)
    child.close().result(10)
    assert child.ended
    assert not server.is_running()
    assert child.output == "listening as 1 hello\n"
    assert "[orders 1] listening as 1 hello\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("code", "first", "said"),
    [
        ("print('no database'); raise SystemExit(4)", f"#!{sys.executable} -S",
         "ended with code 4 before it listened; it said last: no database"),
        ("", "#!/bin/false", "ended with code 1 before it listened"),
        ("import os, signal; os.kill(os.getpid(), 9)", f"#!{sys.executable} -S",
         "ended with code 137"),
        ("x", "no interpreter", "it said last: .*Exec format error"),
        ("x", "#!/nowhere/python", "it said last: .*No such file or directory"),
    ],
)  # fmt: skip
def test_a_server_that_ends_at_once_says_why(
    bootstrap: Bootstrap, code: str, first: str, said: str
) -> None:
    """405, with its last words."""
    version = bootstrap(code, first=first)
    with pytest.raises(ProcessExited, match=said) as caught:
        Child.start(version, path_of(version))
    assert (caught.value.status, caught.value.code) == (405, "process-exited")


def test_a_server_that_listens_elsewhere_is_ended(bootstrap: Bootstrap) -> None:
    """446, and the time it took to find out is an argument."""
    version = bootstrap("print('hm', flush=True)\nimport time\ntime.sleep(60)")
    before = set(psutil.Process().children(recursive=True))
    with pytest.raises(PortBindingFailed, match=r"after 0.3 seconds") as caught:
        Child.start(version, path_of(version), 0.3)
    assert caught.value.status == 446
    _, alive = psutil.wait_procs(
        set(psutil.Process().children(recursive=True)) - before, timeout=10
    )
    assert not alive


def test_what_the_gateway_keeps_to_itself(
    bootstrap: Bootstrap, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The version's variables win over the gateway's; its token and its keys are told to nobody."""
    monkeypatch.setenv("GATEWAY_TOKEN", "secret")
    monkeypatch.setenv("GATEWAY_KEYS", "id:secret")
    monkeypatch.setenv("GREETING", "outer")
    monkeypatch.setenv("PORT", "1")
    version = bootstrap(LISTEN, environment={"GREETING": "inner"})
    told = environment(version, 5)
    assert not {"GATEWAY_TOKEN", "GATEWAY_KEYS"} & told.keys()
    assert (told["GREETING"], told["PORT"], told["SCF_FUNCTIONNAME"]) == ("inner", "5", "orders")


def test_an_executable_file_is_what_starts_a_server(bootstrap: Bootstrap) -> None:
    """A file that cannot be run is none, and neither is a folder."""
    version = bootstrap(LISTEN)
    file = Path(path_of(version))
    file.chmod(0o644)
    assert bootstrap_of(version.code) is None
    file.unlink()
    assert bootstrap_of(version.code) is None
    file.mkdir()
    assert bootstrap_of(version.code) is None


def test_the_end_of_a_long_output_is_kept(bootstrap: Bootstrap) -> None:
    """64 KiB of it."""
    version = bootstrap("for n in range(20000): print('line', n)\nraise SystemExit(1)")
    with pytest.raises(ProcessExited) as caught:
        Child.start(version, path_of(version))
    assert caught.value.output.endswith("line 19999\n")
    assert len(caught.value.output) == 64 * 1024


def test_a_port_that_answers_to_itself_is_no_server() -> None:
    """Nobody listens on a port that was just given back."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert _listens(port)
    assert not _listens(port)


async def entered(runner: WebRunner) -> Child:
    """The server at a place that is left at once."""
    place = await runner.enter("id")
    assert isinstance(place, Place), place
    place.leave()
    assert isinstance(place.instance, Child)
    return place.instance


def test_a_server_that_died_is_started_again_by_the_next_request(
    bootstrap: Bootstrap, runtime: Runtime
) -> None:
    """One attempt is shared by all requests that wait."""
    version = bootstrap(LISTEN)

    async def scenario() -> None:
        runner = runtime.runner(version)
        assert isinstance(runner, WebRunner)
        runtime.prove(version)
        first = await entered(runner)
        assert await entered(runner) is first
        say(first, b"exit")
        assert await asyncio.to_thread(first.exited_within, 10)
        second, third = await asyncio.gather(entered(runner), entered(runner))
        assert second is third is not first
        runtime.reload(version)
        fourth = await entered(runner)
        assert fourth is not second
        assert await asyncio.to_thread(second.exited_within, 10)
        runtime.close()
        await runtime.web.closed()
        assert fourth.ended

    asyncio.run(scenario())


def test_a_version_that_cannot_start_is_told_and_tried_by_each_request(
    bootstrap: Bootstrap, runtime: Runtime
) -> None:
    """What it needs may come back without anybody touching its code."""
    version = bootstrap("import sys\nsys.exit(5)")

    async def scenario() -> None:
        runner = runtime.runner(version)
        assert isinstance(runner, WebRunner)
        outcome = await runner.enter("id")
        assert isinstance(outcome, Outcome)
        assert outcome.status == 405
        (Path(version.code) / "scf_bootstrap").write_text(f"#!{sys.executable} -S\n{LISTEN}")
        await entered(runner)
        runtime.close()
        await runtime.web.closed()

    asyncio.run(scenario())


def test_servers_end_with_a_gateway_that_is_killed(bootstrap: Bootstrap) -> None:
    """Nobody could have asked them to."""
    version = replace(bootstrap(LISTEN), configuration=Configuration(type="web"))
    code = f"""
import sys
sys.path.insert(0, {str(Path.cwd())!r})
from gateway.core.functions import Configuration, FunctionVersion
from gateway.runtime.web_child import Child, bootstrap_of
version = FunctionVersion("orders", "1", {version.code!r}, Configuration(type="web"))
child = Child.start(version, bootstrap_of(version.code))
print(child._process.pid, flush=True)
sys.stdin.read()
"""
    gateway = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    with gateway:
        assert gateway.stdout is not None
        guarding = psutil.Process(int(gateway.stdout.readline()))
        below = [guarding, *guarding.children()]
        assert len(below) == 2
        gateway.send_signal(signal.SIGKILL)
    _, alive = psutil.wait_procs(below, timeout=10)
    assert not alive


def close_unwatched(pipe: int) -> None:
    """Close the end of a pipe that a guard in this process may still read."""
    for thread in threading.enumerate():
        if thread.name == WATCH:
            thread.join()
    os.close(pipe)


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["/bin/sh", "-c", "exit 7"], 7),
        (["/bin/sh", "-c", "kill -TERM $$"], 128 + signal.SIGTERM),
        (["/nowhere/command"], NOT_STARTED),
    ],
)
def test_a_guard_ends_with_its_command(command: list[str], code: int) -> None:
    """With its code."""
    out, into = os.pipe()
    try:
        assert guard(command, out) == code
    finally:
        os.close(into)
        close_unwatched(out)


@pytest.mark.parametrize("trap", ["", "trap '' TERM; "], ids=["asked", "killed"])
def test_a_guard_ends_its_command_when_the_pipe_closes(trap: str, tmp_path: Path) -> None:
    """It asks first, and kills what does not listen; what was left running ends as well."""
    out, into = os.pipe()
    ready = tmp_path / "ready"
    os.mkfifo(ready)

    def close_when_ready() -> None:
        ready.read_bytes()
        os.close(into)

    closing = threading.Thread(target=close_when_ready)
    closing.start()
    script = f"{trap}sleep 60 & echo x > {ready}; wait; sleep 60"
    try:
        code = guard(["/bin/sh", "-c", script], out, 0.1)
    finally:
        closing.join()
        close_unwatched(out)
    assert code == 128 + (signal.SIGKILL if trap else signal.SIGTERM)
