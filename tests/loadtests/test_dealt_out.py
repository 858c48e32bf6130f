"""What a worker on another machine is dealt: it has no file of the traffic, but the same program.

The library that waits for signals and sockets is loaded in a process of its own.
"""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import pytest

SCRIPT = """
import sys
from argparse import Namespace
from types import SimpleNamespace
from loadtests.worker import Worker

told, given = [], []
runner = SimpleNamespace(
    register_message=lambda *_: None, send_message=lambda _, data: told.append(data)
)
hook = SimpleNamespace(add_listener=lambda _: None)
options = Namespace(load_test="distribution", mix="release=1", access_log="gone", recording="gone")
environment = SimpleNamespace(
    parsed_options=options, events=SimpleNamespace(test_start=hook, test_stop=hook, quitting=hook)
)
worker = Worker(environment, runner, given.append)
step = ["others", "GET", "/orders/1", "/orders/{id}", {"User": "ann"}, None, "ann"]
dealt = {"run": 1, "part": [0, 1, 3], "rate": None, "program": sys.argv[1], "traffic": [step]}
worker._take_part(SimpleNamespace(data=dealt))
worker._start()
print(told[0]["broken"] if told else f"{given[0].requests} requests")
"""


@pytest.mark.parametrize(
    ("program", "said"),
    [
        pytest.param(version("gateway-simulator"), "3 requests", id="the same"),
        pytest.param("9.9", ", the master 9.9: install the same on all machines", id="another"),
    ],
)
def test_a_worker_sends_what_it_is_dealt(program: str, said: str) -> None:
    """Without looking for a file; and not at all where both might count otherwise."""
    command = [sys.executable, "-c", SCRIPT, program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.strip().endswith(said), done.stderr
