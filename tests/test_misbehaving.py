"""Handlers that do what no handler should: whatever it is, the gateway says so and goes on.

Each is asked in a gateway of its own kind of isolation, in one process that all of them share; and
after each the others answer, the control plane answers, and in the end the gateway stops.
"""

from __future__ import annotations

import http.client
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.sockets

ANY, SERVED, FORM, RAISED, EXITED, LARGE = 0, 200, 403, 430, 439, 407

Bad = dict[str, tuple[str, int]]

EVERYWHERE: Bad = {
    "says five megabytes": ("print('x' * 5_000_000)", SERVED),
    "calls itself for ever": ("def down():\n    down()\ndown()", RAISED),
    "returns what is too deep": (
        "value = []\nfor _ in range(100_000):\n    value = [value]\nreturn value",
        FORM,
    ),
    "goes elsewhere": ("import os\nos.chdir('/')", SERVED),
    "forgets the environment": ("import os\nos.environ.clear()", SERVED),
    "speaks another language": ("import locale\nlocale.setlocale(locale.LC_ALL, 'C')", SERVED),
    "leaves a thread": (
        "import threading, time\nthreading.Thread(target=time.sleep, args=(600,)).start()",
        SERVED,
    ),
    "leaves from a thread": (
        "import sys, threading\nt = threading.Thread(target=sys.exit)\nt.start()\nt.join()",
        SERVED,
    ),
    "leaves": ("import sys\nsys.exit(3)", EXITED),
    "returns a generator": ("return (n for n in range(3))", FORM),
    "returns bytes": ("return {'statusCode': 200, 'body': b'x'}", FORM),
    "splits the answer": (
        "return {'statusCode': 200, 'headers': {'A\\r\\nB': 'c'}, 'body': ''}",
        FORM,
    ),
    "returns too much": ("return {'statusCode': 200, 'body': 'x' * 7_000_000}", LARGE),
    "takes the streams away": ("import sys\nsys.stdout = sys.stderr = None", SERVED),
    "raises no exception": ("raise BaseException('x')", RAISED),
    "raises what cannot be told": (
        "class E(Exception):\n    def __str__(self):\n        raise ValueError\nraise E",
        RAISED,
    ),
    "wants all the memory": ("return [0] * 10 ** 12", RAISED),
    "allows no depth": ("import sys\nsys.setrecursionlimit(200)", SERVED),
    "collects nothing": ("import gc\ngc.disable()", SERVED),
}
FORKS: Bad = {
    "forks": (
        "import os\npid = os.fork()\nif pid == 0:\n    os._exit(0)\nos.waitpid(pid, 0)",
        SERVED,
    ),
    "forks and goes on": (
        "import os\npid = os.fork()\nif pid:\n    os.waitpid(pid, 0)",
        SERVED,
    ),
}
FOREIGN: Bad = {  # what a handler does to its process; in the gateway's own it does it to all
    "closes its streams": ("import os\nfor n in (0, 1, 2):\n    os.close(n)", SERVED),
    "takes json away": ("import json\njson.dumps = json.loads = None", ANY),
    "takes asyncio away": (
        "import asyncio\nasyncio.shield = asyncio.get_running_loop = None",
        SERVED,
    ),
    "is deaf to signals": ("import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)", SERVED),
    "sets an alarm": ("import signal\nsignal.setitimer(signal.ITIMER_REAL, 0.01)", ANY),
    "raises an interrupt": ("raise KeyboardInterrupt", RAISED),
}
SMALL = ("leaves", "leaves a thread", "forgets the environment", "wants all the memory")
BY_MODE: dict[str, Bad] = {
    "inline": EVERYWHERE,
    "thread": EVERYWHERE | FORKS | {"raises an interrupt": FOREIGN["raises an interrupt"]},
    "process": {name: EVERYWHERE[name] for name in SMALL} | FOREIGN,
}


def project(folder: Path, mode: str) -> None:
    """A function and an API for each handler, and a good one."""
    stages = ['[service]\nname = "shop"\n']
    codes = {"good": "import json\nprint('fine')\njson.loads('{}')"}
    codes |= {f"bad{number}": code for number, (code, _) in enumerate(BY_MODE[mode].values())}
    for name, code in codes.items():
        index = folder / "functions" / name / "latest" / "index.py"
        index.parent.mkdir(parents=True)
        body = "\n".join(f"    {line}" for line in code.splitlines())
        kind = "async def" if mode == "inline" else "def"
        end = "    return {'statusCode': 200, 'body': 'after'}\n"
        index.write_text(f"{kind} main_handler(event, context):\n{body}\n{end}")
        stages.append(
            f'[functions.{name}]\nsource = "functions/{name}"\ntimeout = 30\n'
            f'isolation = "{mode}"\n[[apis]]\nmethod = "GET"\npath = "=/{name}"\n'
            f'function = "{name}"\n'
        )
    (folder / "stages.toml").write_text("".join((*stages, '[stages.dev]\nalias = "$DEFAULT"\n')))


class Served:
    """A gateway in a process of its own."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "gateway", "serve", "--port", "0", "--control-port", "0"]
        self.errors = folder / "errors.txt"
        with self.errors.open("w") as errors:
            self.process = subprocess.Popen(
                [*command, "--state", ":memory:", "--no-watch"],
                cwd=folder,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        ports = re.findall(r"127\.0\.0\.1:([0-9]+)", line)
        assert ports, self.errors.read_text()
        self.data, self.control = (int(port) for port in ports)

    def get(self, path: str, port: int) -> tuple[int, bytes]:
        """One answer."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def stop(self) -> int:
        """End it, as an operator would."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


@pytest.fixture(params=BY_MODE)
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Served]]:
    """A gateway whose functions all run in the same way."""
    project(tmp_path, request.param)
    found = Served(tmp_path)
    try:
        yield request.param, found
    finally:
        if found.process.poll() is None:
            found.process.kill()
            found.process.wait()
        assert found.process.stdout is not None
        found.process.stdout.close()


def test_whatever_a_handler_does_the_gateway_goes_on(served: tuple[str, Served]) -> None:
    """It is answered, the next one is served, the figures have it, and a signal ends it all."""
    mode, gateway = served
    found = {}
    for number, name in enumerate(BY_MODE[mode]):
        found[name], _ = gateway.get(f"/dev/bad{number}", gateway.data)
        assert gateway.get("/dev/good", gateway.data) == (200, b"after"), (name, gateway.process)
        assert gateway.get("/readyz", gateway.control)[0] == 200, name
    expected = {name: status for name, (_, status) in BY_MODE[mode].items() if status}
    assert {name: found[name] for name in expected} == expected
    status, body = gateway.get("/api/metrics", gateway.control)
    assert (status, json.loads(body)["answered"]) == (200, 2 * len(found))
    assert gateway.stop() == 0


def test_a_thread_that_is_left_behind_is_told_of(tmp_path: Path) -> None:
    """Python would wait for it for ever; the gateway ends without it."""
    names = list(EVERYWHERE)
    project(tmp_path, "inline")
    gateway = Served(tmp_path)
    try:
        assert gateway.get(f"/dev/bad{names.index('leaves a thread')}", gateway.data)[0] == 200
        assert gateway.stop() == 0
    finally:
        gateway.process.kill()
        gateway.process.wait()
        assert gateway.process.stdout is not None
        gateway.process.stdout.close()
    said = gateway.errors.read_text()
    assert "warning[threads-left]: handlers left threads running: Thread-" in said
