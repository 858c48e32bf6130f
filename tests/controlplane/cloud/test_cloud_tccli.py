"""The cloud's own command line, unmodified, against a gateway on sockets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gateway.controlplane.cloud.app import SECRET_ID, SECRET_KEY

Served = Any

pytestmark = pytest.mark.sockets

BOB = {"Version": "2", "Key": "invoke.headers.User", "Method": "exact", "Expression": "Bob"}


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

    def run(self, action: str, **given: object) -> subprocess.CompletedProcess[str]:
        """One command."""
        words = [str(Path(sys.executable).with_name("tccli")), "scf", action]
        for name, value in given.items():
            words += [f"--{name}", value if isinstance(value, str) else json.dumps(value)]
        return subprocess.run(
            [*words, "--endpoint", self._endpoint],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def __call__(self, action: str, **given: object) -> Any:  # noqa: ANN401
        """What a command prints, which went well."""
        done = self.run(action, **given)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def tccli(served: Served, tmp_path: Path) -> Tccli:
    """The command line, aimed at a gateway."""
    home = tmp_path / "home"
    home.mkdir()
    return Tccli(served, home)


def test_an_alias_is_steered_by_the_clouds_command_line(tccli: Tccli) -> None:
    """Published, shifted by weight, given to Bob, and taken back."""
    named = {"FunctionName": "orders", "Name": "release"}
    assert tccli("PublishVersion", FunctionName="orders")["FunctionVersion"] == "4"
    weights = {"AdditionalVersionWeights": [{"Version": "4", "Weight": 0.1}]}
    tccli("UpdateAlias", **named, FunctionVersion="1", RoutingConfig=weights)
    found = tccli("GetAlias", **named)["RoutingConfig"]
    assert found == {**weights, "AddtionVersionMatchs": []}
    rules = {"AddtionVersionMatchs": [BOB]}
    tccli("UpdateAlias", **named, FunctionVersion="1", RoutingConfig=rules)
    asked = {"FunctionName": "orders", "Qualifier": "release", "Event": '{"a":1}'}
    for key, version in (('{"User":"Bob"}', "v2"), ('{"User":"Alice"}', "v1")):
        told = tccli("InvokeFunction", **asked, RoutingKey=key)["Result"]
        assert json.loads(told["RetMsg"]) == {"event": {"a": 1}, "version": version}
    tccli("UpdateAlias", **named, FunctionVersion="1")
    assert tccli("GetAlias", **named)["RoutingConfig"]["AddtionVersionMatchs"] == []


def test_an_error_ends_a_command_with_its_code(tccli: Tccli) -> None:
    """It is on standard error, and the status is the command line's own."""
    done = tccli.run("GetAlias", FunctionName="orders", Name="nope")
    assert (done.returncode, done.stdout) == (255, "")
    assert "code:ResourceNotFound.Alias message:function 'orders' has no alias" in done.stderr
