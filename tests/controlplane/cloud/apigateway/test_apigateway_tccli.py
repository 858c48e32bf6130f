"""The cloud's own command line, unmodified, makes and steers a service."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.controlplane.cloud.app import SECRET_ID, SECRET_KEY

Served = Any

pytestmark = pytest.mark.sockets


def test_a_service_is_made_and_released_by_the_command_line(served: Served, tmp_path: Path) -> None:
    """A service, an API on an alias, a release, a call, and an error by its code."""
    environment = {
        **os.environ,
        "HOME": str(tmp_path),  # it writes into it
        "TENCENTCLOUD_SECRET_ID": SECRET_ID,
        "TENCENTCLOUD_SECRET_KEY": SECRET_KEY,
        "TENCENTCLOUD_REGION": "ap-guangzhou",
    }

    def run(action: str, **given: object) -> subprocess.CompletedProcess[str]:
        words = [str(Path(sys.executable).with_name("tccli")), "apigateway", action]
        for name, value in given.items():
            words += [f"--{name}", value if isinstance(value, str) else json.dumps(value)]
        return subprocess.run(
            [*words, "--endpoint", served.control],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def tccli(action: str, **given: object) -> Any:  # noqa: ANN401 - what it prints
        done = run(action, **given)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    made = tccli("CreateService", ServiceName="shop", Protocol="http")
    on = {"ServiceId": made["ServiceId"]}
    tccli(
        "CreateApi",
        **on,
        ServiceType="SCF",
        ServiceTimeout=15,
        Protocol="HTTP",
        RequestConfig={"Path": "/user", "Method": "ANY"},
        ServiceScfFunctionName="orders",
        ServiceScfFunctionQualifier="release",
    )
    release = {**on, "EnvironmentName": "release"}
    told = tccli("ReleaseService", **release, ReleaseDesc="the first")["Result"]
    assert told["ReleaseDesc"] == "the first"
    with httpx.Client(trust_env=False) as caller:
        url, host = f"{served.data}/release/user", made["OuterSubDomain"]
        assert caller.get(url, headers={"Host": host}).json()["version"] == "v1"
    failed = run("UpdateService", **release, VersionName="2020")
    assert failed.returncode == 255
    assert "code:ResourceNotFound message:" in failed.stderr
