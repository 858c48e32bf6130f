"""The cloud's own command line, unmodified, against a gateway on sockets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.controlplane.cloud.app import SECRET_ID, SECRET_KEY

Served = Any
Play = Callable[[Callable[[Served], Any]], None]

pytestmark = pytest.mark.sockets


class Tccli:
    """Runs commands, each in a process of its own."""

    def __init__(self, served: Served, home: Path) -> None:
        self._endpoint = served.control
        self._environment = {
            **os.environ,
            "HOME": str(home),  # it writes into it
            "TENCENTCLOUD_SECRET_ID": SECRET_ID,
            "TENCENTCLOUD_SECRET_KEY": SECRET_KEY,
            "TENCENTCLOUD_REGION": "ap-guangzhou",
        }

    def run(self, service: str, action: str, **given: object) -> subprocess.CompletedProcess[str]:
        """One command."""
        words = [str(Path(sys.executable).with_name("tccli")), service, action]
        for name, value in given.items():
            words += [f"--{name}", value if isinstance(value, str) else json.dumps(value)]
        return subprocess.run(
            [*words, "--endpoint", self._endpoint],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def __call__(self, service: str, action: str, **given: object) -> Any:  # noqa: ANN401
        """What a command prints, which went well."""
        done = self.run(service, action, **given)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder for what the command line writes."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def tccli(served: Served, home: Path) -> Tccli:
    """The command line, aimed at a gateway."""
    return Tccli(served, home)


def test_the_whole_scheme_is_played_by_the_clouds_command_line(home: Path, play: Play) -> None:
    """From nothing to the roll-back and the logs."""
    play(lambda served: Tccli(served, home))


def test_an_error_ends_a_command_with_its_code(tccli: Tccli) -> None:
    """It is on standard error, and the status is the command line's own."""
    done = tccli.run("scf", "GetAlias", FunctionName="orders", Name="nope")
    assert (done.returncode, done.stdout) == (255, "")
    assert "code:ResourceNotFound.Alias message:function 'orders' has no alias" in done.stderr
