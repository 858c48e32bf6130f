"""The cloud's component toolkit, unmodified, deploys and removes a function through the front."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import zipfile
from collections import Counter
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from tests.intercept.conftest import Serve, Serving

pytestmark = pytest.mark.sockets

TOOLKIT = "tencent-component-toolkit@2.27.6"
SCRIPT = Path(__file__).with_name("toolkit.js")
PAGE = Path(__file__).parents[2] / "docs" / "serverless.md"
CODE = """
def main_handler(event, context):
    return {"statusCode": 200, "body": context["function_version"]}
"""

STEPS: list[tuple[str, float | None, float | None, set[str]]] = [
    ("created", None, None, {"$LATEST"}),
    ("traffic without a version", None, None, {"$LATEST"}),
    ("published", 0, 1, {"1"}),
    ("a tenth", 0.1, 0.9, {"1", "$LATEST"}),
    ("everything", 1, 0, {"$LATEST"}),
    ("alias", 1, 0, {"$LATEST"}),
]
"""The share of `$LATEST` that the toolkit tells, the weight of version 1, and who answers then."""


@pytest.fixture(scope="module")
def package(request: pytest.FixtureRequest) -> Path:
    """The toolkit, installed once for all runs of the tests."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("node and npm are not installed; https://nodejs.org brings both")
    assert request.config.cache is not None
    folder = Path(request.config.cache.mkdir(TOOLKIT.replace("@", "-")))
    with (folder / "lock").open("w") as lock:
        flock(lock, LOCK_EX)  # other processes of the tests may want it in the same moment
        if not (folder / "node_modules" / ".package-lock.json").exists():  # npm's last act
            command = [npm, "install", "--prefix", str(folder), "--ignore-scripts", "--no-audit"]
            run = subprocess.run([*command, TOOLKIT], capture_output=True, text=True, check=False)
            if run.returncode:
                pytest.skip(f"npm cannot install {TOOLKIT}: {run.stderr.strip().splitlines()[-1:]}")
    return folder / "package.json"


def zipped(folder: Path) -> Path:
    """A zip with the code of a function."""
    archive = folder / "hello.zip"
    with zipfile.ZipFile(archive, "w") as writer:
        writer.writestr("index.py", CODE)
    return archive


def environment(serving: Serving) -> dict[str, str]:
    """What sends a tool through the front."""
    return {
        **os.environ,
        "HTTPS_PROXY": serving.proxy,
        "NODE_EXTRA_CA_CERTS": str(serving.ca),
    }


def answers(serving: Serving, service: str, path: str, count: int) -> Counter[str]:
    """Which versions answer at the address that the toolkit was told."""
    host = f"{service}.localhost:{serving.data.rpartition(':')[2]}"
    with httpx.Client(trust_env=False, headers={"Host": host}) as client:
        found = [client.get(serving.data + path) for _ in range(count)]
    assert {answer.status_code for answer in found} == {200}
    return Counter(answer.headers["X-Gateway-Version"] for answer in found)


class Play:
    """The script, played step by step."""

    def __init__(self, serving: Serving, package: Path, folder: Path) -> None:
        self._errors = folder / "toolkit"
        with self._errors.open("w") as errors:
            self.process = subprocess.Popen(
                ["node", str(SCRIPT), str(package), str(zipped(folder))],
                env=environment(serving),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )

    def step(self, name: str) -> Any:  # noqa: ANN401
        """What the script has at the end of a step."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.said()
        told = json.loads(line)
        assert told["step"] == name, self.said()
        return told

    def go_on(self) -> None:
        """Let the script go on."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def said(self) -> str:
        """The end of what the toolkit said."""
        return self._errors.read_text()[-3000:]


def test_the_toolkit_deploys_and_removes_a_function(
    serve: Serve, package: Path, tmp_path: Path
) -> None:
    """With an event of API Gateway, `publish`, `traffic` 0, 0.1 and 1, and an alias."""
    serving = serve("--state", ":memory:", "--seed", "7")
    play = Play(serving, package, tmp_path)
    with play.process:
        for name, traffic, weight, versions in STEPS:
            told = play.step(name)
            weights = [] if weight is None else [{"Version": "1", "Weight": weight}]
            assert (told["status"], told["main"], told["weights"]) == ("Active", "$LATEST", weights)
            assert told.get("traffic") == traffic
            (api,) = told["apis"]
            assert (api["path"], api["method"]) == ("/user", "ANY")
            assert told["domain"][0].startswith(told["service"])
            assert set(answers(serving, told["service"], "/release/user", 200)) == versions
            play.go_on()
        removed = play.step("removed")
    assert play.process.returncode == 0, play.said()
    routing = {
        "AdditionalVersionWeights": [{"Version": "$LATEST", "Weight": 0.4}],
        "AddtionVersionMatchs": [],
    }
    assert (removed["canary"]["FunctionVersion"], removed["canary"]["RoutingConfig"]) == (
        "1",
        routing,
    )
    assert removed["invoked"]["Result"]["RetMsg"] == '{"statusCode":200,"body":"1"}'
    assert (removed["tags"], removed["gone"]) == ([], None)
    known = httpx.get(f"{serving.control}/api/functions", trust_env=False).json()
    assert [function["name"] for function in known["functions"]] == ["orders"]
    assert "FAILED" not in play.said()


def test_the_script_of_the_page_does_what_the_page_says(
    standing: Serving, package: Path, tmp_path: Path
) -> None:
    """Word for word."""
    found = re.search("```js\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    (tmp_path / "deploy.js").write_text(found[1])
    env = {**environment(standing), "NODE_PATH": str(package.parent / "node_modules")}
    for traffic, versions in (("0", {"1"}), ("0.1", {"1", "$LATEST"}), ("1", {"$LATEST"})):
        run = subprocess.run(
            ["node", "deploy.js", str(zipped(tmp_path)), traffic],
            cwd=tmp_path,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stderr[-3000:]
        service, version, told = run.stdout.splitlines()[-1].split()
        assert (version, told) == ("1", traffic)
        assert set(answers(standing, service, "/release/", 200)) == versions
